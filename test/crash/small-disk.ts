/**
 * A journal on a really small disk, filled by its own backlog and then by somebody else's file; prints what became of it as JSON. Argument: the folder,
 * on a disk of DISK bytes that is otherwise empty.
 */
import { appendFileSync, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Stream } from '../../src/base/event.ts';
import { createVerifier } from '../../src/uplink/verifier.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SEES_ALL } from '../fakes/entitlement.ts';
import { seededRandom } from '../fakes/random.ts';
import { virtualJournal } from '../kit/virtual-journal.ts';
import { STREET } from './promises.ts';

const MB = 1024 * 1024;
const BUDGET = 16 * MB;
const [folder = ''] = process.argv.slice(2);
const path = join(folder, 'journal.db');
const foreign = join(folder, 'foreign');
const clock = new VirtualClock(Date.UTC(2026, 10, 25));
// The disk itself says what it has left.
const journal = virtualJournal(path, clock, { windowMs: 60_000, budget: BUDGET });
const lost = new Set<string>();
const verifier = createVerifier();
const ids: string[] = [];
const given = new Map<string, number>();
const samples = new Map<string, number>();

async function alarm(): Promise<boolean> {
  const data = { aid: `a${ids.length}`, text: 'x'.repeat(2000) };
  const event = { kind: 'alarm.raised', at: clock.now(), level: 'red', data } as const;
  const state = { key: 'r', body: String(ids.length) };
  const { durable, events } = await journal.commit({ events: [event], alarms: [], states: [state], memory: [] });
  ids.push(...events.map((e) => e.id));
  return durable;
}

async function take(stream: Stream): Promise<void> {
  for (;;) {
    const { contract, acked } = await journal.ledger.open({ ...STREET, ...SEES_ALL });
    const { epoch } = contract;
    const some = await journal.ledger.next(
      'street',
      stream,
      { epoch, seq: acked[stream].seq },
      { max: 200, bytes: 4 * MB },
    );
    const last = some.at(-1);
    if (last === undefined) return;
    for (const m of some) {
      verifier.take(`wn/1/street/s/up/${stream}`, m.payload);
      if (m.type === 'weinao.alarm.raised.v1') given.set(m.id, (given.get(m.id) ?? 0) + 1);
      samples.set(m.id, m.samples);
    }
    journal.ledger.ack('street', stream, { epoch, seq: last.seq });
  }
}

const random = seededRandom(3).next;
async function backlog(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const at = clock.now();
    const rows = Array.from({ length: 6000 }, (_, i) => i);
    journal.report(
      rows.map(
        (i) => ({ device: `d${i}`, point: 'p', value: random() * 1e6, quality: 'good', ts: at.wall, at }) as const,
      ),
    );
    await journal.flush();
    if (round % 20 === 0) await alarm();
    await clock.advance(5100);
  }
}

/** Somebody takes every byte there is. */
function takeDisk(): void {
  for (let size = MB; size >= 1024; ) {
    try {
      appendFileSync(foreign, Buffer.alloc(size, 1));
    } catch {
      size /= 2;
    }
  }
}

await journal.start();
journal.onLost(({ stream, why }) => void lost.add(`${stream} ${why}`));
await journal.ledger.open({ ...STREET, ...SEES_ALL });
await clock.advance(5100);
const hadBallast = existsSync(`${path}.ballast`);

await backlog(280);
const full = { file: statSync(path).size, lost: [...lost], durable: await alarm() };
const before = ids.length;
await take('a');
const alarmsAtBudget = given.size === before;

// Somebody else's file on top, that takes again what the journal gives back: alarms are stored, taken and acknowledged all the same.
takeDisk();
const isAccepted: boolean[] = [];
for (let n = 0; n < 24; n++) {
  await alarm();
  await take('a');
  isAccepted.push(given.size === ids.length);
  takeDisk();
  await clock.advance(5100);
}
await alarm();

rmSync(foreign);
await clock.advance(1_300_000);
const { durable: isBack, counters } = await journal.facts();
const after = await alarm();
await clock.advance(700_000);
await take('a');
await take('t');
const { chain, gaps, dropped, faults } = verifier.summary();
const left = [...samples.values()].reduce((sum, n) => sum + n, 0);
await journal.close();
process.stdout.write(
  JSON.stringify({
    ...{ hadBallast, full, alarmsAtBudget, isAccepted, isBack, after },
    ballastBack: existsSync(`${path}.ballast`),
    missing: ids.filter((id) => !given.has(id)).length,
    alarms: ids.length,
    ...{ chain, gaps, dropped, faults, left, lost: [...lost], samples: counters.samples },
  }),
);
process.exit(0);
