/**
 * Power cuts, made from a trace of what the store wrote and synced. At each cut every file holds what its last sync covered, and of the writes
 * behind it nothing, the first ones, or some torn in the middle of a sector row. The journal must open, hold every commit it answered for, and
 * make the same streams. The same cuts under NORMAL and OFF must find losses: a test that cannot fail proves nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/io/sqlite.ts';
import { createJournal } from '../../src/journal/index.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { createVerifier } from '../../src/uplink/verifier.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SECRET, SEES_ALL } from '../fakes/entitlement.ts';
import { memoryLog } from '../fakes/log.ts';
import { seededRandom } from '../fakes/random.ts';
import { loopbackStore } from '../fakes/store.ts';
import { type TraceRecord, tracing } from '../kit/disktrace.ts';
import { tempFolder } from '../kit/site.ts';

const SECTOR = 512;
const CUTS = process.env.WEINAO_NIGHT === undefined ? 300 : 3000;
const MODES = ['lost', 'prefix', 'torn'] as const;
type Mode = (typeof MODES)[number];

interface Promised {
  readonly ids: ReadonlySet<string>;
  readonly states: ReadonlyMap<string, number>;
}

function traceOf(synchronous: string, commits: number): TraceRecord[] {
  const folder = tempFolder();
  const { env, read } = tracing(folder);
  const script = join(import.meta.dirname, 'workload.ts');
  const done = spawnSync(process.execPath, [script, folder, synchronous, String(commits)], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`workload: ${done.stderr}`);
  return read();
}

/** What the process was told to be durable before record `cut`. */
function promised(trace: readonly TraceRecord[], cut: number): Promised {
  const ids = new Set<string>();
  const states = new Map<string, number>();
  for (const { file, bytes } of trace.slice(0, cut)) {
    if (file !== 'marks') continue;
    const said = JSON.parse(bytes.toString()) as { ids?: string[]; state?: [string, number] };
    for (const id of said.ids ?? []) ids.add(id);
    if (said.state !== undefined) states.set(...said.state);
  }
  return { ids, states };
}

/** The bytes of a file after a cut before record `cut`. */
function fileAt(
  trace: readonly TraceRecord[],
  file: 'db' | 'wal',
  cut: number,
  mode: Mode,
  random: () => number,
): Buffer {
  const own = trace.slice(0, cut).filter((r) => r.file === file);
  const synced = own.findLastIndex((r) => r.kind === 'sync');
  const image = Buffer.alloc(Math.max(0, ...own.map((r) => r.offset + r.bytes.length)));
  let size = 0;
  const resize = (to: number): void => {
    image.fill(0, Math.min(size, to), Math.max(size, to));
    size = to;
  };
  const apply = ({ kind, offset, bytes }: TraceRecord, part = bytes.length): void => {
    if (kind === 'unlink') resize(0);
    if (kind === 'truncate') resize(offset);
    if (kind !== 'write' || part === 0) return;
    bytes.copy(image, offset, 0, part);
    size = Math.max(size, offset + part);
  };
  for (const record of own.slice(0, synced + 1)) apply(record);
  const unsynced = own.slice(synced + 1);
  if (mode === 'prefix')
    for (const record of unsynced.slice(0, Math.floor(random() * (unsynced.length + 1)))) apply(record);
  if (mode === 'torn')
    for (const record of unsynced) {
      const sectors = Math.ceil(record.bytes.length / SECTOR);
      // A card writes what it likes in any order: some whole, some in part, some not at all.
      if (random() < 0.7) apply(record, Math.min(record.bytes.length, Math.floor(random() * (sectors + 1)) * SECTOR));
    }
  return image.subarray(0, size);
}

/** Opens the journal as it stands after the cut; tells what is wrong with it. */
async function examine(folder: string, { ids, states }: Promised): Promise<string[]> {
  const journal = createJournal({
    path: join(folder, 'journal.db'),
    clock: new VirtualClock(Date.UTC(2030, 0, 1)),
    random: seededRandom(1),
    log: memoryLog(),
    windowMs: 1000,
    secret: SECRET,
    onStalled: () => {},
    startWorker: () => loopbackStore(createOutward()),
  });
  const wrong: string[] = [];
  const facts = await journal.start();
  if (facts.setAside !== undefined) wrong.push(`set aside: ${facts.setAside.why}`);
  const restored = await journal.restore();
  for (const [key, n] of states) {
    const row = restored.states.find((s) => s.key === key);
    if (row === undefined || JSON.parse(row.body ?? '{}').n < n) wrong.push(`state ${key} ${n} lost`);
  }
  const demand = { feed: 'street', source: 'urn:weinao:s:g', ...SEES_ALL } as const;
  const { contract } = await journal.ledger.open({ ...demand, encoding: 'json', keepMs: 86_400_000, priority: 5 });
  const verifier = createVerifier();
  const found = new Set<string>();
  for (const stream of ['a', 't'] as const) {
    for (let seq = 0; ; ) {
      const some = await journal.ledger.next(
        'street',
        stream,
        { epoch: contract.epoch, seq },
        { max: 500, bytes: 1e9 },
      );
      if (some.length === 0) break;
      for (const m of some) {
        verifier.take(`wn/1/street/s/up/${stream}`, m.payload);
        found.add(m.id);
        seq = m.seq;
      }
      // The window of members nobody acknowledged is bounded: what was seen is taken.
      journal.ledger.ack('street', stream, { epoch: contract.epoch, seq });
    }
  }
  for (const id of ids) if (!found.has(id)) wrong.push(`event ${id} lost`);
  const { chain, gaps } = verifier.summary();
  if (chain !== 'ok' || gaps > 0) wrong.push(`chain ${chain}, gaps ${gaps}`);
  await journal.close();
  const db = openSqlite(join(folder, 'journal.db'));
  const check = db.pragma('integrity_check', { simple: true });
  if (check !== 'ok') wrong.push(String(check));
  db.close();
  return wrong;
}

/** Cuts the trace at many points, in all modes; gives what was wrong, by cut. */
async function cutAll(trace: readonly TraceRecord[], cuts: number): Promise<string[]> {
  const random = seededRandom(20261124).next;
  const wrong: string[] = [];
  const root = tempFolder();
  for (let i = 0; i < cuts; i++) {
    const cut = 1 + Math.floor(((i + random()) / cuts) * trace.length);
    for (const mode of MODES) {
      const folder = join(root, `${i}${mode}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'journal.db'), fileAt(trace, 'db', cut, mode, random));
      writeFileSync(join(folder, 'journal.db-wal'), fileAt(trace, 'wal', cut, mode, random));
      const found = await examine(folder, promised(trace, cut));
      wrong.push(...found.map((w) => `cut ${cut} of ${trace.length}, ${mode}: ${w}`));
    }
  }
  return wrong;
}

describe('power cuts', () => {
  it(`under FULL lose nothing that was answered for (${CUTS * MODES.length} cuts)`, { timeout: 900_000 }, async () => {
    const trace = traceOf('FULL', 250);
    const marks = trace.filter((r) => r.file === 'marks').length;
    expect(marks).toBe(252);
    // The workload is long enough to checkpoint: the database's own pages are written too.
    expect(trace.filter((r) => r.file === 'db' && r.kind === 'sync').length).toBeGreaterThan(0);
    expect(await cutAll(trace, CUTS)).toEqual([]);
  });

  it.each(['NORMAL', 'OFF'])('under %s lose commits: the cuts can find it', { timeout: 300_000 }, async (level) => {
    const wrong = await cutAll(traceOf(level, 120), 30);
    expect(wrong.filter((w) => w.includes('lost')).length).toBeGreaterThan(0);
  });
});

describe('what one commit costs', () => {
  it('one sync, and few pages', { timeout: 60_000 }, () => {
    const trace = traceOf('FULL', 100);
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
