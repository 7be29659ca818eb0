/**
 * Which groups of a personal statistic may be told (k-anonymity with complementary suppression, as official statistics do it).
 *
 * A group is withheld when fewer than k sources are known in it, or when one of its counts is below k: "48 of 50 are at home" tells of the two.
 * What is withheld must not come out of a total and the groups that are told. So for every place around, and for the whole estate, the groups
 * withheld there must together be safe, or further ones are withheld, the smallest first. Sources that belong to no group are withheld always.
 * Two statistics of which one is over little more than the other are refused beforehand (compile.ts). Not promised: three and more of them that only
 * together single somebody out.
 */

export interface Candidate {
  /** places that enclose the group; a total may be told for each of them */
  readonly around: readonly string[];
  /** sources known in it */
  readonly n: number;
  /** counts in it that speak of somebody */
  readonly cells: readonly number[];
  /** no group at all: never told */
  readonly isHidden?: boolean;
}

/** @returns indexes of the groups to withhold */
export function withheld(groups: readonly Candidate[], k: number): ReadonlySet<number> {
  const all = groups.map((_, i) => i);
  const places = new Set(groups.flatMap((g) => g.around));
  const levels = [...places].map((place) => all.filter((i) => groups[i]?.around.includes(place)));
  levels.push(all);
  levels.sort((a, b) => a.length - b.length);
  const out = new Set(all.filter((i) => groups[i]?.isHidden === true || !isSafe([i], groups, k)));
  for (let before = -1; before !== out.size; ) {
    before = out.size;
    for (const level of levels) widen(level, groups, k, out);
  }
  return out;
}

function widen(level: readonly number[], groups: readonly Candidate[], k: number, out: Set<number>): void {
  const told = level.filter((i) => !out.has(i)).sort((a, b) => (groups[a]?.n ?? 0) - (groups[b]?.n ?? 0));
  const inside = level.filter((i) => out.has(i));
  while (inside.length > 0 && !isSafe(inside, groups, k)) {
    const next = told.shift();
    if (next === undefined) return;
    out.add(next);
    inside.push(next);
  }
}

function isSafe(some: readonly number[], groups: readonly Candidate[], k: number): boolean {
  const sums: number[] = [0];
  for (const i of some) {
    const { n = 0, cells = [] } = groups[i] ?? {};
    [n, ...cells].forEach((x, cell) => {
      sums[cell] = (sums[cell] ?? 0) + x;
    });
  }
  // Of whom nothing is known, nothing can be told.
  return sums[0] === 0 || sums.every((x) => x >= k);
}
