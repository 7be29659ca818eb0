/** `do`, `undo`, `set`: what is done in the world (rules.md 5.7). A step is one word with a name, or a write. */
import type { Value } from '../../base/reading.ts';
import { hints, nearest } from '../../base/suggest.ts';
import { type Fields, isBody, isValue } from './fields.ts';

export type ActionSpec =
  | {
      readonly do: 'write';
      /** `device.point`, or a point of the rule's own device */
      readonly target: string;
      readonly value: Value;
      readonly stopAfterMs?: number;
      /** what stop_after writes; the opposite, or 0 */
      readonly stop: Value;
    }
  | { readonly do: 'snapshot' | 'clip'; readonly of: string }
  | { readonly do: 'tell'; readonly to: readonly string[]; readonly text?: string };

/** All of them tell somebody; what that means stands with the name under `people`. */
const TELLING = ['screen', 'notify', 'webhook', 'mqtt'] as const;
const STEPS = ['write', 'snapshot', 'clip', ...TELLING];

export interface ReadAction {
  readonly action: ActionSpec;
  readonly path: readonly (string | number)[];
}

export function readActions(fields: Fields, key: 'do' | 'undo'): readonly ReadAction[] {
  const steps = fields.list(key, '[{screen: duty}, {write: {siren.on: true}, stop_after: 10m}]') ?? [];
  return steps.flatMap((step, i) => readStep(step).map((action) => ({ action, path: [key, i] })));
}

function readStep(step: Fields): readonly ActionSpec[] {
  const kind = STEPS.find((s) => step.has(s));
  if (kind === undefined) {
    const given = Object.keys(step.body)[0] ?? '';
    step.wrong(
      'rules.bad_choice',
      [given],
      { given, choices: STEPS.join(' '), ...hints(nearest(given, STEPS)) },
      { atKey: true },
    );
    return [];
  }
  if (kind === 'write') return readWrites(step);
  step.only([kind, 'text']);
  if (kind === 'snapshot' || kind === 'clip') {
    const of = step.text(kind, true);
    return of === undefined ? [] : [{ do: kind, of }];
  }
  const to = step.words(kind);
  const text = step.text('text');
  return to === undefined ? [] : [{ do: 'tell', to, ...(text === undefined ? {} : { text }) }];
}

function readWrites(step: Fields): ActionSpec[] {
  step.only(['write', 'stop_after', 'stop']);
  const body = step.body.write;
  const stopAfterMs = step.duration('stop_after');
  const stop = step.value('stop');
  const writes = isBody(body) ? Object.entries(body) : [];
  if (writes.length === 0 || !writes.every(([, v]) => isValue(v))) {
    step.wrong('rules.wrong_type', ['write'], {
      key: 'write',
      zh: '映射，例如 {siren_1.on: true}',
      en: 'a mapping such as {siren_1.on: true}',
    });
    return [];
  }
  return writes.map(([target, value]) => ({
    do: 'write',
    target,
    value: value as Value,
    stop: stop ?? opposite(value as Value),
    ...(stopAfterMs === undefined ? {} : { stopAfterMs }),
  }));
}

const opposite = (value: Value): Value => (typeof value === 'boolean' ? !value : typeof value === 'number' ? 0 : '');

export interface EscalationStep {
  readonly afterMs: number;
  readonly to: readonly string[];
}
