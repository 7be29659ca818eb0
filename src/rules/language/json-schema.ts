/**
 * The language as a JSON schema, for editors that complete and check while a rule is written (scripts/schemas.ts). It knows keys, choices and
 * shapes; what a name means is known only by `weinao rules check`, which has the site beside it.
 */
import { THEMES } from '../../base/alarm.ts';
import { LEVELS } from '../../base/event.ts';
import type { JsonObject } from '../../base/json.ts';
import { FORM_FIELD_KEYS, FORM_KEYS } from './form.ts';
import { CONTROL_KEYS, POINT_KEYS } from './point.ts';
import { MODES, RULE_KEYS, UNKNOWN } from './rule.ts';
import { SELECTORS } from './selector.ts';
import { FUNCTIONS, WINDOW_KEYS } from './window.ts';

const text: JsonObject = { type: 'string' };
const words: JsonObject = { anyOf: [text, { type: 'array', items: text }] };
const duration: JsonObject = { type: 'string', pattern: '^[0-9.]+(ms|s|m|h|d)$', description: '500ms 2s 15m 48h 30d' };
const number: JsonObject = { type: 'number' };
const value: JsonObject = { type: ['boolean', 'number', 'string'] };
const condition: JsonObject = { type: ['string', 'boolean'], description: 'CEL: level < 1.5 && pump' };
const id: JsonObject = { type: 'string', pattern: '^[a-z][a-z0-9_]*$' };
const choice = (choices: readonly string[]): JsonObject => ({ enum: [...choices] });
const map = (items: JsonObject): JsonObject => ({ type: 'object', additionalProperties: items });
const list = (items: JsonObject): JsonObject => ({ type: 'array', items });

/** Every key of the list, the described ones with their shape. */
function shape(
  keys: readonly string[],
  known: Readonly<Record<string, JsonObject>>,
  required: readonly string[] = [],
): JsonObject {
  return {
    type: 'object',
    properties: Object.fromEntries(keys.map((key) => [key, known[key] ?? {}])),
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required: [...required] }),
  };
}

const selector = shape([...SELECTORS], Object.fromEntries(SELECTORS.map((key) => [key, words])));
const span: JsonObject = { type: 'string', description: '22:00 .. 06:00, sunset+30m .. sunrise-30m' };
const window = shape([...FUNCTIONS, ...WINDOW_KEYS], {
  ...Object.fromEntries(FUNCTIONS.map((fn) => [fn, text])),
  over: duration,
  every: duration,
  against: duration,
  need: { type: 'number', minimum: 0, maximum: 1 },
  between: text,
  of: shape([...SELECTORS, 'near'], { ...Object.fromEntries(SELECTORS.map((key) => [key, words])), near: number }),
  is: value,
  to: number,
  n: number,
  at_least: number,
  where: condition,
});
const tell = { text, screen: words, notify: words, webhook: words, mqtt: words };
const step = shape(['write', 'stop_after', 'stop', 'snapshot', 'clip', ...Object.keys(tell)], {
  ...tell,
  write: map(value),
  stop_after: duration,
  stop: value,
  snapshot: text,
  clip: text,
});
const common: Readonly<Record<string, JsonObject>> = {
  name: text,
  each: selector,
  with: map(window),
  let: map(value),
  mode: choice(MODES),
  tests: list({ type: 'object' }),
};

const rule = shape(
  RULE_KEYS,
  {
    ...common,
    rule: id,
    theme: choice(THEMES),
    when: condition,
    for: duration,
    keep: duration,
    clear: condition,
    together: map(text),
    // a property of this name would make a promise of the table
    ...Object.fromEntries([['then', list(text)]]),
    within: duration,
    only: words,
    unless: condition,
    unknown: { enum: [...UNKNOWN, true, false] },
    level: { anyOf: [choice(LEVELS), { type: 'string' }] },
    text,
    act: text,
    do: list(step),
    undo: list(step),
    escalate: map(words),
    until: choice(['ack', 'clear']),
    latch: { type: 'boolean' },
    rearm: duration,
    flap: shape(['more_than', 'over', 'settle'], { more_than: number, over: duration, settle: duration }),
    shelve: { anyOf: [duration, choice(['never'])] },
  },
  ['rule', 'level'],
);
const point = shape(
  POINT_KEYS,
  {
    ...common,
    point: { type: 'string', description: 'type.point' },
    unit: text,
    when: condition,
    value: { anyOf: [condition, window] },
    send: shape(['change', 'every'], { change: number, every: duration }),
    class: { anyOf: [choice(['none', 'personal', 'sensitive']), { type: 'object' }] },
  },
  ['point', 'value'],
);
const control = shape(
  CONTROL_KEYS,
  { ...common, control: id, set: map(condition), hold: duration, override: duration, only: words },
  ['control', 'set'],
);
const form = shape(
  FORM_KEYS,
  {
    ...common,
    form: id,
    from: words,
    confirm: number,
    keep_days: { type: 'integer', minimum: 1, maximum: 3650 },
    fields: list(
      shape(FORM_FIELD_KEYS, {
        id,
        label: text,
        pick: words,
        text: number,
        number: { type: 'array', items: number },
        place: { type: 'boolean' },
        must: { type: 'boolean' },
        person: choice(['none', 'personal', 'sensitive']),
      }),
    ),
  },
  ['form', 'fields'],
);
const times = shape(['times'], { times: map(span) }, ['times']);

export function rulesJsonSchema(): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'weinao rules',
    anyOf: [rule, point, control, form, times],
  };
}
