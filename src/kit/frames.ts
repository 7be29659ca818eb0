/**
 * Frames that are told by marker, length and checksum, found in whatever a line delivers: preambles, noise, echoes, tails, several at once.
 *
 * A grammar looks at one place and says what begins there. Where it is no valid frame the search goes on at the very next byte, because markers
 * occur inside addresses, data and checksums too (field frames of DL/T 645 and CJ/T 188 show every one of these).
 */
import type { Framer, FrameVerdict } from '../base/frame.ts';
import type { DecodeAsk } from './driver.ts';

/** What begins at a place: a valid frame, the beginning of one, a whole one with a wrong checksum; undefined when none begins here. */
export type Sight<F> =
  | { readonly kind: 'frame'; readonly end: number; readonly frame: F }
  | { readonly kind: 'need'; readonly bytes: number }
  | { readonly kind: 'bad'; readonly computed: string; readonly wire: string };

export type Grammar<F> = (bytes: Uint8Array, at: number) => Sight<F> | undefined;

export interface Found<F> {
  readonly start: number;
  readonly end: number;
  readonly frame: F;
}

export interface Rejected {
  readonly at: number;
  readonly reason: 'bad-checksum' | 'truncated';
  readonly detail: string;
}

/** All valid frames in a capture, and what nearly was one. */
export function framesIn<F>(bytes: Uint8Array, grammar: Grammar<F>): { found: Found<F>[]; rejected: Rejected[] } {
  const found: Found<F>[] = [];
  const rejected: Rejected[] = [];
  for (let at = 0; at < bytes.length; ) {
    const sight = grammar(bytes, at);
    if (sight?.kind === 'frame') {
      found.push({ start: at, end: sight.end, frame: sight.frame });
      at = sight.end;
      continue;
    }
    if (sight?.kind === 'bad')
      rejected.push({ at, reason: 'bad-checksum', detail: `computed ${sight.computed}, on wire ${sight.wire}` });
    else if (sight !== undefined && !rejected.some((r) => r.reason === 'truncated'))
      rejected.push({ at, reason: 'truncated', detail: `${sight.bytes} bytes missing` });
    at++;
  }
  return { found, rejected };
}

/**
 * The framer of one request. `judge` says whether a valid frame is the answer, or else what it is (`echo`, `foreign`): such frames are skipped.
 * The beginning of a frame is waited for until the line falls silent; then it was none, and what stands behind it is looked at.
 */
export function framerOf<F>(grammar: Grammar<F>, judge: (frame: F) => 'answer' | 'echo' | 'foreign'): Framer {
  return (bytes, silent): FrameVerdict => {
    let wrong: string | undefined;
    for (let at = 0; at < bytes.length; at++) {
      const sight = grammar(bytes, at);
      if (sight === undefined) continue;
      if (sight.kind === 'frame') {
        const is = judge(sight.frame);
        if (is === 'answer') return { kind: 'frame', start: at, end: sight.end };
        return { kind: 'foreign', start: at, end: sight.end, note: is };
      }
      if (sight.kind === 'bad') wrong = `checksum: computed ${sight.computed}, on wire ${sight.wire}`;
      else if (!silent) return { kind: 'need' };
    }
    return silent && wrong !== undefined ? { kind: 'bad', detail: wrong } : { kind: 'need' };
  };
}

/** How many bytes of a capture stand outside its frames, at both ends; nothing when none do. */
export function outsideOf(
  length: number,
  found: readonly { readonly start: number; readonly end: number }[],
): { bytes_outside_frame?: { before: number; after: number } } {
  const before = found[0]?.start ?? 0;
  const after = length - (found.at(-1)?.end ?? length);
  return before === 0 && after === 0 ? {} : { bytes_outside_frame: { before, after } };
}

/** The address a master asked: told by the caller, or read from its request. */
export function askedAddress(ask: DecodeAsk, grammar: Grammar<{ readonly address: string }>): string | undefined {
  const told = ask.asked as { readonly address?: unknown } | undefined;
  if (typeof told?.address === 'string') return told.address.toUpperCase();
  return ask.request === undefined ? undefined : framesIn(ask.request, grammar).found[0]?.frame.address;
}
