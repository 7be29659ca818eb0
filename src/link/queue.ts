/** Turns that wait: the highest priority first, of equal ones the oldest business. Bounded, so that a stuck line cannot collect work without end. */
import { PRIORITY, type Priority } from '../base/line.ts';

export const MAX_WAITING = 2000;

export interface Waiting {
  /** monotonic ms since when its business waits */
  readonly since: number;
  readonly run: () => Promise<void>;
}

export class TurnQueue {
  private readonly lanes: Waiting[][] = [[], [], [], []];
  private count = 0;

  /** false when the queue is full */
  add(priority: Priority, waiting: Waiting): boolean {
    if (this.count >= MAX_WAITING) return false;
    const lane = this.lanes[PRIORITY[priority]] as Waiting[];
    let at = lane.length;
    while (at > 0 && (lane[at - 1] as Waiting).since > waiting.since) at--;
    lane.splice(at, 0, waiting);
    this.count++;
    return true;
  }

  take(): Waiting | undefined {
    for (let lane = this.lanes.length - 1; lane >= 0; lane--) {
      const next = this.lanes[lane]?.shift();
      if (next === undefined) continue;
      this.count--;
      return next;
    }
    return undefined;
  }

  remove(waiting: Waiting): boolean {
    for (const lane of this.lanes) {
      const at = lane.indexOf(waiting);
      if (at < 0) continue;
      lane.splice(at, 1);
      this.count--;
      return true;
    }
    return false;
  }

  get length(): number {
    return this.count;
  }
}
