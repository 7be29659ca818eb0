/**
 * A process that leads a journal through everything that writes: a file of schema 1, its migration, commits, cursors and marks of a feed that takes
 * all, segments dropped with the gaps of one that takes nothing, a clean end and a second life, an erasure, and more commits. It says in the file
 * `marks` what was promised to it and where it is. Arguments: folder, synchronous, rounds. Meant to run under disktrace.c, on virtual time.
 */
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventDraft } from '../../src/base/event.ts';
import { STREAMS } from '../../src/base/event.ts';
import { openSqlite } from '../../src/io/sqlite.ts';
import type { JournalFace } from '../../src/journal/index.ts';
import { configure, migrate, type Synchronous } from '../../src/journal/schema.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SEES_ALL } from '../fakes/entitlement.ts';
import { seededRandom } from '../fakes/random.ts';
import { loopbackStore } from '../fakes/store.ts';
import { virtualJournal } from '../kit/virtual-journal.ts';
import { BUDGET, FREE, type Mark, OLD_EVENTS, PERSON, STREET, type Told } from './promises.ts';

const [folder = '', synchronous = 'FULL', rounds = '150'] = process.argv.slice(2);
const path = join(folder, 'journal.db');
const clock = new VirtualClock(Date.UTC(2026, 10, 24));
const say = (mark: Mark): void => appendFileSync(join(folder, 'marks'), JSON.stringify(mark));

function oldFile(): void {
  const db = openSqlite(path);
  configure(db, synchronous as Synchronous);
  migrate(db, path, 1);
  const body = JSON.stringify({ kind: 'alarm.raised', at: clock.now(), level: 'red', data: { aid: 'old' } });
  const ids = Array.from({ length: OLD_EVENTS }, (_, n) => `01KAT000000000000000000A${String(n).padStart(2, '0')}`);
  db.transaction(() => {
    db.prepare('INSERT INTO meta VALUES (?, ?)').run('epoch', 'aaaaaaaaaaaaaaaa');
    const row = db.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)');
    for (const [n, id] of ids.entries()) row.run(n + 1, id, 'a', 'alarm.raised', clock.now().wall, 'b0', body);
    db.prepare('INSERT INTO states VALUES (?, ?)').run('rule/old', '{"n":1}');
    db.exec(
      'CREATE TABLE tel_1 (position INTEGER PRIMARY KEY, id TEXT, recorded INTEGER, oldest INTEGER, newest INTEGER, count INTEGER, boot TEXT, mono REAL, synced INTEGER, body BLOB)',
    );
    db.prepare('INSERT INTO segments VALUES (1, 41, 41, 1, 1, 1, 0, 0)').run();
    db.prepare('INSERT INTO tel_1 VALUES (41, ?, 0, 0, 0, 1, ?, 0, 1, ?)').run('01KAT000000000000000000B00', 'b0', 'x');
  })();
  say({ ids, state: ['rule/old', 1] });
  db.close();
}

let lives = 0;
async function begin(): Promise<JournalFace> {
  const journal = virtualJournal(path, clock, {
    random: seededRandom(++lives),
    windowMs: 60_000,
    budget: BUDGET,
    startWorker: () => loopbackStore(createOutward(), () => FREE),
    synchronous: synchronous as Synchronous,
  });
  await journal.start();
  journal.onLost(() => say({ phase: 'dropped' }));
  for (const feed of ['street', 'city']) await journal.ledger.open({ ...STREET, ...SEES_ALL, feed });
  return journal;
}

/** What the feed that takes all is given, and takes. */
async function take(journal: JournalFace): Promise<void> {
  for (const stream of STREAMS) {
    const { contract, acked } = await journal.ledger.open({ ...STREET, ...SEES_ALL });
    const { epoch } = contract;
    const some = await journal.ledger.next(
      'street',
      stream,
      { epoch, seq: acked[stream].seq },
      { max: 500, bytes: 1e9 },
    );
    const last = some.at(-1);
    if (last === undefined) continue;
    say({
      members: some.map(({ seq, id, hash, payload }): Told => {
        return { stream, epoch, seq, id, hash, payload: createHash('sha256').update(payload).digest('hex') };
      }),
    });
    journal.ledger.ack('street', stream, { epoch, seq: last.seq });
  }
}

const random = seededRandom(7).next;
let samples = 0;
async function round(journal: JournalFace, n: number, isPersonal = true): Promise<void> {
  const reading = (i: number) => ({ device: 'd', point: `p${i}`, value: Math.round(random() * 1e7) / 1000 });
  const times = () => ({ quality: 'good', ts: clock.now().wall, at: clock.now() }) as const;
  journal.report(Array.from({ length: 200 }, (_, i) => ({ ...reading(i), ...times() })));
  if (isPersonal && n % 10 === 0) journal.reportPersonal([{ ...reading(0), device: 'bed', value: PERSON, ...times() }]);
  const event: EventDraft = {
    kind: n % 2 === 1 ? 'alarm.raised' : 'alarm.cleared',
    at: clock.now(),
    level: 'red',
    data: { n, ...(isPersonal && n % 5 === 0 ? { by: PERSON } : {}) },
  };
  const state = { key: `rule/${n % 5}`, body: JSON.stringify({ n }) };
  const states = [state, ...(isPersonal && n % 5 === 0 ? [{ key: 'form/last', body: PERSON }] : [])];
  const { events } = await journal.commit({ events: [event], alarms: [], states, memory: [] });
  samples += 200 + (isPersonal && n % 10 === 0 ? 1 : 0);
  say({ ids: events.map((e) => e.id), state: [state.key, n], samples });
  if (n % 2 === 0) await take(journal);
  say({ phase: 'housekeeping' });
  await clock.advance(5100);
  say({ phase: 'commits' });
}

say({ phase: 'old file' });
oldFile();
say({ phase: 'migration' });
let journal = await begin();
say({ phase: 'commits' });
const half = Number(rounds) / 2;
for (let n = 1; n <= half; n++) {
  await round(journal, n);
  if (n !== Math.round(half / 2)) continue;
  say({ phase: 'end and second life' });
  await journal.close();
  journal = await begin();
  say({ phase: 'commits' });
}
say({ phase: 'erasure' });
const counts = await journal.erase({ devices: [], points: [], forms: [], person: PERSON, from: 0, to: 1e15 });
say({ erased: counts, phase: 'commits' });
for (let n = half + 1; n <= 2 * half; n++) await round(journal, n, false);
say({ phase: 'the end' });
// No close: nothing may be tidied up.
process.exit(0);
