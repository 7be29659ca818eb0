/**
 * What a device's sender sent already, by the sender's own ids: the newest `most` of them, kept in the journal's memory, so that what is sent again counts
 * once, also after a restart.
 *
 * - Whoever adds an id does so before the house hears of what it stands for: the row then goes to the disk in the same commit as the events that come of it,
 *   so that a power cut leaves both or neither. A plain value is no event: it may be on the disk without its id, and then stands there twice.
 * - A ring of slots, each a row of its own: one is written for each id, and none has to be deleted.
 * - Kept are digests: no row says who sent what.
 */
import { createHash } from 'node:crypto';
import type { Memory } from './told.ts';

export interface TakenEntry {
  /** digest of what was sent under the id; empty where it does not matter */
  readonly content: string;
  /** what was answered */
  readonly answer: string;
}

interface Row extends TakenEntry {
  readonly key: string;
  readonly n: number;
}

export class Taken {
  private readonly memory: Memory;
  private readonly most: number;
  private readonly rows = new Map<string, Row>();
  private next = 0;

  constructor(memory: Memory, most: number) {
    this.memory = memory;
    this.most = most;
    const kept: Row[] = [];
    for (let slot = 0; slot < most; slot++) {
      const row = readRow(memory.get(slotOf(slot)));
      if (row !== undefined && row.n % most === slot) kept.push(row);
    }
    for (const row of kept.sort((a, b) => a.n - b.n)) this.rows.set(row.key, row);
    this.next = (kept.at(-1)?.n ?? -1) + 1;
  }

  get(id: string): TakenEntry | undefined {
    return this.rows.get(digestOf(id));
  }

  add(id: string, entry: TakenEntry = { content: '', answer: '' }): void {
    const row: Row = { ...entry, key: digestOf(id), n: this.next++ };
    this.rows.delete(row.key);
    this.rows.set(row.key, row);
    for (const [key, { n }] of this.rows) {
      if (n > row.n - this.most) break;
      this.rows.delete(key);
    }
    this.memory.set(slotOf(row.n % this.most), JSON.stringify([row.n, row.key, row.content, row.answer]));
  }

  /** Nothing came of it: it may be sent again. */
  drop(id: string): void {
    const row = this.rows.get(digestOf(id));
    if (row === undefined) return;
    this.rows.delete(row.key);
    this.memory.set(slotOf(row.n % this.most), null);
  }
}

const slotOf = (slot: number): string => `taken/${slot}`;

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);

/** What cannot be read is nothing. */
function readRow(body: string | undefined): Row | undefined {
  if (body === undefined) return undefined;
  try {
    const [n, key, content, answer] = JSON.parse(body) as unknown[];
    const isSound = Number.isSafeInteger(n) && [key, content, answer].every((part) => typeof part === 'string');
    return isSound ? ({ n, key, content, answer } as Row) : undefined;
  } catch {
    return undefined;
  }
}
