/**
 * For devices whose replies say nothing of the question they answer. After n questions given up, n replies may still come, oldest first; so the next
 * reading asks n+1 times, and only the last reply counts.
 * Not promised: a device that answers out of order, or twice.
 */
const MOST = 8;

export class Owed {
  private count = 0;

  /** Asks until what is answered can only be the answer to a question of this call. */
  async fresh<T>(ask: () => Promise<T>): Promise<T> {
    for (let left = this.count; left > 0; left--) await ask();
    return ask();
  }

  /** One question: it is owed until it is answered. */
  async question<T>(ask: () => Promise<T>): Promise<T> {
    this.count = Math.min(MOST, this.count + 1);
    const reply = await ask();
    this.count--;
    return reply;
  }
}
