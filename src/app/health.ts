/**
 * Health that tells the truth: it is fed only by progress, never by a check that asks itself.
 *
 * - polling: some poll attempt ended within POLL_SILENCE, or the slowest device's period if that is longer (a dead device's attempt counts:
 *   trying is progress; a stuck line is not);
 * - journal: its worker answered a question within JOURNAL_SILENCE;
 * - event loop: the check itself ran no later than LOOP_LAG after its time.
 * While all three hold, systemd's watchdog is fed. It does not judge devices: a site with every meter dead is a healthy gateway.
 */
import type { Clock, Timer } from '../base/ports.ts';
import type { Text } from '../base/text.ts';

const POLL_SILENCE = 30_000;
const JOURNAL_SILENCE = 15_000;
const LOOP_LAG = 5_000;

export interface HealthDeps {
  readonly clock: Clock;
  /** time between two checks */
  readonly everyMs: number;
  /** monotonic time of the last finished poll attempt; undefined while nothing is to be polled */
  readonly polled: () => number | undefined;
  readonly slowestPollMs: () => number;
  readonly askJournal: () => Promise<unknown>;
  readonly onCheck: (health: Health) => void;
}

export interface Health {
  readonly ok: boolean;
  readonly causes: readonly Text[];
}

export interface HealthWatch {
  start(): void;
  now(): Health;
  stop(): void;
}

export function createHealth(deps: HealthDeps): HealthWatch {
  const { clock } = deps;
  let timer: Timer | undefined;
  let begun = 0;
  let answered = 0;
  let asking = false;
  let lag = 0;

  const causes = (): Text[] => {
    const found: Text[] = [];
    const polled = deps.polled();
    const silence = Math.max(POLL_SILENCE, 2 * deps.slowestPollMs());
    if (polled !== undefined && clock.mono() - Math.max(polled, begun) > silence)
      found.push(says.polling(clock.mono() - polled));
    if (clock.mono() - answered > JOURNAL_SILENCE + deps.everyMs) found.push(says.journal(clock.mono() - answered));
    if (lag > LOOP_LAG) found.push(says.loop(lag));
    return found;
  };
  const now = (): Health => {
    const found = causes();
    return { ok: found.length === 0, causes: found };
  };
  const ask = (): void => {
    if (asking) return;
    asking = true;
    deps.askJournal().then(
      () => {
        asking = false;
        answered = clock.mono();
      },
      () => {
        asking = false;
      },
    );
  };
  const check = (dueAt: number): void => {
    lag = clock.mono() - dueAt;
    ask();
    deps.onCheck(now());
    arm();
  };
  const arm = (): void => {
    const due = clock.mono() + deps.everyMs;
    timer = clock.timer('health', deps.everyMs, () => check(due));
  };
  return {
    start: () => {
      begun = clock.mono();
      answered = begun;
      ask();
      arm();
    },
    now,
    stop: () => timer?.cancel(),
  };
}

const seconds = (ms: number): string => String(Math.round(ms / 1000));
const says = {
  polling: (ms: number): Text => ({
    zh: `轮询 ${seconds(ms)} 秒没有进展`,
    en: `polling made no progress for ${seconds(ms)} s`,
  }),
  journal: (ms: number): Text => ({
    zh: `存储 ${seconds(ms)} 秒没有应答（存储卡可能有问题）`,
    en: `the store did not answer for ${seconds(ms)} s (the card may be failing)`,
  }),
  loop: (ms: number): Text => ({ zh: `主循环滞后 ${seconds(ms)} 秒`, en: `the event loop is ${seconds(ms)} s late` }),
};
