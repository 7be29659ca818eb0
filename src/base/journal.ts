/**
 * The journal as its neighbours see it. The store itself lives in a worker thread; every call here returns at once or as a promise, and
 * the caller never waits for the disk unless it asks to.
 */
import type { Alarm } from './alarm.ts';
import type { EventDraft, StoredEvent } from './event.ts';
import type { Reading } from './reading.ts';

/** Everything that must become true together: one transaction. Events are appended in order. */
export interface Commit {
  readonly events: readonly EventDraft[];
  readonly alarms: readonly Alarm[];
  readonly states: readonly StateRow[];
  readonly memory: readonly MemoryRow[];
}

/** A small persisted state of a rule instance, timer or operator; `body: null` deletes it. */
export interface StateRow {
  readonly key: string;
  readonly body: string | null;
}

/** A driver's small memory, keyed by device; `body: null` deletes it. */
export interface MemoryRow {
  readonly device: string;
  readonly key: string;
  readonly body: string | null;
}

export interface Committed {
  /** false when the file could not take it and an in-memory journal did (new epoch, technical alarm) */
  readonly durable: boolean;
  readonly events: readonly StoredEvent[];
}

export interface JournalFacts {
  /** 16 hex digits, new whenever the file is new, restored or set aside */
  readonly epoch: string;
  readonly boot: string;
  readonly durable: boolean;
  /** next position to be given */
  readonly head: number;
  /** newest recorded time in the file, UTC ms: the floor of the wall clock at boot */
  readonly newest: number;
  /** what happened to an older file at boot, if anything */
  readonly setAside?: { readonly path: string; readonly why: string };
  readonly counters: Readonly<Record<string, number>>;
}

/** What was open when the process ended: alarms and rule states are restored from here. */
export interface Restored {
  readonly alarms: readonly Alarm[];
  readonly states: readonly StateRow[];
  readonly memory: readonly MemoryRow[];
}

export interface Journal {
  restore(): Promise<Restored>;
  /** At once, under FULL, with all pending telemetry. Resolves after the sync; rejects only when nothing at all could take it. */
  commit(work: Commit): Promise<Committed>;
  /** Adds readings to the telemetry of the current window. Bounded: beyond the bound the oldest group is dropped and counted. */
  report(readings: readonly Reading[]): void;
  /** Personal readings: on the disk at once, in rows of their own that can be erased alone. */
  reportPersonal(readings: readonly Reading[]): void;
  /** Commits pending telemetry now. */
  flush(): Promise<void>;
  facts(): Promise<JournalFacts>;
  /** Called after each commit with the new head position. */
  onHead(listener: (head: number) => void): () => void;
  /** monotonic time of the last commit that returned; fed to the watchdog */
  lastCommit(): number;
  close(): Promise<void>;
}
