/**
 * Memory while a backlog waits: a process with the unit's flags, a journal and a feed whose broker is away, before and after BACKLOG samples
 * (1 million; 10 million take some minutes). Both ends are taken after a collection and with everything warm.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/io/clock.ts';
import { openGatewayKey } from '../../src/io/keys.ts';
import { systemRandom } from '../../src/io/random.ts';
import { createUplink } from '../../src/uplink/index.ts';
import { SEES_ALL } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { FLAGS, fixed, folder, pause, row } from './kit.ts';
import { feedOf, fill, journalIn } from './rows.ts';

const BACKLOG = Number(process.env.BACKLOG ?? 1_000_000);
const WARM = 200_000;
const AT_ONCE = 1000;

if (process.env.WAITING === undefined) {
  const args = [...FLAGS, '--expose-gc', '--disable-warning=ExperimentalWarning', import.meta.filename];
  execFileSync(process.execPath, args, { env: { ...process.env, WAITING: '1' }, stdio: 'inherit' });
} else await measure();

async function measure(): Promise<void> {
  const clock = systemClock();
  const random = systemRandom();
  const log = memoryLog();
  const place = folder();
  const journal = journalIn(place, clock);
  await journal.start();
  const uplink = createUplink({
    clock,
    random,
    log,
    ledger: journal.ledger,
    signer: await openGatewayKey(place),
    connect: () => Promise.reject(new Error('away')),
    entitlement: () => SEES_ALL,
    catalog: () => new Map(),
    onRefused: () => {},
    onCaughtUp: () => {},
    onSilent: () => {},
  });
  journal.onHead(() => uplink.poke());
  await uplink.apply('b', 'g1', new Map([['away', await feedOf('away', 'mqtt://127.0.0.1:1', 'json')]]));

  await fill(journal, clock, WARM / AT_ONCE, AT_ONCE);
  const before = await memory();
  await fill(journal, clock, BACKLOG / AT_ONCE, AT_ONCE);
  const after = await memory();
  const { samples } = (await journal.ledger.depth('away')).t;
  row(
    `memory with ${samples} samples waiting, MB more than with ${WARM}`,
    `${fixed(after - before, 1)} (${fixed(before, 0)} before)`,
    '<= 10',
    after - before <= 10,
  );
  await uplink.stop();
  await journal.close();
  process.exit(0);
}

/** Resident MB, both threads, when they have come to rest. */
async function memory(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  for (let n = 0; n < 5; n++) {
    gc?.();
    await pause(500);
  }
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}
