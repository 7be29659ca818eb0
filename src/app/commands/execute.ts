/** How a granted command is carried out: by the same ways as a person's hand on the spot. */
import type { Alarm } from '../../base/alarm.ts';
import type { Command, CommandAsk } from '../../base/command.ts';
import type { Clock } from '../../base/ports.ts';
import type { Value } from '../../base/reading.ts';
import type { Act, ActStep, Answer, Operation } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';
import type { Outcome } from '../perform.ts';
import type { Ended } from './desk.ts';
import { keyOf } from './row.ts';

/** What carries a command out. */
export interface Hands {
  readonly clock: Clock;
  readonly openAlarms: () => readonly Alarm[];
  readonly operate: (ask: Operation) => Promise<Answer>;
  readonly perform: (act: Act) => Promise<Outcome>;
  /** an output is switched by hand: its control keeps off */
  readonly byHand: (device: string, point: string) => void;
  readonly probe: (
    device: string,
    points: readonly string[],
    signal: AbortSignal,
  ) => Promise<{ readonly readings: readonly { readonly point: string; readonly value: Value | null }[] }> | undefined;
}

export async function execute(feed: string, command: Command, until: number, deps: Hands): Promise<Ended> {
  const { ask } = command;
  if (ask.do === 'write') {
    deps.byHand(ask.device, ask.point);
    return ended(await deps.perform(actOf(feed, command, { ...ask }, until, deps.clock.now())));
  }
  if (ask.do === 'snapshot')
    return ended(
      await deps.perform(actOf(feed, command, { do: 'snapshot', device: ask.device }, until, deps.clock.now())),
    );
  const by = `${feed}/${command.by}`;
  if (ask.do === 'ack' || ask.do === 'shelve' || ask.do === 'unshelve') {
    // Only the whole id: a platform knows it, and nobody guesses it.
    const alarm = deps.openAlarms().find((a) => a.aid === ask.aid);
    if (alarm === undefined) return { outcome: 'denied', reason: 'alarms.unknown' };
    if (ask.do === 'ack' && alarm.ack === 'acked' && ask.rev >= (alarm.asks ?? 1)) return { outcome: 'done' };
  }
  const answer = await deps.operate(operationOf(ask, by, command.why ?? ''));
  return answer.ok ? { outcome: 'done' } : { outcome: 'denied', reason: answer.code };
}

const actOf = (feed: string, command: Command, step: ActStep, until: number, { wall }: Instant): Act => ({
  key: `command/${keyOf(feed, command)}`,
  step,
  leaves: true,
  at: wall,
  by: command.by,
  command: { until },
});

function operationOf(ask: Exclude<CommandAsk, { do: 'write' | 'snapshot' }>, by: string, reason: string): Operation {
  switch (ask.do) {
    case 'ack':
      return { kind: 'ack', aid: ask.aid, rev: ask.rev, by };
    case 'shelve':
      return { kind: 'shelve', aid: ask.aid, forMs: ask.forMs, by, reason };
    case 'unshelve':
      return { kind: 'unshelve', aid: ask.aid, by };
    case 'form':
      return { kind: 'form', form: ask.form, fields: ask.fields, by };
    case 'maint':
      return ask.forMs === undefined
        ? { kind: 'maintained', what: ask.what, by }
        : { kind: 'maintain', what: ask.what, forMs: ask.forMs, by, reason };
  }
}

const ended = ({ outcome, why, value }: Outcome): Ended => ({
  outcome,
  ...(why === undefined ? {} : { reason: why }),
  ...(value === undefined ? {} : { value }),
});

/** A person whose yes a command needs is told of it. */
export const askingFor = (person: string, feed: string, command: Command, wall: number): Act => ({
  key: `command/${keyOf(feed, command)}/ask`,
  step: { do: 'tell', to: person, text: whatIsAsked(feed, command) },
  leaves: false,
  at: wall,
});

function whatIsAsked(feed: string, { id, ask, by }: Command): string {
  const what = ask.do === 'write' ? `${ask.device}.${ask.point} = ${String(ask.value)}` : ask.do;
  return `${feed} ${by}: ${what}; weinao confirm ${id}`;
}

const READ_MS = 10_000;
const READ_AGAIN = 500;

/** A point's value as its device says it now; after a start its line may not be open yet. Undefined when it says nothing. */
export async function readNow(
  { clock, probe }: Pick<Hands, 'clock' | 'probe'>,
  device: string,
  point: string,
  stopping: AbortSignal,
): Promise<Value | undefined> {
  const deadline = new AbortController();
  const timer = clock.timer('read back', READ_MS, () => deadline.abort());
  const signal = AbortSignal.any([deadline.signal, stopping]);
  try {
    while (!signal.aborted) {
      const read = await probe(device, [point], signal)?.catch(() => undefined);
      const value = read?.readings.find((r) => r.point === point)?.value ?? undefined;
      if (value !== undefined) return value;
      await clock.sleep('read back', READ_AGAIN, signal).catch(() => {});
    }
    return undefined;
  } finally {
    timer.cancel();
  }
}
