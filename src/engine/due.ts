/**
 * Which points a poll asks for: each at its own period, as a multiple of the device's, so that those that are due together are read together. The same
 * points come as the same list, by which a driver knows its plan again.
 */
import type { PointModel } from '../base/model.ts';

export class DuePoints {
  private readonly points: readonly { readonly id: string; readonly polls: number }[];
  /** the different multiples, the most frequent first */
  private readonly multiples: readonly number[];
  private readonly lists = new Map<string, readonly string[]>();
  private n = 0;

  constructor(points: readonly PointModel[], deviceMs: number) {
    this.points = points.map(({ id, pollMs }) => ({
      id,
      polls: Math.max(1, Math.round((pollMs ?? deviceMs) / deviceMs)),
    }));
    this.multiples = [...new Set(this.points.map((p) => p.polls))].sort((a, b) => a - b);
  }

  /** The first poll asks for all; one for which nothing is due asks for the most frequent ones. */
  next(): readonly string[] {
    const n = this.n++;
    const due = this.multiples.filter((multiple) => n % multiple === 0);
    const asked = due.length > 0 ? due : this.multiples.slice(0, 1);
    const key = asked.join(' ');
    const known = this.lists.get(key) ?? this.points.filter((p) => asked.includes(p.polls)).map((p) => p.id);
    this.lists.set(key, known);
    return known;
  }
}
