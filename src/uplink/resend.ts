/**
 * `ack: app`: what the broker took and the platform has not acknowledged is sent again, 60 s after the last PUBACK and then at doubled intervals up to
 * 15 min. A platform that acknowledges nothing for a day is told of, once, and taken back when it does.
 */
import type { Clock, Timer } from '../base/ports.ts';

const FIRST = 60_000;
const LONGEST = 900_000;
const DAY = 86_400_000;

export interface ResendDeps {
  readonly clock: Clock;
  readonly feed: string;
  readonly again: () => void;
  /** the platform has been silent for a day, or is not any more */
  readonly onSilent: (silent: boolean) => void;
}

export class Resend {
  private readonly deps: ResendDeps;
  private timer: Timer | undefined;
  private waitMs = FIRST;
  /** since when something waits for an acknowledgement */
  private since: number | undefined;
  private told = false;

  constructor(deps: ResendDeps) {
    this.deps = deps;
  }

  /** the broker took a member */
  sent(): void {
    this.since ??= this.deps.clock.mono();
    this.timer?.cancel();
    this.timer = this.deps.clock.timer(`resend ${this.deps.feed}`, this.waitMs, () => this.fire());
  }

  /** the platform acknowledged; `all` = nothing waits any more */
  acked(all: boolean): void {
    this.waitMs = FIRST;
    this.since = all ? undefined : this.deps.clock.mono();
    if (all) this.stop();
    if (this.told) this.deps.onSilent(false);
    this.told = false;
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private fire(): void {
    this.waitMs = Math.min(LONGEST, this.waitMs * 2);
    const silent = this.since !== undefined && this.deps.clock.mono() - this.since >= DAY;
    if (silent && !this.told) {
      this.told = true;
      this.deps.onSilent(true);
    }
    this.deps.again();
  }
}
