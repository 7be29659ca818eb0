/** Places lie in one another; whoever names one means everything in it. */
import type { SiteModel } from './model.ts';

/** A place and everything it lies in, the nearest first. */
export function placesAround(zone: string | undefined, site: Pick<SiteModel, 'places'>): string[] {
  const around: string[] = [];
  for (let at = zone; at !== undefined && !around.includes(at); at = site.places.get(at)?.in) around.push(at);
  return around;
}

/** `*` stands for any letters. */
export function glob(pattern: string, word: string): boolean {
  const parts = pattern.split('*');
  const [head = ''] = parts;
  if (parts.length === 1) return pattern === word;
  if (!word.startsWith(head)) return false;
  let at = head.length;
  for (const part of parts.slice(1, -1)) {
    const found = word.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  const tail = parts.at(-1) ?? '';
  return word.length - at >= tail.length && word.endsWith(tail);
}
