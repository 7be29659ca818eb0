/**
 * The audit of what was refused: for each feed the first SINGLE of a minute are events of their own, the rest of the minute is one event that
 * counts them by reason. However many come, the store sees at most SINGLE + 1 rows a minute for each feed.
 */
import type { EventDraft } from '../../base/event.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Clock, Timer } from '../../base/ports.ts';
import { isoTime } from '../../base/time.ts';

const SINGLE = 10;
const MINUTE = 60_000;

interface Minute {
  singles: number;
  readonly from: number;
  readonly reasons: Map<string, number>;
  readonly timer: Timer;
}

export class Refusals {
  private readonly clock: Clock;
  private readonly onEvent: (draft: EventDraft) => void;
  private readonly minutes = new Map<string, Minute>();

  constructor(clock: Clock, onEvent: (draft: EventDraft) => void) {
    this.clock = clock;
    this.onEvent = onEvent;
  }

  add(feed: string, data: JsonObject & { readonly reason: string }): void {
    const minute = this.minuteOf(feed);
    if (minute.singles < SINGLE) {
      minute.singles++;
      this.onEvent({ kind: 'command.result', at: this.clock.now(), data: { feed, ...data } });
    } else minute.reasons.set(data.reason, (minute.reasons.get(data.reason) ?? 0) + 1);
  }

  /** What was only counted so far is told now. */
  stop(): void {
    for (const [feed, minute] of this.minutes) {
      minute.timer.cancel();
      this.end(feed, minute);
    }
  }

  private minuteOf(feed: string): Minute {
    const running = this.minutes.get(feed);
    if (running !== undefined) return running;
    const timer = this.clock.timer(`refusals ${feed}`, MINUTE, () => this.end(feed, minute));
    const minute: Minute = { singles: 0, from: this.clock.now().wall, reasons: new Map(), timer };
    this.minutes.set(feed, minute);
    return minute;
  }

  private end(feed: string, { from, reasons }: Minute): void {
    this.minutes.delete(feed);
    if (reasons.size === 0) return;
    const at = this.clock.now();
    const count = [...reasons.values()].reduce((sum, n) => sum + n, 0);
    const span = { from: isoTime(from), to: isoTime(at.wall) };
    const data = { feed, outcome: 'denied', count, reasons: Object.fromEntries(reasons), ...span };
    this.onEvent({ kind: 'command.result', at, data });
  }
}
