/** The store's thread without the thread: requests are batched until the next turn of the loop, as a message port does. */
import type { Outward } from '../../src/base/feed.ts';
import type { WorkerPort } from '../../src/io/worker.ts';
import { StoreKeeper } from '../../src/journal/keeper.ts';
import type { Numbered } from '../../src/journal/protocol.ts';

export interface LoopbackStore extends WorkerPort {
  /** the thread dies; nothing is answered any more */
  die(): void;
  /** the whole process is gone: nobody starts it again */
  vanish(): void;
  /** answers are held back until released: a card that stalls */
  hold(): void;
  release(): void;
  /** from now on the file takes nothing more, as a card that turned itself read-only */
  readOnly(): void;
}

export function loopbackStore(outward: Outward, free?: () => number): LoopbackStore {
  let listener: (message: unknown) => void = () => {};
  let exit: (why: string) => void = () => {};
  let queue: Numbered[] = [];
  let scheduled = false;
  let held: unknown[] | undefined;
  let dead = false;
  const keeper = new StoreKeeper(
    outward,
    (answer) => {
      const copy: unknown = structuredClone(answer);
      if (dead) return;
      if (held !== undefined) held.push(copy);
      else queueMicrotask(() => dead || listener(copy));
    },
    free,
  );
  return {
    post: (message) => {
      queue.push(structuredClone(message) as Numbered);
      if (scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        const batch = queue;
        queue = [];
        if (!dead) keeper.take(batch);
      });
    },
    onMessage: (fn) => {
      listener = fn;
    },
    onExit: (fn) => {
      exit = fn;
    },
    terminate: () => Promise.resolve(),
    die: () => {
      dead = true;
      exit('killed');
    },
    vanish: () => {
      dead = true;
    },
    hold: () => {
      held = [];
    },
    readOnly: () => void keeper.current?.db.pragma('query_only = 1'),
    release: () => {
      const waiting = held ?? [];
      held = undefined;
      for (const message of waiting) listener(message);
    },
  };
}
