/** "did you mean": the nearest of some words, when it is near enough to be a slip. */

/** Letters to change, drop, add or swap (Damerau-Levenshtein, adjacent swaps). */
export function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  for (let j = 0; j <= b.length; j++) (rows[0] as number[])[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const at = (x: number, y: number): number => rows[x]?.[y] ?? 0;
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(i - 2, j - 2) + 1);
      (rows[i] as number[])[j] = least;
    }
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** The nearest word within a third of its length (at least one letter); long input is not compared. */
export function nearest(given: string, words: Iterable<string>): string | undefined {
  if (given.length > 64) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const word of words) {
    const distance = editDistance(given.toLowerCase(), word.toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.floor(word.length / 3))) {
      best = word;
      least = distance;
    }
  }
  return best;
}

/** Parameters `hint_zh` and `hint_en` of a message: empty without a guess. */
export function hints(guess: string | undefined): { readonly hint_zh: string; readonly hint_en: string } {
  return guess === undefined
    ? { hint_zh: '', hint_en: '' }
    : { hint_zh: `，是否想写 “${guess}”？`, hint_en: `; did you mean "${guess}"?` };
}
