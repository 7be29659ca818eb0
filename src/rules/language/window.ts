/** `with: {name: {fn: source, over, …}}`: windowed inputs of a rule (rules.md 3 and 5.4). */
import type { Value } from '../../base/reading.ts';
import { hints, nearest } from '../../base/suggest.ts';
import { type Fields, isBody } from './fields.ts';
import { readSelector, type Selector } from './selector.ts';

export const FUNCTIONS = [
  'min',
  'max',
  'avg',
  'sum',
  'count',
  'delta',
  'rate',
  'median',
  'p95',
  'stdev',
  'changes',
  'ontime',
  'since',
  'first',
  'last',
  'top',
  'eta',
  'drift',
  'nearest',
] as const;
export type WindowFunction = (typeof FUNCTIONS)[number];

/** Without a span they tell of the newest values of the devices in `of`. */
const INSTANT: readonly WindowFunction[] = ['min', 'max', 'avg', 'sum', 'count', 'median'];
const SPANLESS: readonly WindowFunction[] = ['since', 'nearest'];

const NEED = 0.7;
const MAX_OVER = 90 * 86_400_000;
const LEAST = 1000;

export interface WindowSpec {
  readonly name: string;
  readonly fn: WindowFunction;
  /** point, device.point, type.point, form.field, or another window; for nearest a device type */
  readonly source: string;
  readonly overMs?: number;
  readonly everyMs?: number;
  /** share of the span that must have been seen; below it the window is unknown */
  readonly need: number;
  /** named time or `02:00 .. 04:00` */
  readonly between?: string;
  readonly of?: Selector;
  /** count, ontime, since: of this value */
  readonly is: Value;
  /** eta: the level that is waited for */
  readonly to?: number;
  /** drift: how far back the base reaches */
  readonly againstMs?: number;
  /** top: how many, and how many different people must have said it */
  readonly n: number;
  readonly atLeast: number;
  /** nearest: only those of which this holds */
  readonly where?: string;
}

export const WINDOW_KEYS = ['over', 'every', 'need', 'between', 'of', 'is', 'to', 'against', 'n', 'at_least', 'where'];

export function readWindows(fields: Fields | undefined): readonly WindowSpec[] {
  if (fields === undefined) return [];
  return fields.entries().flatMap(([name, body]) => {
    if (!isBody(body)) {
      fields.wrong('rules.wrong_type', [name], {
        key: name,
        zh: '映射，例如 {max: level, over: 1h}',
        en: 'a mapping such as {max: level, over: 1h}',
      });
      return [];
    }
    const window = readWindow(name, fields.into(body, [name]));
    return window === undefined ? [] : [window];
  });
}

export function readWindow(name: string, fields: Fields): WindowSpec | undefined {
  const fn = FUNCTIONS.find((f) => fields.has(f));
  if (fn === undefined) {
    const given = Object.keys(fields.body).find((k) => !WINDOW_KEYS.includes(k)) ?? '';
    return fields.wrong('rules.no_function', [], {
      given,
      choices: FUNCTIONS.join(' '),
      ...hints(nearest(given, FUNCTIONS)),
    });
  }
  fields.only([fn, ...WINDOW_KEYS]);
  const overMs = fields.duration('over');
  const everyMs = fields.duration('every');
  const between = fields.text('between');
  const of = readSelector(fields.object('of', '{type: bay}'), true);
  const to = fields.number('to');
  const againstMs = fields.duration('against');
  const where = fields.text('where');
  const window: WindowSpec = {
    name,
    fn,
    source: fields.text(fn, true) ?? '',
    need: fields.number('need') ?? NEED,
    is: fields.value('is') ?? true,
    n: fields.number('n') ?? 10,
    atLeast: fields.number('at_least') ?? 3,
    ...(overMs === undefined ? {} : { overMs }),
    ...(everyMs === undefined ? {} : { everyMs }),
    ...(between === undefined ? {} : { between }),
    ...(of === undefined ? {} : { of }),
    ...(to === undefined ? {} : { to }),
    ...(againstMs === undefined ? {} : { againstMs }),
    ...(where === undefined ? {} : { where }),
  };
  return check(window, fields);
}

function check(window: WindowSpec, fields: Fields): WindowSpec | undefined {
  const { fn, overMs, everyMs, of } = window;
  const span = overMs ?? everyMs;
  const isInstant = of !== undefined && INSTANT.includes(fn);
  if (span === undefined && !SPANLESS.includes(fn) && !isInstant)
    return fields.wrong('rules.no_span', [fn], { key: fn }, { atKey: true });
  for (const key of ['over', 'every', 'against'] as const) {
    const ms = { over: overMs, every: everyMs, against: window.againstMs }[key];
    if (ms !== undefined && (ms < LEAST || ms > MAX_OVER)) return fields.wrong('rules.bad_span', [key]);
  }
  if (window.need < 0 || window.need > 1) return fields.wrong('rules.bad_share', ['need']);
  if (fn === 'eta' && window.to === undefined) return fields.wrong('rules.missing', [], { key: 'to' });
  if (fn === 'drift' && window.againstMs === undefined) return fields.wrong('rules.missing', [], { key: 'against' });
  return fields.ok ? window : undefined;
}
