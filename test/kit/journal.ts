/** Journals of tests: the real store in the same thread, on virtual time, in a folder that goes with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { EventDraft, Stream } from '../../src/base/event.ts';
import type { FeedDemand, OutMessage } from '../../src/base/feed.ts';
import type { Commit } from '../../src/base/journal.ts';
import type { Reading } from '../../src/base/reading.ts';
import type { JournalFace } from '../../src/journal/index.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SEES_ALL } from '../fakes/entitlement.ts';
import { seededRandom } from '../fakes/random.ts';
import { type LoopbackStore, loopbackStore } from '../fakes/store.ts';
import { virtualJournal } from './virtual-journal.ts';

export const newPath = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'weinao-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'journal.db');
};

export interface Bench {
  readonly journal: JournalFace;
  readonly clock: VirtualClock;
  readonly store: LoopbackStore;
  readonly stalled: Commit[];
  readonly seed: number;
}
let seeds = 0;
/** @param free bytes the disk has left */
export function open(path: string, clock = new VirtualClock(), budget = 2 * 1024 ** 3, free?: () => number): Bench {
  const stalled: Commit[] = [];
  const seed = ++seeds;
  let store: LoopbackStore | undefined;
  const journal = virtualJournal(path, clock, {
    random: seededRandom(seed),
    budget,
    onStalled: (waiting) => void stalled.push(...waiting),
    startWorker: () => {
      store = loopbackStore(createOutward(), free);
      return store;
    },
  });
  return {
    journal,
    clock,
    stalled,
    seed,
    get store() {
      if (store === undefined) throw new Error('not started');
      return store;
    },
  };
}

export const draft = (n: number, clock: VirtualClock): EventDraft => ({
  kind: 'alarm.raised',
  subject: `d${n}`,
  at: clock.now(),
  level: 'red',
  correlation: `aid${n}`,
  data: { aid: `aid${n}`, n, text: '水位 {level}', values: { level: n } },
});
export const work = (...events: EventDraft[]): Commit => ({ events, alarms: [], states: [], memory: [] });
export const reading = (n: number, clock: VirtualClock): Reading => ({
  device: 'd',
  point: 'p',
  value: n,
  quality: 'good',
  ts: clock.now().wall,
  at: clock.now(),
});
export const DEMAND: FeedDemand = {
  feed: 'street',
  source: 'urn:weinao:s:g',
  ...SEES_ALL,
  encoding: 'json',
  keepMs: 86_400_000,
  priority: 5,
};
export const ALL = { max: 1000, bytes: 10_000_000 };
export async function members(journal: JournalFace, stream: Stream, seq: number): Promise<readonly OutMessage[]> {
  const { epoch } = (await journal.ledger.open(DEMAND)).contract;
  return journal.ledger.next('street', stream, { epoch, seq }, ALL);
}
export async function ackAlarms(journal: JournalFace, seq: number): Promise<void> {
  const { epoch } = (await journal.ledger.open(DEMAND)).contract;
  journal.ledger.ack('street', 'a', { epoch, seq });
}
/** A journal so small that its segments are, too. */
export const SMALL = 1024 ** 2;
/** Groups of one reading each, whose value is their number. */
export async function fill(b: Bench, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) {
    b.journal.report([reading(n, b.clock)]);
    await b.journal.flush();
  }
}
/** Groups of a hundred readings that no packing makes small; about 1.3 KB each. */
export async function noise(b: Bench, groups: number): Promise<void> {
  for (let n = 0; n < groups; n++) {
    for (let i = 0; i < 100; i++)
      b.journal.report([{ ...reading(0, b.clock), value: ((n + 1) * (i + 1) * 7919.1379) % 9973, point: `p${i}` }]);
    await b.journal.flush();
  }
}
export async function takeAll(b: Bench, feed: string, stream: Stream): Promise<OutMessage[]> {
  const all: OutMessage[] = [];
  for (;;) {
    const { contract, acked } = await b.journal.ledger.open({ ...DEMAND, feed, keepMs: 10 * 86_400_000 });
    const some = await b.journal.ledger.next(feed, stream, { epoch: contract.epoch, seq: acked[stream].seq }, ALL);
    all.push(...some);
    const last = some.at(-1);
    if (last === undefined) return all;
    b.journal.ledger.ack(feed, stream, { epoch: contract.epoch, seq: last.seq });
  }
}
export const text = (m: OutMessage): string => new TextDecoder().decode(m.payload);
