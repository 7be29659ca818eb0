/** Finds M-Bus meters: the address that all answer shows whether there is anybody; then each primary address is asked. */
import { isWeinaoError } from '../../src/base/errors/index.ts';
import type { LineDoor, Seeker } from '../../src/kit/driver.ts';
import { ackFramer, SND_NKE, short } from './frame.ts';

/** all meters answer; several at once make a damaged answer */
const EVERYBODY = 0xfe;
const PATIENCE = 500;

export const seekMbus: Seeker = {
  steps: () => 1,
  run: async ({ line, ids, signal, found, step }) => {
    const anybody = await answers(line, EVERYBODY, signal);
    step();
    if (!anybody) return;
    for (let address = ids[0]; address <= Math.min(ids[1], 250); address++) {
      if (!(await answers(line, address, signal))) continue;
      found({
        driver: 'mbus',
        address,
        says: { zh: 'M-Bus 表', en: 'M-Bus meter' },
        section: { driver: 'mbus', address, profile: 'heat', poll: '15m' },
      });
    }
  },
};

async function answers(line: LineDoor, address: number, signal: AbortSignal): Promise<boolean> {
  try {
    await line.turn('scan', signal, (turn) =>
      turn.transact(short(SND_NKE, address), ackFramer, { deadlineMs: PATIENCE }),
    );
    return true;
  } catch (error) {
    if (isWeinaoError(error, 'link.timeout')) return false;
    if (isWeinaoError(error, 'link.bad_frame')) return address === EVERYBODY;
    throw error;
  }
}
