/**
 * Power cuts, made from a trace of what the store wrote and synced (disktrace.c), rebuilt on a card that loses its power (test/kit/power.ts).
 * The journal must open, hold every commit it answered for, and make the same streams. The same cuts under NORMAL and OFF must find losses: a
 * test that cannot fail proves nothing.
 *
 * Which technique shows what: here, no acknowledged loss at any write and sync, migration, dropped segments, erasure and checkpoint included.
 * faults.test.ts: the n-th write, sync or truncation fails. dead-disk.test.ts: a card that fails under a running gateway, seen from the duty room and the platform. kill.test.ts: the process ends, the page cache lives. order.test.ts: nothing leaves before its sync.
 * src/journal/damage.test.ts: flipped bits. Not shown by any of them: cards that lie about a flush, or lose what they once held.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STREAMS } from '../../src/base/event.ts';
import type { FeedState, OutMessage } from '../../src/base/feed.ts';
import { openSqlite } from '../../src/io/sqlite.ts';
import { createJournal, type JournalFace } from '../../src/journal/index.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { createVerifier } from '../../src/uplink/verifier.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SECRET, SEES_ALL } from '../fakes/entitlement.ts';
import { memoryLog } from '../fakes/log.ts';
import { seededRandom } from '../fakes/random.ts';
import { loopbackStore } from '../fakes/store.ts';
import { type TraceRecord, tracing } from '../kit/disktrace.ts';
import { Card, MODES } from '../kit/power.ts';
import { tempFolder } from '../kit/site.ts';
import { BUDGET, FREE, type Mark, OLD_EVENTS, PERSON, Promises, placeOf, STREET } from './promises.ts';

/** cuts in each phase, at most; a phase of fewer records is cut before each of them */
const IS_NIGHT = process.env.WEINAO_NIGHT !== undefined;
const CUTS = IS_NIGHT ? 600 : 8;
const ROUNDS = 280;
/** what one round may have committed without having said so yet */
const ROUND = 202;
/** events and samples about the person: once erased they are told as such, and no loss any more */
const PERSONAL = ROUNDS / 2 / 5 + ROUNDS / 2 / 10;

function traceOf(script: string, ...args: string[]): TraceRecord[] {
  const folder = tempFolder();
  const { env, read } = tracing(folder);
  const done = spawnSync(process.execPath, [join(import.meta.dirname, script), folder, ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`${script}: ${done.stderr}`);
  return read();
}

const PHASES = [
  'checkpoint',
  'commits',
  'end and second life',
  'erasure',
  'housekeeping',
  'migration',
  'old file',
  'segment dropped',
  'the end',
];

/** what goes on when the database itself is written only by a checkpoint */
const RUNNING = ['commits', 'housekeeping', 'segment dropped'];

const markOf = ({ file, bytes }: TraceRecord): Mark | undefined =>
  file === 'marks' ? (JSON.parse(bytes.toString()) as Mark) : undefined;

/** Numbers of records, by what the process did when it made them. */
function phasesOf(trace: readonly TraceRecord[]): Map<string, number[]> {
  const phases = new Map<string, number[]>();
  let [name, at]: [string, number[]] = ['', []];
  const end = (): void => void phases.set(name, [...(phases.get(name) ?? []), ...at]);
  for (const [i, record] of trace.entries()) {
    const phase = markOf(record)?.phase;
    if (phase === 'dropped') name = 'segment dropped';
    else if (phase !== undefined) {
      end();
      [name, at] = [phase, []];
    }
    if (record.file === 'db' && RUNNING.includes(name))
      phases.set('checkpoint', [...(phases.get('checkpoint') ?? []), i]);
    at.push(i);
  }
  end();
  phases.delete('');
  return phases;
}

function open(folder: string): JournalFace {
  return createJournal({
    path: join(folder, 'journal.db'),
    clock: new VirtualClock(Date.UTC(2030, 0, 1)),
    random: seededRandom(99),
    log: memoryLog(),
    windowMs: 1000,
    secret: SECRET,
    budget: BUDGET,
    onStalled: () => {},
    startWorker: () => loopbackStore(createOutward(), () => FREE),
  });
}

interface Given {
  readonly epoch: string;
  readonly range: FeedState['range'];
  readonly members: readonly OutMessage[];
}

/** Everything a feed can still be given: what it has taken, once more, and what waits for it. */
async function membersOf(journal: JournalFace, feed: string): Promise<Given> {
  const state = await journal.ledger.open({ ...STREET, ...SEES_ALL, feed });
  const { epoch } = state.contract;
  const limit = { max: 400, bytes: 1e9 };
  const members: OutMessage[] = [];
  for (const stream of STREAMS) {
    for (let seq = state.range[stream].first - 1; ; ) {
      const isTaken = seq < state.acked[stream].seq;
      const some = await journal.ledger[isTaken ? 'replay' : 'next'](feed, stream, { epoch, seq }, limit);
      const last = some.at(-1);
      if (last === undefined) break;
      members.push(...some);
      seq = last.seq;
      // The window of members nobody acknowledged is bounded: what was seen is taken.
      if (!isTaken) journal.ledger.ack(feed, stream, { epoch, seq });
    }
  }
  return { epoch, range: state.range, members };
}

const textOf = ({ payload }: OutMessage): string => Buffer.from(payload).toString();

/** The feed that takes all is given what it was given, byte by byte. @returns how many members could be compared */
async function compareStreets(journal: JournalFace, told: Promises, wrong: string[]): Promise<number> {
  const { epoch, range, members } = await membersOf(journal, 'street');
  const found = new Map(members.map((m) => [placeOf({ ...m, epoch }), m]));
  let compared = 0;
  for (const [place, was] of told.members) {
    if (was.epoch !== epoch || was.seq < range[was.stream].first) continue;
    compared++;
    const is = found.get(place);
    if (is === undefined) wrong.push(`member ${place} lost`);
    else if (is.id !== was.id || is.hash !== was.hash) wrong.push(`member ${place} is another one`);
    else if (createHash('sha256').update(is.payload).digest('hex') !== was.payload) {
      const mayBeErased = told.erased || told.phase === 'erasure';
      if (!mayBeErased || !textOf(is).includes('"erased":true')) wrong.push(`member ${place} has other bytes`);
    }
  }
  return compared;
}

/** The feed that takes nothing has everything coming, or is told of it, once. */
async function countCity(journal: JournalFace, told: Promises, wrong: string[]): Promise<void> {
  const { members } = await membersOf(journal, 'city');
  const verifier = createVerifier();
  for (const m of members) verifier.take(`wn/1/city/s/up/${m.stream}`, m.payload);
  const { chain, gaps, dropped, samples } = verifier.summary();
  if (chain !== 'ok' || gaps > 0) wrong.push(`chain ${chain}, gaps ${gaps}`);
  const have = dropped + samples + members.filter((m) => m.type.startsWith('weinao.alarm')).length;
  const committed = told.samples + told.ids.size - OLD_EVENTS;
  const erased = told.erased || told.phase === 'erasure' ? PERSONAL : 0;
  if (committed > 0 && (have < committed - erased || have > committed + ROUND))
    wrong.push(`lost or counted twice: ${committed} events and samples committed, ${have} told`);
  if (told.erased && members.some((m) => textOf(m).includes(PERSON))) wrong.push('what was erased is sent');
}

const grep = (folder: string): string[] =>
  readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(PERSON));

/** Opens the journal as it stands after the cut; tells what is wrong with it. @returns members compared */
async function examine(folder: string, told: Promises, wrong: string[]): Promise<number> {
  if (told.erased && grep(folder).length > 0) wrong.push(`what was erased stands in ${grep(folder)}`);
  const journal = open(folder);
  const facts = await journal.start();
  if (facts.setAside !== undefined) wrong.push(`set aside: ${facts.setAside.why}`);
  const restored = await journal.restore();
  for (const [key, n] of told.states) {
    const row = restored.states.find((s) => s.key === key);
    if (row === undefined || JSON.parse(row.body ?? '{}').n < n) wrong.push(`state ${key} ${n} lost`);
  }
  const compared = await compareStreets(journal, told, wrong);
  await countCity(journal, told, wrong);
  if (told.phase === 'erasure') {
    // An erasure that was cut off was not answered; asked again, it goes on where it was.
    await journal.erase({ devices: [], points: [], forms: [], person: PERSON, from: 0, to: 1e15 });
    if (grep(folder).length > 0) wrong.push(`erased again, and stands in ${grep(folder)}`);
  }
  await journal.close();
  const db = openSqlite(join(folder, 'journal.db'));
  // The oldest may have been dropped, which the feed was told; then everything before them was, too.
  const rows = new Set(db.prepare('SELECT id FROM rows').pluck().all());
  const ids = [...told.ids];
  const kept = ids.slice(ids.findIndex((id) => rows.has(id)));
  for (const id of kept) if (!rows.has(id)) wrong.push(`event ${id} lost`);
  const check = db.pragma('integrity_check', { simple: true });
  if (check !== 'ok') wrong.push(String(check));
  db.close();
  return compared;
}

interface Found {
  readonly wrong: string[];
  images: number;
  compared: number;
}

/** Cuts in every phase, spread over its records, in all modes. */
async function cutAll(trace: readonly TraceRecord[], each: number): Promise<Found> {
  const random = seededRandom(20261124).next;
  const cuts = new Set<number>();
  for (const at of phasesOf(trace).values())
    for (let i = 0; i < Math.min(each, at.length); i++)
      cuts.add(at[Math.floor(((i + random()) / Math.min(each, at.length)) * at.length)] ?? 0);
  // The instant an erasure was answered.
  cuts.add(1 + trace.findIndex((record) => markOf(record)?.erased !== undefined));
  const card = new Card(trace);
  const told = new Promises();
  const found: Found = { wrong: [], images: 0, compared: 0 };
  const folder = join(tempFolder(), 'image');
  let said = 0;
  for (const cut of [...cuts].sort((x, y) => x - y)) {
    for (; said < cut; said++) told.take(markOf(trace[said] as TraceRecord) ?? {});
    for (const mode of MODES) {
      const { db, wal } = card.cut(cut, mode, random);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      writeFileSync(join(folder, 'journal.db'), db);
      writeFileSync(join(folder, 'journal.db-wal'), wal);
      const wrong: string[] = [];
      found.compared += await examine(folder, told, wrong).catch((error: unknown) => {
        wrong.push(`fails: ${error}`);
        return 0;
      });
      found.images++;
      found.wrong.push(...wrong.map((w) => `cut ${cut} of ${trace.length} (${told.phase}), ${mode}: ${w}`));
    }
  }
  return found;
}

describe('power cuts', () => {
  it('under FULL lose nothing that was answered for', { timeout: 3_600_000 }, async () => {
    const trace = traceOf('life.ts', 'FULL', String(ROUNDS));
    const phases = phasesOf(trace);
    expect([...phases.keys()].sort()).toEqual(PHASES);
    const { wrong, images, compared } = await cutAll(trace, CUTS);
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(images).toBeGreaterThan(IS_NIGHT ? 6000 : 150);
    expect(compared).toBeGreaterThan(images);
  });

  it.each(['NORMAL', 'OFF'])('under %s lose commits: the cuts can find it', { timeout: 300_000 }, async (level) => {
    const { wrong } = await cutAll(traceOf('life.ts', level, '60'), 4);
    expect(wrong.filter((w) => w.includes('lost')).length).toBeGreaterThan(0);
  });
});

describe('what one commit costs', () => {
  it('one sync, and few pages', { timeout: 60_000 }, () => {
    const trace = traceOf('workload.ts', 'FULL', '100');
    const costs: { syncs: number; bytes: number; checkpoint: boolean }[] = [];
    let cost = { syncs: 0, bytes: 0, checkpoint: false };
    let counting = false;
    for (const { kind, file, bytes } of trace) {
      if (file === 'marks') {
        if (counting) costs.push(cost);
        counting = true;
        cost = { syncs: 0, bytes: 0, checkpoint: false };
      } else if (file === 'db') cost.checkpoint = true;
      else if (file === 'wal' && kind === 'sync') cost.syncs++;
      else if (file === 'wal' && kind === 'write') cost.bytes += bytes.length;
    }
    const plain = costs.filter((c) => !c.checkpoint);
    expect(plain.length).toBeGreaterThan(80);
    // Two events, a rule state and a group of 20 readings in one transaction.
    expect(Math.max(...plain.map((c) => c.syncs))).toBe(1);
    const median = plain.map((c) => c.bytes).sort((a, b) => a - b)[Math.floor(plain.length / 2)] ?? 0;
    expect(median).toBeLessThanOrEqual(10 * 4120);
  });
});
