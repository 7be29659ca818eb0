/**
 * A device that answers with whole items: a data identifier in, named fields out (DL/T 645, CJ/T 188, M-Bus). The polling of such a device, so
 * that a driver only brings how one item is asked for and read.
 *
 * - Points of one item share one question; each question is a turn of its own.
 * - A refused item makes only its points bad. After a silence the rest of the poll is not tried.
 * - A reply given up may still come, and it names its item but not its question. Before an item is asked again after that, another one is: the
 *   device answers in order, so what answers the other one is behind everything older. What may answer an older question of the same item is taken
 *   for that one's, and a refusal, which names nothing, for the oldest's.
 * Not promised: a device that answers out of order, or after more than a minute.
 */
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import { PRIORITY, type Priority } from '../base/line.ts';
import type { Value } from '../base/reading.ts';
import { conversion } from '../base/units.ts';
import type { Driver, DriverContext, Identity, PollResult, RawReading, Turn } from './driver.ts';

/** A field of an item as the device gave it; null = not available, or bytes that make no sense. */
export interface FieldValue {
  readonly name: string;
  readonly value: number | string | null;
  /** UCUM */
  readonly unit?: string;
  /** the device itself doubts it: measured during an error */
  readonly doubtful?: boolean;
}

/** Where a point stands: an item and a field of it; without a field the item's first. */
export interface ItemPoint {
  readonly id: string;
  readonly item: string;
  readonly field?: string | undefined;
  /** one bit of a field of bits, 0 = lowest */
  readonly bit?: number | undefined;
  /** the point's unit; a meter that answers in another one of its dimension is converted */
  readonly unit?: string | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export interface ItemReader {
  /** Throws link.* and device.* errors. */
  read(turn: Turn, item: string): Promise<readonly FieldValue[]>;
  /** items any such device answers or refuses, for telling old replies from new ones */
  readonly others: readonly string[];
}

export function createItemDriver(context: DriverContext, points: readonly ItemPoint[], reader: ItemReader): Driver {
  return new ItemDriver(context, points, reader);
}

const MOST_UNANSWERED = 32;
/** no reply comes later than this */
const LATEST_MS = 60_000;

class ItemDriver implements Driver {
  private readonly context: DriverContext;
  private readonly points: ReadonlyMap<string, ItemPoint>;
  private readonly reader: ItemReader;
  /** questions asked in vain, oldest first */
  private readonly unanswered: { readonly item: string; readonly at: number }[] = [];

  constructor(context: DriverContext, points: readonly ItemPoint[], reader: ItemReader) {
    this.context = context;
    this.points = new Map(points.map((p) => [p.id, p]));
    this.reader = reader;
  }

  async probe(signal: AbortSignal): Promise<Identity> {
    const { faults } = await this.poll([...this.points.keys()].slice(0, 1), signal);
    const error = faults[0]?.error;
    if (error === undefined || error.code === 'device.refused_item') return { present: true };
    return { present: false, says: error.tell('en').says };
  }

  async poll(ids: readonly string[], signal: AbortSignal): Promise<PollResult> {
    const readings: RawReading[] = [];
    const faults: { point: string; error: WeinaoError }[] = [];
    let silent: WeinaoError | undefined;
    for (const [item, points] of this.byItem(ids)) {
      const error = silent ?? (await this.pollItem(item, points, signal, readings));
      if (error === undefined) continue;
      for (const { id } of points) faults.push({ point: id, error });
      if (error.code === 'link.timeout' || error.code === 'link.closed' || error.code === 'link.open_failed')
        silent = error;
    }
    return { readings, faults };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private byItem(ids: readonly string[]): Map<string, ItemPoint[]> {
    const items = new Map<string, ItemPoint[]>();
    for (const id of ids) {
      const point = this.points.get(id);
      if (point === undefined) continue;
      const together = items.get(point.item);
      if (together === undefined) items.set(point.item, [point]);
      else together.push(point);
    }
    return items;
  }

  private async pollItem(
    item: string,
    points: readonly ItemPoint[],
    signal: AbortSignal,
    readings: RawReading[],
  ): Promise<WeinaoError | undefined> {
    try {
      const values = await this.fresh(item, priorityOf(points, this.context), signal);
      for (const point of points) readings.push(pick(point, values));
      return undefined;
    } catch (error) {
      if (!isWeinaoError(error)) throw error;
      return error;
    }
  }

  private async fresh(item: string, priority: Priority, signal: AbortSignal): Promise<readonly FieldValue[]> {
    for (let tries = 0; this.isAwaited(item) && this.othersThan(item).length > 0; tries++) {
      if (tries > MOST_UNANSWERED) throw new WeinaoError('device.nonsense', { detail: `${item}: answers without end` });
      await this.askOther(item, priority, signal);
    }
    return this.ask(item, priority, signal);
  }

  /** One of another item; refused or not, it is an answer. */
  private async askOther(item: string, priority: Priority, signal: AbortSignal): Promise<void> {
    const others = this.othersThan(item);
    const other = others.find((o) => !this.isAwaited(o)) ?? others[0];
    if (other === undefined) return;
    try {
      await this.ask(other, priority, signal);
    } catch (error) {
      if (!isWeinaoError(error, 'device.refused_item') && !isWeinaoError(error, 'device.nonsense')) throw error;
    }
  }

  private othersThan(item: string): string[] {
    const known = [...new Set([...this.points.values()].map((p) => p.item)), ...this.reader.others];
    return known.filter((other) => other !== item);
  }

  private isAwaited(item: string): boolean {
    const since = this.context.clock.mono() - LATEST_MS;
    while ((this.unanswered[0]?.at ?? since) < since) this.unanswered.shift();
    return this.unanswered.some((question) => question.item === item);
  }

  private async ask(item: string, priority: Priority, signal: AbortSignal): Promise<readonly FieldValue[]> {
    try {
      const values = await this.context.line.turn(priority, signal, (turn) => this.reader.read(turn, item));
      this.answered(item, this.oldestOf(item));
      return values;
    } catch (error) {
      const givenUp = ['link.timeout', 'link.bad_frame', 'link.cancelled'] as const;
      if (isWeinaoError(error, 'device.refused_item')) this.answered(item, this.unanswered.length > 0 ? 0 : -1);
      else if (isWeinaoError(error, 'device.nonsense')) this.answered(item, this.oldestOf(item));
      else if (givenUp.some((code) => isWeinaoError(error, code))) this.wait(item);
      throw error;
    }
  }

  private oldestOf(item: string): number {
    return this.unanswered.findIndex((question) => question.item === item);
  }

  /** @param oldest of the waiting questions, the first this may be the answer to; then the newest still waits. -1 = it can only be the newest's */
  private answered(item: string, oldest: number): void {
    if (oldest < 0) this.unanswered.length = 0;
    else {
      this.unanswered.splice(0, oldest + 1);
      this.wait(item);
    }
  }

  private wait(item: string): void {
    this.unanswered.push({ item, at: this.context.clock.mono() });
    if (this.unanswered.length > MOST_UNANSWERED) this.unanswered.shift();
  }
}

function priorityOf(points: readonly ItemPoint[], context: DriverContext): Priority {
  let best: Priority = 'poll';
  for (const { id } of points) {
    const wanted = context.priority(id);
    if (PRIORITY[wanted] > PRIORITY[best]) best = wanted;
  }
  return best;
}

/** A point's value out of its item's fields. */
export function pick(point: ItemPoint, values: readonly FieldValue[]): RawReading {
  const { id, bit, min, max } = point;
  const field = point.field === undefined ? values[0] : values.find((v) => v.name === point.field);
  const raw = field?.value ?? null;
  if (raw === null) return { point: id, value: null, why: 'nan' };
  if (bit !== undefined && typeof raw !== 'number') return { point: id, value: null, why: 'range' };
  const told = typeof raw === 'number' ? inUnit(raw, field?.unit, point.unit) : raw;
  if (told === undefined) return { point: id, value: null, why: 'range' };
  const value: Value = bit === undefined || typeof raw !== 'number' ? told : Math.floor(raw / 2 ** bit) % 2 === 1;
  if (typeof value === 'number' && (value < (min ?? value) || value > (max ?? value)))
    return { point: id, value: null, why: 'range' };
  return field?.doubtful === true ? { point: id, value: null, why: 'device' } : { point: id, value };
}

/** Undefined when the two units measure different things. Twelve digits: more than any meter shows. */
function inUnit(value: number, from: string | undefined, to: string | undefined): number | undefined {
  if (from === undefined || to === undefined || from === to) return value;
  const how = conversion(from, to);
  return how === undefined ? undefined : Number((value * how.scale + how.offset).toPrecision(12));
}
