/** Finds electricity meters: 2007 meters tell their address when they are alone on the line; 1997 meters answer a read with a wildcard address. */
import { isWeinaoError } from '../../src/base/errors/index.ts';
import type { LineDoor, SeekContext, Seeker } from '../../src/kit/driver.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { build645, type Frame645, framer645, grammar645, WILDCARD } from './frame.ts';
import { diBytes } from './items.ts';
import { READ, READ_ADDRESS } from './protocol.ts';

/** DL/T 645-2007, 5.4: 500 ms; converters add to it */
const PATIENCE = 2000;
const NOTHING = new Uint8Array(0);

export const seek645: Seeker = {
  steps: () => 2,
  run: async (context) => {
    const first = await ask(context, { address: WILDCARD, control: READ_ADDRESS, data: NOTHING }, NOTHING);
    if (first !== undefined) found(context, first.address, '2007');
    context.step();
    const di = diBytes('9010');
    const old = first ?? (await ask(context, { address: WILDCARD, control: READ['1997'], data: di }, di));
    if (first === undefined && old !== undefined) found(context, old.address, '1997');
    context.step();
  },
};

function found({ found: tell }: SeekContext, address: string, version: '2007' | '1997'): void {
  tell({
    driver: 'dlt645',
    address,
    says: { zh: `DL/T 645-${version} 电表`, en: `electricity meter, DL/T 645-${version}` },
    section: { driver: 'dlt645', address, profile: `single_phase_${version}`, poll: '15m' },
  });
}

async function ask(
  { line, signal, note }: { line: LineDoor; signal: AbortSignal; note: SeekContext['note'] },
  request: Frame645,
  expects: Uint8Array,
): Promise<Frame645 | undefined> {
  try {
    const framer = framer645(request, expects);
    const reply = await line.turn('scan', signal, (turn) =>
      turn.transact(build645(request), framer, { deadlineMs: PATIENCE }),
    );
    return framesIn(reply, grammar645).found[0]?.frame;
  } catch (error) {
    if (isWeinaoError(error, 'link.bad_frame'))
      note({
        zh: '有字节但不是完整的 645 帧：可能同时有几块表应答，或波特率、校验不对。逐块接线再扫，或按表号配置',
        en: 'bytes but no 645 frame: several meters answered at once, or another speed or parity. Connect one at a time, or configure by number',
      });
    else if (!isWeinaoError(error, 'link.timeout')) throw error;
    return undefined;
  }
}
