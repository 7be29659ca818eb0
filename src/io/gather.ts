/**
 * What one turn of the loop writes goes to the system in one piece. A message with its properties is written in some forty pieces, and each costs more
 * than its bytes; a call of the system for each message costs more than all the rest. Order is kept, and nothing waits longer than the turn.
 */
import type { Duplex } from 'node:stream';

/** Larger pieces go by themselves: nothing is won by copying them. */
const MOST_COPIED = 8 * 1024;
const ROOM = 64 * 1024;
/** Up to so many bytes a loop is quicker than a call. */
const FEW = 64;

/** From now on. The stream takes text as utf8, and nobody waits for the end of a single write. */
export function gather(stream: Duplex): void {
  const write = stream.write.bind(stream) as (bytes: Uint8Array) => boolean;
  const end = stream.end.bind(stream) as (...rest: unknown[]) => Duplex;
  let room = Buffer.allocUnsafeSlow(ROOM);
  let [from, to] = [0, 0];
  let isAwaited = false;
  const flush = (): void => {
    isAwaited = false;
    if (to === from) return;
    const gathered = room.subarray(from, to);
    from = to;
    if (stream.writable) write(gathered);
  };
  const take = (piece: Uint8Array | string): boolean => {
    // A character takes at most three bytes of utf8.
    const most = typeof piece === 'string' ? 3 * piece.length : piece.length;
    if (most > MOST_COPIED) {
      flush();
      return write(typeof piece === 'string' ? Buffer.from(piece) : piece);
    }
    if (to + most > ROOM) {
      flush();
      room = Buffer.allocUnsafeSlow(ROOM);
      [from, to] = [0, 0];
    }
    to += put(room, to, piece);
    if (!isAwaited) setImmediate(flush);
    isAwaited = true;
    return true;
  };
  Object.assign(stream, {
    write: take,
    end: (...rest: unknown[]) => {
      flush();
      return end(...rest);
    },
  });
}

/** @returns how many bytes it takes */
function put(room: Buffer, at: number, piece: Uint8Array | string): number {
  const { length } = piece;
  if (typeof piece === 'string') {
    for (let i = 0; i < length; i++) {
      const c = piece.charCodeAt(i);
      if (c > 127 || i === FEW) return room.write(piece, at);
      room[at + i] = c;
    }
  } else if (length > FEW) room.set(piece, at);
  else for (let i = 0; i < length; i++) room[at + i] = piece[i] ?? 0;
  return length;
}
