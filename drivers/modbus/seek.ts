/** Finds Modbus stations by asking each for one register; also a refusal is an answer. */
import { isWeinaoError } from '../../src/base/errors/index.ts';
import type { Seeker } from '../../src/kit/driver.ts';
import { scanModbus } from './scan.ts';

export const seekModbus: Seeker = {
  steps: ([from, to]) => to - from + 1,
  run: async ({ line, ids, signal, found, note, step }) => {
    for (let station = ids[0]; station <= Math.min(ids[1], 247); station++) {
      const asked = { station, table: 'holding', address: 0, count: 1 };
      const answer = await scanModbus(line, asked, signal).then(
        ({ words }): string => `holding 0 = ${words[0]}`,
        (error: unknown) => {
          if (isWeinaoError(error, 'device.refused')) return 'holding 0: -';
          if (isWeinaoError(error, 'link.bad_frame'))
            note({
              zh: `站号 ${station}：有字节但没有完整应答（两台设备同址，或波特率、校验不对）`,
              en: `station ${station}: bytes but no answer (two devices of one address, or another speed or parity)`,
            });
          else if (!isWeinaoError(error, 'link.timeout')) throw error;
          return undefined;
        },
      );
      if (answer !== undefined)
        found({
          driver: 'modbus',
          address: station,
          says: {
            zh: `${answer}；按说明书填写测点，或选用模板`,
            en: `${answer}; add points from its manual, or a profile`,
          },
          section: { driver: 'modbus', address: station, points: { r0: { register: 'holding 0', as: 'uint16' } } },
        });
      step();
    }
  },
};
