/** The machine against random histories of faults: what it promises in its head holds in each. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/fakes/random.ts';
import { LIFE } from './lease.ts';
import {
  AUTH_WAIT,
  CREATE_PACE,
  FIRST_BACKOFF,
  LAST_BACKOFF,
  type Outcome,
  type Pulled,
  Session,
  type Step,
} from './session.ts';

const CHECK = 30_000;
const pulled = (over: Partial<Pulled> = {}): Outcome => ({
  kind: 'pulled',
  messages: 0,
  initialized: 0,
  tookMs: 30_000,
  ends: undefined,
  now: undefined,
  pauseMs: 0,
  ...over,
});
let subscriptions = 0;
const created = (lifeMs?: number): Outcome => ({
  kind: 'created',
  reference: { url: `http://h/s${subscriptions++}`, to: 'x', references: '' },
  ...(lifeMs === undefined ? {} : { lifeMs }),
});
const good = (step: Step): Outcome =>
  step.do === 'create' ? created() : step.do === 'pull' ? pulled() : { kind: 'done' };

/** Runs a session by hand: each step takes its time, waits are slept. */
class Hand {
  now = 0;
  readonly steps: { readonly step: Step; readonly at: number }[] = [];
  readonly session: Session;

  constructor(session = new Session(seededRandom(3).next, CHECK, [])) {
    this.session = session;
  }

  /** The next thing to do that is no wait. */
  ask(): Step {
    for (let waits = 0; ; waits++) {
      const step = this.session.next(this.now);
      if (step.do !== 'wait') {
        this.steps.push({ step, at: this.now });
        return step;
      }
      expect(step.ms).toBeGreaterThan(0);
      expect(waits).toBeLessThan(10);
      this.now += step.ms;
    }
  }

  run(answer: (step: Step) => Outcome, count: number): this {
    for (let i = 0; i < count; i++) {
      const step = this.ask();
      const outcome = answer(step);
      this.now += outcome.kind === 'pulled' || outcome.kind === 'reset' ? outcome.tookMs : 50;
      this.session.take(step, outcome, this.now);
    }
    return this;
  }

  until(wanted: (step: Step) => boolean, answer = good): this {
    for (let i = 0; i < 5000; i++) {
      const step = this.session.next(this.now);
      if (wanted(step)) return this;
      this.run(answer, 1);
    }
    throw new Error('it never comes');
  }

  names(): string[] {
    return this.steps.map(({ step }) => step.do);
  }
}

describe('a good camera', () => {
  it('is asked for its time, who it is, where; then subscribed, told to dump, and pulled', () => {
    const hand = new Hand().run(good, 8);
    expect(hand.names()).toEqual(['time', 'check', 'capabilities', 'create', 'sync', 'media', 'pull', 'check']);
    expect(hand.session.standing).toBe('up');
  });

  it('is checked between pulls, told to dump hourly, subscribed anew daily, and never renewed where the pull keeps alive', () => {
    const hand = new Hand();
    let ends = 0;
    const moving = (step: Step): Outcome => {
      if (step.do !== 'pull') return good(step);
      ends += 30_000;
      return pulled({ ends, now: ends - LIFE });
    };
    hand.run(moving, 9000);
    const times = (what: string): number => hand.steps.filter(({ step }) => step.do === what).length;
    const days = hand.now / 86_400_000;
    expect(times('renew')).toBe(0);
    expect(times('create')).toBe(1 + Math.floor(days));
    expect(times('sync')).toBeGreaterThanOrEqual(Math.floor(24 * days));
    expect(times('sync')).toBeLessThan(28 * days);
    expect(times('check')).toBeGreaterThan(0.9 * times('pull'));
    expect(hand.session.left).toHaveLength(1);
  });

  it('whose pull does not move the end is renewed at four fifths, and subscribed anew where it refuses that', () => {
    const fixed = (step: Step): Outcome => (step.do === 'pull' ? pulled({ ends: LIFE, now: 0 }) : good(step));
    const hand = new Hand().until((step) => step.do === 'renew', fixed);
    expect(hand.now).toBeGreaterThanOrEqual(0.8 * LIFE);
    expect(hand.now).toBeLessThan(0.9 * LIFE);
    const refusing = (step: Step): Outcome => (step.do === 'renew' ? { kind: 'fault', is: 'other' } : fixed(step));
    hand.run(refusing, 1).until((step) => step.do === 'create', refusing);
    expect(hand.now).toBeGreaterThanOrEqual(LIFE);
    expect(hand.names().filter((n) => n === 'renew')).toHaveLength(1);
  });

  it('that answers at once with nothing is asked each second, then every ten', () => {
    const hand = new Hand();
    hand.run((step) => (step.do === 'pull' ? pulled({ tookMs: 5 }) : good(step)), 200);
    const pulls = hand.steps.filter(({ step }) => step.do === 'pull').map(({ at }) => at);
    expect((pulls[2] ?? 0) - (pulls[1] ?? 0)).toBeGreaterThanOrEqual(1000);
    expect((pulls.at(-1) ?? 0) - (pulls.at(-2) ?? 0)).toBeGreaterThanOrEqual(10_000);
  });

  it('that used to dump and dumps nothing any more is subscribed anew', () => {
    let dumping = true;
    const answer = (step: Step): Outcome =>
      step.do === 'pull' ? pulled({ messages: 1, initialized: dumping ? 1 : 0 }) : good(step);
    const hand = new Hand().run(answer, 12);
    dumping = false;
    hand.until((step) => step.do === 'create', answer);
    expect(hand.now).toBeLessThan(4_000_000);
  });

  it('that closes pulls early gets shorter ones', () => {
    const hand = new Hand().run(good, 7);
    const answer = (step: Step): Outcome =>
      step.do === 'pull' && step.timeoutMs > 10_000 ? { kind: 'reset', tookMs: 10_000 } : good(step);
    hand.run(answer, 30);
    expect(hand.names().filter((n) => n === 'create')).toHaveLength(1);
    expect(hand.session.standing).toBe('up');
  });
});

describe('refusals', () => {
  it('a wrong password is shown twice, with the time read anew between, then after a quarter of an hour', () => {
    const hand = new Hand();
    hand.run((step) => (step.do === 'check' ? { kind: 'fault', is: 'auth' } : good(step)), 200);
    const shown = hand.steps.filter(({ step }) => step.do === 'check').map(({ at }) => at);
    expect(hand.names().slice(0, 4)).toEqual(['time', 'check', 'time', 'check']);
    expect((shown[2] ?? 0) - (shown[1] ?? 0)).toBeGreaterThanOrEqual(AUTH_WAIT - 1000);
    for (let i = 0; i + 2 < shown.length; i++)
      expect((shown[i + 2] ?? 0) - (shown[i] ?? 0)).toBeGreaterThan(AUTH_WAIT - 1000);
  });

  it('a lost network does not show it more often', () => {
    let n = 0;
    const hand = new Hand();
    hand.run((step) => {
      if (step.do === 'check') return { kind: 'fault', is: 'auth' };
      return step.do === 'time' && n++ % 3 === 2 ? { kind: 'error' } : good(step);
    }, 300);
    const shown = hand.steps.filter(({ step }) => step.do === 'check').map(({ at }) => at);
    for (let i = 0; i + 2 < shown.length; i++)
      expect((shown[i + 2] ?? 0) - (shown[i] ?? 0)).toBeGreaterThan(AUTH_WAIT / 2);
    expect(shown.length).toBeLessThanOrEqual(2 + 2 * (hand.now / (AUTH_WAIT / 2)));
  });

  it('a new password is tried at once', () => {
    const hand = new Hand();
    const refusing = (step: Step): Outcome => (step.do === 'check' ? { kind: 'fault', is: 'auth' } : good(step));
    hand.run(refusing, 8);
    expect(hand.session.standing).toBe('auth_failed');
    const before = hand.now;
    hand.session.retry();
    hand.until((step) => step.do === 'check', refusing).run(good, 6);
    expect(hand.now - before).toBeLessThan(AUTH_WAIT / 10);
    expect(hand.session.standing).toBe('up');
  });

  it('no events: said, checked, and tried hourly', () => {
    const hand = new Hand();
    hand.run((step) => (step.do === 'create' ? { kind: 'fault', is: 'unsupported' } : good(step)), 400);
    const creates = hand.steps.filter(({ step }) => step.do === 'create').map(({ at }) => at);
    expect((creates[1] ?? 0) - (creates[0] ?? 0)).toBeGreaterThanOrEqual(3_600_000);
    expect(hand.session.standing).toBe('unsupported');
  });

  it('a limit is kept, another pull waited for, an unknown subscription made anew without ending it', () => {
    const hand = new Hand().run(good, 7).until((step) => step.do === 'pull');
    hand.run(
      (step) =>
        step.do === 'pull' ? { kind: 'fault', is: 'limits', limits: { timeoutMs: 7000, messages: 5 } } : good(step),
      1,
    );
    expect(hand.ask()).toMatchObject({ do: 'pull', timeoutMs: 7000, messages: 5 });
    const at = hand.now;
    hand.session.take(hand.steps.at(-1)?.step ?? { do: 'wait', ms: 0 }, { kind: 'fault', is: 'busy' }, hand.now);
    expect(hand.ask().do).toBe('pull');
    expect(hand.now - at).toBe(7000);
    hand.session.take(hand.steps.at(-1)?.step ?? { do: 'wait', ms: 0 }, { kind: 'fault', is: 'unknown' }, hand.now);
    expect(hand.session.left).toEqual([]);
    expect(hand.ask().do).toBe('create');
  });

  it('an absolute end is tried where a duration is refused', () => {
    const hand = new Hand().until((step) => step.do === 'create');
    hand.run((step) => (step.do === 'create' && !step.isAbsolute ? { kind: 'fault', is: 'other' } : good(step)), 2);
    expect(hand.session.left).toHaveLength(1);
  });
});

describe('what an earlier life left', () => {
  const old = { url: 'http://h/old', to: 'old', references: '', until: LIFE, isTried: false };
  it('is ended before a new one is made, and waited out where that fails', () => {
    const hand = new Hand(new Session(seededRandom(1).next, CHECK, [old]));
    hand.run((step) => (step.do === 'unsubscribe' ? { kind: 'error' } : good(step)), 5);
    expect(hand.names().slice(3)).toEqual(['unsubscribe', 'create']);
    expect(hand.session.left).toHaveLength(2);
    hand.run(good, 80);
    expect(hand.session.left).toHaveLength(1);
  });
});

describe('whatever happens', () => {
  const outcome = fc.oneof(
    { weight: 6, arbitrary: fc.constant('good' as const) },
    { weight: 2, arbitrary: fc.constant({ kind: 'error' } as Outcome) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }).map((tookMs): Outcome => ({ kind: 'reset', tookMs })) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom('auth', 'unsupported', 'missing', 'limits', 'busy', 'unknown', 'other')
        .map((is): Outcome => ({ kind: 'fault', is: is as 'auth' })),
    },
  );

  it('creates are paced, subscriptions are ended, over or recorded, and a camera that is well again is back', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 150 }), fc.nat(), (history, seed) => {
        const hand = new Hand(new Session(seededRandom(seed).next, CHECK, []));
        const alive = new Map<string, number>();
        const answer = (step: Step, what: Outcome | 'good'): Outcome => {
          const said = what === 'good' ? good(step) : what;
          if (said.kind === 'created') alive.set(said.reference.url, hand.now + LIFE);
          if (step.do === 'unsubscribe' && said.kind !== 'error' && said.kind !== 'reset')
            alive.delete(step.subscription.url);
          if (step.do === 'pull') {
            // Nothing is pulled but the newest, and a pull keeps it alive.
            expect(step.subscription.url).toBe(hand.session.left.at(-1)?.url);
            if (said.kind === 'fault' && (said.is === 'unknown' || said.is === 'missing'))
              alive.delete(step.subscription.url);
            else if (said.kind === 'pulled') alive.set(step.subscription.url, hand.now + said.tookMs + LIFE);
          }
          return said;
        };
        for (const what of history) {
          hand.run((step) => answer(step, what), 1);
          const recorded = hand.session.left.map((s) => s.url);
          for (const [url, until] of alive) if (until > hand.now) expect(recorded).toContain(url);
        }
        const creates = hand.steps.filter(({ step }) => step.do === 'create').map(({ at }) => at);
        for (const [i, at] of creates.entries())
          if (i > 0) expect(at - (creates[i - 1] ?? 0)).toBeGreaterThanOrEqual(CREATE_PACE);
        // Well from now on: back within what it waits for at most.
        const from = hand.now;
        const patience = hand.session.standing === 'unsupported' ? 3_600_000 : Math.max(LAST_BACKOFF, AUTH_WAIT);
        for (let i = 0; i < 200 && hand.session.standing !== 'up'; i++) hand.run((step) => answer(step, 'good'), 1);
        expect(hand.session.standing).toBe('up');
        expect(hand.now - from).toBeLessThanOrEqual(patience + 3 * CREATE_PACE + 60_000);
      }),
      { numRuns: 1500 },
    );
  });

  it('the first wait is short, and no wait is long', () => {
    const hand = new Hand();
    hand.run(() => ({ kind: 'error' }), 20);
    const gaps = hand.steps.map(({ at }, i) => at - (hand.steps[i - 1]?.at ?? 0)).slice(1);
    expect(gaps[0]).toBeLessThanOrEqual(FIRST_BACKOFF + 50);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(LAST_BACKOFF + 50);
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(LAST_BACKOFF / 2);
  });
});
