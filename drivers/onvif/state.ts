/**
 * What a camera sees, out of what it says: the state of each point, and its changes.
 *
 * A property is a topic with its Source and Key (Core 25.12, 9.5). `Initialized` is a state and no happening; the same again is nothing; `Deleted` and an empty
 * Message clear. Where the end never comes it is made: after the row's time, after the owner's, or, for what does not last (topics.ts) and as long as a
 * topic was never heard to change to false, after NEVER_FALSE. A point is on while one of its properties is. When the camera is lost nothing is known any more, and nothing is false.
 * The event time is the moment it was heard.
 * Bounds: MOST_PROPERTIES; a plain event is told within a budget (RATE, BURST), beyond which several are one; of one answer each point tells all
 * its changes within that budget, beyond it that it was on, and what it is at last.
 */

import { Bucket } from '../../src/base/bucket.ts';
import type { Clock, Timer } from '../../src/base/ports.ts';
import type { Value } from '../../src/base/reading.ts';
import type { RawReading } from '../../src/kit/driver.ts';
import type { Notification } from './codec.ts';
import { meaningOf, readBool, readNumber } from './meaning.ts';
import type { CameraPoint } from './schema.ts';
import { KINDS, type Kind, type KindName, type TopicTable, withoutPrefixes } from './topics.ts';

const MOST_PROPERTIES = 1000;
/** properties of single objects: their end gets lost with a full queue */
const OBJECT_MS = 600_000;
const NEVER_FALSE = 60_000;
const RATE = 20;
const BURST = 100;
const MOST_UNKNOWN = 50;
const MOST_TOPICS = 200;

export interface StatePoint extends CameraPoint {
  readonly id: string;
  /** told only when it happens: what was so before is no happening */
  readonly isEvent: boolean;
}

interface Property {
  readonly topic: string;
  readonly sources: readonly string[];
  readonly values: Map<KindName, boolean | number>;
  /** for points that name a topic */
  data: Readonly<Record<string, string>>;
  /** monotonic ms at which it is over by itself */
  over: number | undefined;
}

interface PointState {
  readonly point: StatePoint;
  /** undefined: not known */
  value: Value | undefined;
  /** as it was known last */
  known: Value | undefined;
  /** when it was told, wall ms */
  at: number;
}

export interface StateCounts {
  /** messages heard; repeats that were nothing new; plain events that were told as one */
  messages: number;
  repeats: number;
  merged: number;
}

export class CameraState {
  readonly counts: StateCounts = { messages: 0, repeats: 0, merged: 0 };
  /** topics no row knows, and how often they came */
  readonly unknown = new Map<string, number>();
  private readonly clock: Clock;
  private readonly table: TopicTable;
  private readonly points: readonly PointState[];
  private readonly items: readonly string[];
  private readonly tell: (readings: readonly RawReading[]) => void;
  private readonly onUnknown: (topic: string) => void;
  private readonly properties = new Map<string, Property>();
  private readonly saysFalse = new Set<string>();
  private readonly bucket: Bucket;
  private timer: Timer | undefined;
  private out: { point: PointState; value: Value }[] = [];

  constructor(deps: {
    readonly clock: Clock;
    readonly table: TopicTable;
    readonly points: readonly StatePoint[];
    /** personal items the owner named */
    readonly items: readonly string[];
    /** changes that come without a message: what is over by itself */
    readonly tell: (readings: readonly RawReading[]) => void;
    readonly onUnknown: (topic: string) => void;
  }) {
    this.clock = deps.clock;
    this.table = deps.table;
    this.points = deps.points.map((point) => ({ point, value: undefined, known: undefined, at: 0 }));
    this.items = deps.items;
    this.tell = deps.tell;
    this.onUnknown = deps.onUnknown;
    this.bucket = new Bucket(RATE, BURST, this.clock.mono());
  }

  /** What the messages of one answer change. */
  take(messages: readonly Notification[]): readonly RawReading[] {
    for (const message of messages) this.one(message);
    this.arm();
    return this.flush();
  }

  /** What is known, for a poll. */
  readings(points: readonly string[]): readonly RawReading[] {
    return this.points.flatMap(({ point, value, at }) =>
      value === undefined || !points.includes(point.id)
        ? []
        : [{ point: point.id, value, ...(point.isEvent ? { ts: at } : {}) }],
    );
  }

  /** Nothing is known any more. */
  lost(): void {
    this.stop();
    this.properties.clear();
    for (const state of this.points) state.value = undefined;
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private one(message: Notification): void {
    this.counts.messages++;
    const { row, findings } = meaningOf(message, this.table);
    if (row === undefined && findings.length === 0) this.meet(message.topic);
    if (message.isEmpty && row?.reads !== 'always') return this.clearTopic(message.topic);
    const key = keyOf(message);
    if (message.operation === 'Deleted') return this.drop(key);
    const isPlain = message.operation === null && row?.reads === 'always';
    const property = this.properties.get(key) ?? this.added(key, message);
    const before = new Map(property.values);
    const isNew = findings.some(({ kind, value }) => before.get(kind) !== value);
    const isSame = !isNew && sameData(property.data, message.data);
    property.data = message.data;
    for (const { kind, value } of findings) {
      property.values.set(kind, value);
      if (value === false && message.operation !== 'Initialized' && this.saysFalse.size < MOST_TOPICS)
        this.saysFalse.add(message.topic);
    }
    this.endLater(property, message, row?.clearMs);
    if (isPlain && !isNew && findings.length > 0) return this.pulse(property, message);
    if (isSame) this.counts.repeats++;
    else this.update(property, message);
  }

  /** One more of what is told only when it happens: off and on again, where the budget allows. */
  private pulse(property: Property, message: Notification): void {
    if (!this.bucket.take(this.clock.mono())) {
      this.counts.merged++;
      return;
    }
    for (const state of this.points)
      if (state.value === true && this.concerns(state.point, property)) {
        this.set(state, false);
        this.set(state, true);
      }
    this.update(property, message);
  }

  private added(key: string, { topic, source }: Notification): Property {
    if (this.properties.size >= MOST_PROPERTIES) this.makeRoom();
    const property: Property = {
      topic,
      sources: Object.values(source),
      values: new Map(),
      data: {},
      over: undefined,
    };
    this.properties.set(key, property);
    return property;
  }

  /** What is off can go without a word; else the oldest. */
  private makeRoom(): void {
    for (const [key, { values }] of this.properties)
      if (![...values.values()].includes(true)) {
        this.properties.delete(key);
        return;
      }
    const [oldest] = this.properties.keys();
    if (oldest !== undefined) this.drop(oldest);
  }

  private endLater(property: Property, message: Notification, rowMs: number | undefined): void {
    const on = [...property.values].flatMap(([kind, value]) => (value === true ? [kind] : []));
    const own = this.points.find((s) => s.point.clear !== undefined && this.concerns(s.point, property))?.point.clear;
    const object = Object.keys(message.key).length > 0 ? OBJECT_MS : undefined;
    const isTrusted = this.saysFalse.has(message.topic) || on.some((kind) => lasts(kind));
    const ms = own ?? rowMs ?? (isTrusted ? object : NEVER_FALSE);
    property.over = on.length > 0 && ms !== undefined ? this.clock.mono() + ms : undefined;
  }

  private drop(key: string): void {
    const property = this.properties.get(key);
    if (property === undefined) return;
    this.properties.delete(key);
    for (const kind of property.values.keys()) property.values.set(kind, false);
    this.update(property, undefined);
  }

  private clearTopic(topic: string): void {
    for (const property of this.properties.values()) if (property.topic === topic) this.end(property);
  }

  private end(property: Property): void {
    property.over = undefined;
    property.data = {};
    for (const [kind, value] of property.values) if (value === true) property.values.set(kind, false);
    this.update(property, undefined);
  }

  /** @param message undefined: it ended without one */
  private update(property: Property, message: Notification | undefined): void {
    for (const state of this.points) {
      if (!this.concerns(state.point, property)) continue;
      const value = this.valueOf(state.point, property);
      if (value === undefined || value === state.value) continue;
      this.change(state, value, message);
    }
  }

  private change(state: PointState, value: Value, message: Notification | undefined): void {
    const isFirst = state.known === undefined;
    // What it says first was so before; a change, though, says what was before it.
    if (value === true && isFirst && message?.operation === 'Initialized' && state.point.isEvent) return;
    if (value === true && isFirst && message?.operation !== 'Initialized') this.set(state, false);
    this.set(state, value);
  }

  private set(state: PointState, value: Value): void {
    state.value = value;
    state.known = value;
    this.out.push({ point: state, value });
  }

  private concerns(point: StatePoint, { topic, sources, values }: Property): boolean {
    if (point.source !== undefined && !sources.includes(point.source)) return false;
    if (point.rule !== undefined && !sources.includes(point.rule)) return false;
    if (point.topic !== undefined) return withoutPrefixes(topic) === withoutPrefixes(point.topic);
    return point.event !== undefined && values.has(point.event as KindName);
  }

  private valueOf(point: StatePoint, changed: Property): Value | undefined {
    if (point.item !== undefined) return this.itemOf(point, changed);
    const { event } = point;
    if (event === undefined) return undefined;
    const value = changed.values.get(event as KindName);
    if (typeof value !== 'boolean') return value;
    if (value) return true;
    return [...this.properties.values()].some(
      (p) => this.concerns(point, p) && p.values.get(event as KindName) === true,
    );
  }

  /** Personal items go no further unless the owner named them; face.ts refuses points that would need others. */
  private itemOf({ item = '', as }: StatePoint, { topic, data }: Property): Value | undefined {
    const text = Object.hasOwn(data, item) ? data[item] : undefined;
    if (text === undefined || this.isHidden(topic, item)) return undefined;
    return as === 'string' ? text : as === 'number' ? readNumber(text) : readBool(text);
  }

  private isHidden(topic: string, item: string): boolean {
    return this.table.isPersonal(topic, item) && !this.items.includes(item);
  }

  private meet(topic: string): void {
    if (this.table.isQuiet(topic) || this.points.some((s) => s.point.topic === topic)) return;
    const times = this.unknown.get(topic);
    if (times === undefined && this.unknown.size >= MOST_UNKNOWN) return;
    this.unknown.set(topic, (times ?? 0) + 1);
    if (times === undefined) this.onUnknown(topic);
  }

  private arm(): void {
    this.stop();
    const due = Math.min(...[...this.properties.values()].map((p) => p.over ?? Number.POSITIVE_INFINITY));
    if (!Number.isFinite(due)) return;
    this.timer = this.clock.timer('camera state', Math.max(0, due - this.clock.mono()), () => {
      const now = this.clock.mono();
      for (const property of this.properties.values())
        if (property.over !== undefined && property.over <= now) this.end(property);
      this.arm();
      const readings = this.flush();
      if (readings.length > 0) this.tell(readings);
    });
  }

  /** Changes of one moment are a millisecond apart, so that their order is told. */
  private flush(): readonly RawReading[] {
    const changes = this.thinned();
    this.out = [];
    const { wall } = this.clock.now();
    return changes.map(({ point, value }, i) => {
      const ts = wall - (changes.length - 1 - i);
      point.at = ts;
      return { point: point.point.id, value, ts };
    });
  }

  private thinned(): readonly { point: PointState; value: Value }[] {
    const now = this.clock.mono();
    if (this.out.length <= this.points.length || this.bucket.take(now, this.out.length)) return this.out;
    const kept: { point: PointState; value: Value }[] = [];
    for (const state of this.points) {
      const own = this.out.filter((change) => change.point === state);
      const last = own.at(-1);
      if (last === undefined) continue;
      const on = own.find((change) => change.value === true);
      if (on !== undefined && last.value !== true) kept.push(on);
      kept.push(last);
      this.counts.merged += own.length - 1;
    }
    return kept;
  }
}

const lasts = (kind: KindName): boolean => {
  const { lasts: is = false }: Kind = KINDS[kind];
  return is;
};

const keyOf = ({ topic, source, key }: Notification): string => JSON.stringify([topic, source, key]);

function sameData(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
