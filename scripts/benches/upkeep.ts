/**
 * What goes on beside the alarms: acknowledgements and the pruning of what is too old. The cost of an acknowledgement is that of the store's own thread,
 * told of TOGETHER at once, with the cursor written down every CURSOR events; its bytes are taken from a trace of the process's writes (disktrace.c).
 * The pauses are those of single alarms while BACKLOG samples (1 million) nobody took go out of the journal.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cursor, FeedState } from '../../src/base/feed.ts';
import { systemClock } from '../../src/io/clock.ts';
import { systemRandom } from '../../src/io/random.ts';
import { type Batch, membersOf } from '../../src/journal/batch.ts';
import { StoreKeeper } from '../../src/journal/keeper.ts';
import type { Request } from '../../src/journal/protocol.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { SECRET, SEES_ALL } from '../../test/fakes/entitlement.ts';
import { tracing } from '../../test/kit/disktrace.ts';
import { fixed, folder, quantile, row, syncTimes } from './kit.ts';
import { alarmOf, fill, journalIn } from './rows.ts';

const EVENTS = 50_000;
const WINDOW = 50;
const TOGETHER = 10;
/** what a drain of 1,000 a second takes between two times the house writes its cursors */
const CURSOR = 5000;
const BACKLOG = Number(process.env.BACKLOG ?? 1_000_000);
const DAY = 86_400_000;
const DEMAND = {
  feed: 'street',
  source: 'urn:weinao:b:g',
  ...SEES_ALL,
  encoding: 'json',
  keepMs: DAY,
  priority: 5,
} as const;

const clock = systemClock();
const random = systemRandom();

if (process.env.ACKS !== undefined) acknowledge(process.env.ACKS);
else {
  acks();
  await prune();
  process.exit(0);
}

function acks(): void {
  const life = (env: Readonly<Record<string, string>>, home: string): number => {
    const args = ['--disable-warning=ExperimentalWarning', import.meta.filename];
    return Number(execFileSync(process.execPath, args, { env: { ...process.env, ...env, ACKS: home } }));
  };
  const cpu = life({}, folder());
  const home = folder();
  const { env, read } = tracing(home);
  life(env, home);
  let [bytes, isAck] = [0, false];
  for (const { kind, file, bytes: written } of read())
    if (file === 'marks') isAck = written.toString() === 'ack';
    else if (isAck && kind === 'write') bytes += written.length;
  row('an acknowledgement, us CPU of the store', fixed(cpu), '<= 2', cpu <= 2);
  row('bytes written for it', fixed(bytes / EVENTS, 1), '<= 50', bytes / EVENTS <= 50);
}

/** The store in this thread, its feed taking all there is; says the CPU of each acknowledgement in microseconds. */
function acknowledge(home: string): void {
  let value: unknown;
  const keeper = new StoreKeeper(createOutward(), (answer) => {
    if ('error' in answer) throw new Error(JSON.stringify(answer.error));
    if ('value' in answer) value = answer.value;
  });
  const ask = (request: Request): unknown => {
    keeper.take([{ ...request, n: 1 }]);
    return value;
  };
  const now = clock.now();
  const entropy = random.bytes(18);
  const path = join(home, 'journal.db');
  const opening = { path, boot: 'b', entropy, now, secret: SECRET, synchronous: 'FULL', budget: 2 ** 31 } as const;
  ask({ op: 'open', opening });
  const { contract } = ask({ op: 'feed', demand: DEMAND, entropy, wall: now.wall }) as FeedState;
  for (let n = 0; n < EVENTS; n += 100) {
    const events = Array.from({ length: 100 }, (_, i) => alarmOf(clock, n + i).events).flat();
    const commit = { events, alarms: [], states: [], memory: [] };
    ask({ op: 'commit', work: { commit, groups: [], now, entropy: random.bytes(1000) } });
  }
  const { epoch } = contract;
  const ack = (upTo: Cursor): void => keeper.take([{ op: 'ack', feed: 'street', stream: 'a', upTo, n: 0 }]);
  let used = 0;
  for (let seq = 0; seq < EVENTS; ) {
    const limit = { max: WINDOW, bytes: 1e9 };
    const some = membersOf(ask({ op: 'next', feed: 'street', stream: 'a', after: { epoch, seq }, limit }) as Batch);
    appendFileSync(join(home, 'marks'), 'ack');
    const before = process.cpuUsage();
    const last = some.at(-1)?.seq ?? EVENTS;
    for (let at = seq + TOGETHER; at <= last; at += TOGETHER) ack({ epoch, seq: at });
    if (last % TOGETHER !== 0) ack({ epoch, seq: last });
    if (Math.floor(seq / CURSOR) !== Math.floor(last / CURSOR)) ask({ op: 'persist', now, entropy });
    const { user, system } = process.cpuUsage(before);
    appendFileSync(join(home, 'marks'), 'end');
    used += user + system;
    seq = last;
  }
  process.stdout.write(String(used / EVENTS));
}

async function prune(): Promise<void> {
  const place = folder();
  const sync = quantile(syncTimes(join(place, 'page'), 1000), 0.99);
  let ahead = 0;
  const journal = journalIn(place, {
    ...clock,
    now: () => ({ ...clock.now(), wall: clock.now().wall + ahead }),
  });
  await journal.start();
  await journal.ledger.open(DEMAND);
  await fill(journal, clock, BACKLOG / 5000, 5000);
  const pauses: number[] = [];
  const some = async (): Promise<void> => {
    for (let n = 0; n < 100; n++) {
      const at = performance.now();
      await journal.commit(alarmOf(clock, n));
      pauses.push(performance.now() - at);
      await clock.sleep('between alarms', 5);
    }
  };
  for (let n = 0; n < 15; n++) await some();
  const usual = Math.max(...pauses.splice(0));
  ahead = 2 * DAY;
  const began = performance.now();
  // The segment being written stays.
  for (let left = BACKLOG; left > BACKLOG / 2 || left > 409_600; ) {
    await some();
    left = (await journal.ledger.depth('street')).t.samples;
  }
  const seconds = (performance.now() - began) / 1000;
  const longest = Math.max(...pauses);
  const samples = BACKLOG - (await journal.ledger.depth('street')).t.samples;
  row(
    `an alarm while ${samples} samples are pruned, p99 and longest, ms`,
    `${fixed(quantile(pauses, 0.99), 1)}, ${fixed(longest, 1)} (${fixed(usual, 1)} without; in ${fixed(seconds, 0)} s)`,
    `<= ${fixed(2 * sync + 50, 0)} (2 x sync + 50)`,
    longest <= 2 * sync + 50,
  );
  await journal.close();
}
