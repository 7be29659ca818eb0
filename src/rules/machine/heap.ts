/** A binary heap, least first, and a timer wheel on it. */

export class Heap<T> {
  private readonly items: T[] = [];
  private readonly isLess: (a: T, b: T) => boolean;

  constructor(isLess: (a: T, b: T) => boolean) {
    this.isLess = isLess;
  }

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    const { items } = this;
    let i = items.push(item) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!this.isLess(items[i] as T, items[up] as T)) return;
      [items[i], items[up]] = [items[up] as T, items[i] as T];
      i = up;
    }
  }

  pop(): T | undefined {
    const { items } = this;
    const [least] = items;
    const last = items.pop();
    if (items.length === 0 || last === undefined) return least;
    items[0] = last;
    let i = 0;
    for (;;) {
      let small = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < items.length && this.isLess(items[child] as T, items[small] as T)) small = child;
      if (small === i) return least;
      [items[i], items[small]] = [items[small] as T, items[i] as T];
      i = small;
    }
  }
}

interface Entry<T> {
  readonly due: number;
  /** of two due at once the one set first comes first */
  readonly n: number;
  readonly item: T;
}

/** What is due when; at most one time for each item. */
export class Wheel<T> {
  private readonly dues = new Map<T, Entry<T>>();
  private readonly heap = new Heap<Entry<T>>((a, b) => a.due < b.due || (a.due === b.due && a.n < b.n));
  private n = 0;

  set(item: T, due: number | undefined): void {
    const known = this.dues.get(item);
    if (known?.due === due) return;
    if (due === undefined) {
      this.dues.delete(item);
      return;
    }
    const entry = { due, n: ++this.n, item };
    this.dues.set(item, entry);
    this.heap.push(entry);
  }

  /** the earliest due time */
  next(): number | undefined {
    for (;;) {
      const entry = this.heap.peek();
      if (entry === undefined || this.dues.get(entry.item) === entry) return entry?.due;
      this.heap.pop();
    }
  }

  /** takes one item that is due */
  take(now: number): T | undefined {
    const due = this.next();
    if (due === undefined || due > now) return undefined;
    const entry = this.heap.pop();
    if (entry !== undefined) this.dues.delete(entry.item);
    return entry?.item;
  }
}
