/**
 * `together` and `then`: happenings that belong together within a time. Of each part the newest rising edge counts; a match uses all of them up.
 * What a source says first after a start is no edge, for it may have been so before; once the start is over, the first word of a source that only
 * speaks when something happens is one.
 */
import type { Json } from '../../base/json.ts';
import type { Value } from '../../base/reading.ts';
import type { Mapping } from './operator.ts';

export interface PatternSetup {
  readonly inOrder: boolean;
  readonly withinMs: number;
  /** for each part, how many sources, and which of them only tell when it happens */
  readonly parts: readonly { readonly name: string; readonly isEvent: readonly boolean[] }[];
}

interface Edge {
  t: number;
  readonly source: number;
}

export class Pattern {
  /** grows with every edge that is kept */
  edgesSeen = 0;
  private readonly setup: PatternSetup;
  private readonly edges: (Edge | undefined)[];
  private readonly now: (Value | undefined)[][];

  constructor(setup: PatternSetup) {
    this.setup = setup;
    this.edges = setup.parts.map(() => undefined);
    this.now = setup.parts.map((p) => p.isEvent.map(() => undefined));
  }

  /** @returns for a match, the source of each part */
  take(
    part: number,
    source: number,
    t: number,
    value: Value | undefined,
    isSettled: boolean,
  ): readonly number[] | undefined {
    const values = this.now[part];
    if (values === undefined || value === undefined) return undefined;
    const before = values[source];
    values[source] = value;
    if (!isTrue(value)) return undefined;
    const isFirst = before === undefined && isSettled && this.setup.parts[part]?.isEvent[source] === true;
    if (!isFirst && (before === undefined || isTrue(before))) return undefined;
    this.edges[part] = { t, source };
    this.edgesSeen++;
    return this.match();
  }

  save({ toWall }: Mapping): Json {
    const edges = this.edges.map((e) => (e === undefined ? [] : [toWall(e.t), e.source]));
    return { e: edges, v: this.now.map((values) => values.map((v) => (v === undefined ? [] : [v]))) };
  }

  /** @param isSoon it was saved a moment ago: what was so then is what a change is measured against */
  load(saved: Json, { toMono }: Mapping, isSoon: boolean): void {
    const { e, v } = saved as { e: number[][]; v: Value[][][] };
    e.forEach(([wall, source], i) => {
      if (wall !== undefined && source !== undefined && i < this.edges.length)
        this.edges[i] = { t: toMono(wall), source };
    });
    if (!isSoon) return;
    for (const [part, values] of this.now.entries()) for (const i of values.keys()) values[i] = v[part]?.[i]?.[0];
  }

  shift(ms: number, before: number): void {
    for (const edge of this.edges) if (edge !== undefined && edge.t < before) edge.t -= ms;
  }

  private match(): readonly number[] | undefined {
    const edges = this.edges.filter((e) => e !== undefined);
    if (edges.length < this.edges.length) return undefined;
    const times = edges.map((e) => e.t);
    if (Math.max(...times) - Math.min(...times) > this.setup.withinMs) return undefined;
    if (this.setup.inOrder && times.some((t, i) => i > 0 && t <= (times[i - 1] ?? 0))) return undefined;
    this.edges.fill(undefined);
    return edges.map((e) => e.source);
  }
}

const isTrue = (value: Value): boolean => value !== false && value !== 0 && value !== '';
