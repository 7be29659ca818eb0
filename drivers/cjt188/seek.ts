/** Finds a CJ/T 188 meter that is alone on the line, by the wildcard address, in either order of the identifier. */
import { isWeinaoError } from '../../src/base/errors/index.ts';
import type { Seeker } from '../../src/kit/driver.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { build188, framer188, grammar188, idBytes } from './frame.ts';

const PATIENCE = 2000;
const READ_ADDRESS = 0x03;
const ORDERS = ['low-first', 'high-first'] as const;

export const seek188: Seeker = {
  steps: () => ORDERS.length,
  run: async ({ line, signal, found, step }) => {
    for (const order of ORDERS) {
      const request = { type: 0xaa, address: 'A'.repeat(14), control: READ_ADDRESS, data: idBytes('810A', order, 0) };
      const reply = await line
        .turn('scan', signal, (turn) =>
          turn.transact(build188(request), framer188(request, '810A'), { deadlineMs: PATIENCE }),
        )
        .catch((error: unknown) => {
          if (isWeinaoError(error, 'link.timeout') || isWeinaoError(error, 'link.bad_frame')) return undefined;
          throw error;
        });
      step();
      const frame = reply === undefined ? undefined : framesIn(reply, grammar188).found[0]?.frame;
      if (frame === undefined) continue;
      const isHeat = frame.type >= 0x20 && frame.type <= 0x2f;
      found({
        driver: 'cjt188',
        address: frame.address,
        says: isHeat
          ? { zh: 'CJ/T 188 热量表', en: 'heat meter, CJ/T 188' }
          : { zh: 'CJ/T 188 水表或气表', en: 'water or gas meter, CJ/T 188' },
        section: { driver: 'cjt188', address: frame.address, profile: isHeat ? 'heat' : 'water', poll: '1h' },
      });
      return;
    }
  },
};
