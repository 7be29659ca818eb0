/**
 * The store on a card: this bench again in a process whose every sync takes 8 ms, and each hundredth 250 ms (disktrace.c, DISKCARD). Durable single
 * commits against the raw overwrite and sync of the same process, and what the loop of the main thread has of the waiting, with the store in its own
 * thread and, as a control, in the main thread.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '../../src/io/clock.ts';
import { systemRandom } from '../../src/io/random.ts';
import { startWorker, type WorkerPort } from '../../src/io/worker.ts';
import { createJournal, type JournalFace } from '../../src/journal/index.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { SECRET } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { loopbackStore } from '../../test/fakes/store.ts';
import { tracing } from '../../test/kit/disktrace.ts';
import { fixed, folder, pause, quantile, row, syncTimes } from './kit.ts';
import { alarmOf } from './rows.ts';

const SYNCS = 400;
const SECONDS = Number(process.env.SECONDS ?? 5);
const A_SECOND = 1000;

const clock = systemClock();

if (process.env.DISKCARD === undefined) {
  const { LD_PRELOAD } = tracing(folder()).env;
  const env = { ...process.env, LD_PRELOAD, DISKCARD: '8,250,100' };
  const args = ['--disable-warning=ExperimentalWarning', import.meta.filename];
  execFileSync(process.execPath, args, { env, stdio: 'inherit' });
} else await measure();

async function measure(): Promise<void> {
  const place = folder();
  const raw = syncTimes(join(place, 'page.db'), SYNCS);
  const rawRate = 1000 / (raw.reduce((a, b) => a + b, 0) / raw.length);
  row('card: raw 4 KiB overwrite and sync', `${fixed(rawRate, 0)}/s`, '(the limit of this run)', undefined);

  const journal = await open(() => startWorker(new URL('../../src/app/store-worker.ts', import.meta.url), undefined));
  const began = performance.now();
  for (let n = 0; n < SYNCS; n++) await journal.commit(alarmOf(clock, n));
  const rate = (SYNCS * 1000) / (performance.now() - began);
  const result = `${fixed(rate, 0)}/s = ${fixed(rate / rawRate)} x raw`;
  row('card: durable single commits', result, '>= 0.9 x raw', rate >= 0.9 * rawRate);

  const idle = await lag(() => pause(SECONDS * 1000));
  row('card: lag of an idle loop, longest, ms', fixed(idle.late, 1), '(what others on this machine cost)', undefined);
  const waits: number[] = [];
  const own = await lag(() => load(journal, waits));
  row(`card: lag of the loop at ${A_SECOND} events/s, longest, ms`, fixed(own.late, 1), '<= 25', own.late <= 25);
  row('card: CPU of one turn of that loop, longest, ms', fixed(own.busy, 1), '(its own part of the lag)', undefined);
  row('card: an event until it is durable, p50 and p99, ms', halves(waits), '', undefined);
  await journal.close();

  const control = await open(() => loopbackStore(createOutward()));
  const main = await lag(() => load(control, []));
  row(
    'card: the same with the store in the main thread',
    fixed(main.late, 1),
    '(control: must show it)',
    main.late >= 200,
  );
  await control.close();
  process.exit(0);
}

async function open(store: () => WorkerPort): Promise<JournalFace> {
  const journal = createJournal({
    clock,
    random: systemRandom(),
    log: memoryLog(),
    path: join(folder(), 'journal.db'),
    windowMs: 1000,
    secret: SECRET,
    onStalled: () => {},
    startWorker: store,
  });
  await journal.start();
  return journal;
}

/** Single events, as many a second, none waiting for another. */
async function load(journal: JournalFace, waits: number[]): Promise<void> {
  const began = performance.now();
  const commits: Promise<void>[] = [];
  for (let n = 0; n < SECONDS * A_SECOND; ) {
    const due = Math.min(SECONDS * A_SECOND, ((performance.now() - began) * A_SECOND) / 1000);
    for (; n < due; n++) {
      const at = performance.now();
      commits.push(journal.commit(alarmOf(clock, n)).then(() => void waits.push(performance.now() - at)));
    }
    await pause(1);
  }
  await Promise.all(commits);
}

/** While the work was done, at the longest: how much later than asked for a timer came, and the CPU this thread used between two of them. */
async function lag(work: () => Promise<void>): Promise<{ late: number; busy: number }> {
  let [late, busy] = [0, 0];
  let used = process.threadCpuUsage();
  let due = performance.now() + 1;
  let timer: NodeJS.Timeout;
  const tick = (): void => {
    late = Math.max(late, performance.now() - due);
    const now = process.threadCpuUsage();
    busy = Math.max(busy, (now.user - used.user + now.system - used.system) / 1000);
    used = now;
    due = performance.now() + 1;
    timer = setTimeout(tick, 1);
  };
  timer = setTimeout(tick, 1);
  await work();
  clearTimeout(timer);
  return { late, busy };
}

function halves(waits: readonly number[]): string {
  return `${fixed(quantile(waits, 0.5), 0)}, ${fixed(quantile(waits, 0.99), 0)}`;
}
