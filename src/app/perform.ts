/**
 * Carries out actions: writes to devices, tells people, takes pictures.
 *
 * - Each key once at a time; order is kept per device and per person.
 * - A platform's command is tried once and not begun after its expiry; whoever took it tells of it.
 * - A write is written and read back, TRY_MS for each of TRIES tries. What leaves the safe state is not begun later than ACT_WITHIN after it was decided.
 * - A picture is asked for within SNAP_MS for each of SNAP_TRIES tries, and kept before it is said to be there. Clips are not made.
 * - Telling a webhook or another system is tried again with growing pauses for as long as GIVE_UP_MS; then it failed.
 * - Every outcome is an event `command.result`, but that a screen or a feed was told, which the alarm itself says; the rule machine hears that the
 *   action is over.
 * - A name that cannot be reached at once pulls the next step of its escalation forward.
 */
import type { Alarm } from '../base/alarm.ts';
import { alarmEventData, renderTemplate } from '../base/alarm-text.ts';
import { isWeinaoError } from '../base/errors/index.ts';
import type { EventDraft } from '../base/event.ts';
import type { JsonObject } from '../base/json.ts';
import type { Media } from '../base/media.ts';
import type { Person } from '../base/model.ts';
import type { Clock, Log } from '../base/ports.ts';
import type { Value } from '../base/reading.ts';
import { ACT_WITHIN, type Act, type RuleInput } from '../base/rules.ts';

const TRY_MS = 2000;
const TRIES = 3;
/** a camera wakes its encoder, and the first answer may be a challenge */
const SNAP_MS = 8000;
const SNAP_TRIES = 2;
const PAUSES = [1000, 5000, 30_000, 120_000, 300_000];
const GIVE_UP_MS = 3_600_000;
/** actions waiting for one device or person; beyond, the oldest tells of people are dropped and said to have failed */
const MOST_WAITING = 200;

export interface Written {
  readonly done: boolean;
  readonly readBack?: Value;
}

export interface PerformDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly person: (name: string) => Person | undefined;
  readonly isFeedUp: (feed: string) => boolean;
  /** undefined = no such device */
  readonly write: (device: string, point: string, value: Value, signal: AbortSignal) => Promise<Written> | undefined;
  /** takes a picture and keeps it; undefined = no such device, or it takes none */
  readonly snapshot: (device: string, signal: AbortSignal) => Promise<Media> | undefined;
  /** calls a webhook; its answer's body */
  readonly post: (person: Person, body: JsonObject) => Promise<unknown>;
  readonly publish: (person: Person, body: JsonObject) => Promise<void>;
  readonly onEvent: (draft: EventDraft) => void;
  readonly onInput: (input: RuleInput) => void;
}

export interface Performer {
  /** resolves when it is over; never rejects */
  perform(act: Act): Promise<Outcome>;
  /** nobody carries this out any more: said, and done with */
  skipped(act: Act, why: string): void;
  stop(): void;
}

export interface Outcome {
  readonly outcome: 'done' | 'failed' | 'expired';
  readonly why?: string;
  readonly value?: Value;
  readonly media?: Media;
  /** worth no event */
  readonly isPlain?: boolean;
}

export function createPerformer(deps: PerformDeps): Performer {
  return new LivePerformer(deps);
}

class LivePerformer implements Performer {
  private readonly deps: PerformDeps;
  private readonly tails = new Map<string, { tail: Promise<void>; waiting: number }>();
  private readonly stopping = new AbortController();
  /** a changed rule set gives out again what is still on its way */
  private readonly underway = new Set<string>();

  constructor(deps: PerformDeps) {
    this.deps = deps;
  }

  perform(act: Act): Promise<Outcome> {
    if (this.underway.has(act.key)) return Promise.resolve({ outcome: 'failed', why: 'on its way already' });
    const lane = laneOf(act);
    const queue = this.tails.get(lane) ?? { tail: Promise.resolve(), waiting: 0 };
    this.tails.set(lane, queue);
    if (queue.waiting >= MOST_WAITING && !isSafe(act)) {
      const full: Outcome = { outcome: 'failed', why: 'queue full' };
      this.over(act, full, 0);
      return Promise.resolve(full);
    }
    queue.waiting++;
    this.underway.add(act.key);
    const result = queue.tail.then(async (): Promise<Outcome> => {
      const began = this.deps.clock.mono();
      const outcome = this.stopping.signal.aborted
        ? ({ outcome: 'failed', why: 'the gateway stops' } as const)
        : await this.carryOut(act).catch((error: unknown) => ({ outcome: 'failed', why: reason(error) }) as const);
      queue.waiting--;
      this.underway.delete(act.key);
      if (queue.waiting === 0) this.tails.delete(lane);
      // Stopped in the middle: the row stays, and the next start decides.
      if (!this.stopping.signal.aborted) this.over(act, outcome, this.deps.clock.mono() - began);
      return outcome;
    });
    queue.tail = result.then(() => {});
    return result;
  }

  skipped(act: Act, why: string): void {
    this.over(act, { outcome: 'expired', why }, 0);
  }

  stop(): void {
    this.stopping.abort();
  }

  private over(act: Act, result: Outcome, ms: number): void {
    if (result.isPlain !== true && act.command === undefined) this.report(act, result, ms);
    const media = result.media === undefined ? {} : { media: result.media };
    this.deps.onInput({ kind: 'acted', key: act.key, ok: result.outcome === 'done', ...media });
  }

  private report(act: Act, { outcome, why, value, media }: Outcome, ms: number): void {
    const { step } = act;
    const data: JsonObject = {
      key: act.key,
      do: step.do,
      outcome,
      ms: Math.round(ms),
      ...(step.do === 'tell' ? { to: step.to } : { device: step.device }),
      ...(step.do === 'write' ? { point: step.point, value: step.value } : {}),
      ...(value === undefined ? {} : { read_back: value }),
      ...(media === undefined ? {} : { media: [{ ...media }] }),
      ...(why === undefined ? {} : { why }),
      ...(act.by === undefined ? {} : { by: act.by }),
      ...(act.alarm === undefined ? {} : { aid: act.alarm.aid }),
    };
    const subject = step.do === 'tell' ? {} : { subject: step.device };
    const correlation = act.alarm === undefined ? {} : { correlation: act.alarm.aid };
    if (outcome !== 'done') this.deps.log.warn('act.not_done', { key: act.key, outcome });
    this.deps.onEvent({ kind: 'command.result', at: this.deps.clock.now(), data, ...subject, ...correlation });
  }

  private carryOut(act: Act): Promise<Outcome> {
    const { step } = act;
    switch (step.do) {
      case 'write':
        return this.write(act, step.device, step.point, step.value);
      case 'tell':
        return this.tell(act, step.to, step.text);
      case 'snapshot':
        return this.snapshot(act, step.device);
      case 'clip':
        return Promise.resolve({
          outcome: 'failed',
          why: 'clips are not recorded here; take them from the camera or its recorder',
        });
    }
  }

  private async write(act: Act, device: string, point: string, value: Value): Promise<Outcome> {
    return this.tried(act, { ms: TRY_MS, tries: TRIES }, async (signal) => {
      const written = await this.deps.write(device, point, value, signal);
      if (written === undefined) return { outcome: 'failed', why: 'no such device' };
      if (written.done)
        return { outcome: 'done', ...(written.readBack === undefined ? {} : { value: written.readBack }) };
      return written.readBack === undefined ? 'nothing read back' : `read back ${String(written.readBack)}`;
    });
  }

  private async snapshot(act: Act, device: string): Promise<Outcome> {
    return this.tried(act, { ms: SNAP_MS, tries: SNAP_TRIES }, async (signal) => {
      const media = await this.deps.snapshot(device, signal);
      if (media === undefined) return { outcome: 'failed', why: 'no driver of this device takes pictures' };
      return { outcome: 'done', media };
    });
  }

  /** @param once what became of it, or why it is to be tried again */
  private async tried(
    act: Act,
    { ms, tries }: { readonly ms: number; readonly tries: number },
    once: (signal: AbortSignal) => Promise<Outcome | string>,
  ): Promise<Outcome> {
    let why = '';
    const begun = this.deps.clock.now();
    for (let attempt = 0; attempt < (act.command === undefined ? tries : 1); attempt++) {
      const mono = this.deps.clock.mono();
      const left = (act.command?.until ?? Number.POSITIVE_INFINITY) - mono;
      // The wall clock may be set in between.
      if (left <= 0 || (act.leaves && begun.wall - act.at + mono - begun.mono > ACT_WITHIN))
        return { outcome: 'expired', why: 'too late to begin' };
      const deadline = new AbortController();
      const timer = this.deps.clock.timer(act.step.do, Math.min(ms, left), () => deadline.abort());
      try {
        const result = await once(AbortSignal.any([deadline.signal, this.stopping.signal]));
        if (typeof result !== 'string') return result;
        why = result;
      } catch (error) {
        why = reason(error);
        if (isWeinaoError(error) && error.retry === 'never') break;
      } finally {
        timer.cancel();
      }
    }
    return { outcome: 'failed', why };
  }

  private async tell(act: Act, to: string, text: string | undefined): Promise<Outcome> {
    const person = this.deps.person(to);
    if (person === undefined) return { outcome: 'failed', why: 'nobody of this name' };
    // Screens listen to the event stream; alarms are on it already.
    if (person.screen === true) return { outcome: 'done', isPlain: true };
    if (person.feed !== undefined) {
      // The alarm is in the feed's buffer; whether it can be sent now decides if somebody else must hear at once.
      if (!this.deps.isFeedUp(person.feed)) this.unreachable(act);
      return { outcome: 'done', isPlain: true };
    }
    const body = messageOf(act.alarm, to, text);
    const began = this.deps.clock.mono();
    for (let i = 0; ; i++) {
      try {
        if (person.webhook === undefined) await this.deps.publish(person, body);
        else this.answered(person, await this.deps.post(person, body));
        return { outcome: 'done' };
      } catch (error) {
        if (i === 0) this.unreachable(act);
        const pause = PAUSES[Math.min(i, PAUSES.length - 1)] ?? 0;
        if (this.deps.clock.mono() - began + pause > GIVE_UP_MS) return { outcome: 'failed', why: reason(error) };
        await this.deps.clock.sleep('tell again', pause, this.stopping.signal);
      }
    }
  }

  /** A called system may answer with a form at once: the result of a call, sorted into its kinds. */
  private answered(person: Person, answer: unknown): void {
    const { form, fields } = (answer ?? {}) as { form?: unknown; fields?: unknown };
    if (typeof form !== 'string' || typeof fields !== 'object' || fields === null) return;
    this.deps.onInput({ kind: 'form', form, fields: fields as Record<string, unknown>, by: person.id });
  }

  private unreachable(act: Act): void {
    if (act.alarm !== undefined && act.key.includes('/escalated/'))
      this.deps.onInput({ kind: 'unreachable', aid: act.alarm.aid });
  }
}

/** What a person or another system is told of an alarm. */
export function messageOf(alarm: Alarm | undefined, to: string, text: string | undefined): JsonObject {
  if (alarm === undefined) return { to, text: text ?? '' };
  const data = alarmEventData(alarm);
  const said = renderTemplate(text ?? alarm.text, alarm.values);
  return { ...data, to, text: said };
}

const laneOf = ({ step }: Act): string => (step.do === 'tell' ? `person ${step.to}` : `device ${step.device}`);
const isSafe = (act: Act): boolean => !act.leaves && act.step.do === 'write';
const reason = (error: unknown): string =>
  (isWeinaoError(error) ? error.code : error instanceof Error ? error.message : String(error)).slice(0, 200);
