/** What the parts of a world share while a step runs. */
import type { StateRow } from '../../base/journal.ts';
import type { Value } from '../../base/reading.ts';
import type { Effect } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';
import type { Wheel } from './heap.ts';

/** Somebody with a due time. */
export interface Timed {
  fire(step: Step): void;
}

/** One step: its moment, and what came of it. */
export class Step {
  readonly now: Instant;
  readonly effects: Effect[] = [];

  constructor(now: Instant) {
    this.now = now;
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  state(key: string, body: unknown): void {
    const row: StateRow = { key, body: body === null ? null : JSON.stringify(body) };
    this.effects.push({ kind: 'state', row });
  }
}

/** The newest of a point. */
export interface Slot {
  readonly id: string;
  seen: boolean;
  known: boolean;
  uncertain: boolean;
  value: Value | null;
  /** event time: UTC ms, and monotonic ms */
  ts: number;
  t: number;
}

export interface Waking {
  readonly states: ReadonlyMap<string, string | null>;
  readonly now: Instant;
  readonly downSince: number | undefined;
}

export type Clockwork = Wheel<Timed>;

/** A saved row; undefined when there is none or it is not what we write. */
export function parseRow<T>(waking: Waking, key: string): T | undefined {
  const body = waking.states.get(key);
  if (body === undefined || body === null) return undefined;
  try {
    return JSON.parse(body) as T;
  } catch {
    return undefined;
  }
}
