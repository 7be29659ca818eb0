/**
 * A unit test inside a rule document: what is fed, when, and what must come of it.
 *
 *   tests:
 *     - name: 开门 6 分钟
 *       at: "2026-06-01 22:00"          # local time at which it begins; noon of that day when left out
 *       on: gate_3                      # which instance; the first when left out
 *       poll: 10s                       # how often values are read again
 *       feed: {open: [0s false, 1m true], tank_1.level: [0s 2, 2h ~1.0]}   # `~` goes there in a straight line, `bad` is no value
 *       restart: {at: 3m, down: 1m}
 *       ack: 5m                         # also: reset, shelve
 *       enter: [{at: 1m, form: health, by: 王医生, fields: {…}}]
 *       expect: [{raise: 6m, level: blue, text: 未关}, {clear: 9m}, {tell: 6m, to: duty}, {write: 6m, to: siren_1.on, is: true},
 *                {value: 10m, is: 3}]
 *
 * Raises and clears of the instance must be exactly those expected, in order; tells and writes must be among those made. `expect: []`: nothing is
 * raised. A time is met when it is no more than one poll away.
 */
import type { Value } from '../../base/reading.ts';
import { formatDuration, parseDuration } from '../../base/time.ts';
import { type Fields, isBody } from '../language/fields.ts';

const POLL = 10_000;
const MOST_CASES = 50;
const MOST_STEPS = 2_000_000;

export interface Fed {
  readonly point: string;
  readonly steps: readonly { readonly at: number; readonly value: Value | undefined; readonly isLine: boolean }[];
}

export interface ExpectedEdge {
  readonly kind: 'raise' | 'clear';
  readonly at: number;
  readonly level?: string;
  readonly text?: string;
}

export type ExpectedDeed =
  | { readonly kind: 'tell'; readonly at: number; readonly to: string }
  | { readonly kind: 'write'; readonly at: number; readonly to: string; readonly value: Value }
  | { readonly kind: 'value'; readonly at: number; readonly is: Value };

export type Expected = ExpectedEdge | ExpectedDeed;

export const isEdge = (e: Expected): e is ExpectedEdge => e.kind === 'raise' || e.kind === 'clear';

export interface Entered {
  readonly at: number;
  readonly form: string;
  readonly by: string;
  /** who agrees, for forms that need a second person */
  readonly confirmed?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Case {
  readonly name: string;
  /** local `YYYY-MM-DD hh:mm` */
  readonly at?: string;
  readonly on?: string;
  readonly pollMs: number;
  readonly feed: readonly Fed[];
  readonly restarts: readonly { readonly at: number; readonly downMs: number }[];
  readonly acts: readonly { readonly at: number; readonly do: 'ack' | 'reset' | 'shelve' }[];
  readonly entered: readonly Entered[];
  readonly expect: readonly Expected[];
  readonly untilMs: number;
}

const KEYS = ['name', 'at', 'on', 'poll', 'feed', 'restart', 'ack', 'reset', 'shelve', 'enter', 'until', 'expect'];
const EXPECT_KEYS = ['raise', 'clear', 'tell', 'write', 'value', 'level', 'text', 'to', 'is'];

export function readCases(fields: Fields): readonly Case[] {
  const list = fields.list('tests', '[{feed: {open: [0s false, 1m true]}, expect: [{raise: 6m}]}]') ?? [];
  return list
    .slice(0, MOST_CASES)
    .map((f, i) => readCase(f, i))
    .filter((c) => c !== undefined);
}

function readCase(fields: Fields, i: number): Case | undefined {
  fields.only(KEYS);
  const feed = readFeed(fields);
  const restarts = readRestarts(fields);
  const acts = (['ack', 'reset', 'shelve'] as const).flatMap((key) =>
    (fields.words(key) ?? []).map((word) => ({ at: timeOf(word, key, fields), do: key })),
  );
  const entered = readEntered(fields);
  const expect = (fields.list('expect', '[{raise: 6m}]') ?? []).map(readExpected).filter((e) => e !== undefined);
  const pollMs = fields.duration('poll') ?? POLL;
  const times = [
    ...feed.flatMap((f) => f.steps.map((s) => s.at)),
    ...restarts.map((r) => r.at + r.downMs),
    ...acts.map((a) => a.at),
    ...entered.map((e) => e.at),
    ...expect.map((e) => e.at),
  ];
  const untilMs = fields.duration('until') ?? Math.max(0, ...times) + pollMs;
  if ((untilMs / pollMs) * Math.max(1, feed.length) > MOST_STEPS) fields.wrong('rules.test_too_long', ['poll']);
  const at = fields.text('at');
  const on = fields.text('on');
  if (!fields.ok) return undefined;
  return {
    name: fields.text('name') ?? `#${i + 1}`,
    ...(at === undefined ? {} : { at }),
    ...(on === undefined ? {} : { on }),
    pollMs,
    feed,
    restarts,
    acts,
    entered,
    expect,
    untilMs,
  };
}

function readFeed(fields: Fields): Fed[] {
  const feed = fields.object('feed', '{open: [0s false, 1m true]}');
  return (feed?.entries() ?? []).map(([point]) => ({
    point,
    steps: (feed?.words(point) ?? []).map((word) => {
      const space = word.indexOf(' ');
      const said = word.slice(space + 1).trim();
      const isLine = said.startsWith('~');
      return {
        at: timeOf(word.slice(0, Math.max(0, space)), point, feed ?? fields),
        value: valueIn(isLine ? said.slice(1) : said),
        isLine,
      };
    }),
  }));
}

/** `bad` is no value at all */
function valueIn(word: string): Value | undefined {
  if (word === 'bad') return undefined;
  if (word === 'true' || word === 'false') return word === 'true';
  const number = Number(word);
  return word !== '' && Number.isFinite(number) ? number : word;
}

function timeOf(word: string, key: string, fields: Fields): number {
  const ms = parseDuration(word);
  if (ms === undefined) fields.wrong('rules.bad_duration', [key], { given: word.slice(0, 60) });
  return ms ?? 0;
}

function readRestarts(fields: Fields): Case['restarts'] {
  const restart = isBody(fields.body.restart)
    ? [fields.object('restart', '')]
    : (fields.list('restart', '[{at: 3m, down: 1m}]') ?? []);
  return restart.flatMap((r) => {
    if (r === undefined) return [];
    r.only(['at', 'down']);
    return [{ at: r.duration('at') ?? 0, downMs: r.duration('down') ?? 0 }];
  });
}

function readEntered(fields: Fields): Entered[] {
  return (fields.list('enter', '[{at: 1m, form: report, by: 张, fields: {kind: 噪音}}]') ?? []).map((e) => {
    e.only(['at', 'form', 'by', 'confirmed', 'fields']);
    const confirmed = e.text('confirmed');
    return {
      at: e.duration('at') ?? 0,
      form: e.text('form', true) ?? '',
      by: e.text('by') ?? 'test',
      ...(confirmed === undefined ? {} : { confirmed }),
      fields: e.object('fields', '{kind: 噪音}')?.body ?? {},
    };
  });
}

function readExpected(fields: Fields): Expected | undefined {
  fields.only(EXPECT_KEYS);
  const kind = (['raise', 'clear', 'tell', 'write', 'value'] as const).find((k) => fields.has(k));
  if (kind === undefined) return fields.wrong('rules.missing', [], { key: 'raise | clear | tell | write | value' });
  const at = fields.duration(kind) ?? 0;
  if (kind === 'raise' || kind === 'clear') {
    const level = fields.text('level');
    const text = fields.text('text');
    return { kind, at, ...(level === undefined ? {} : { level }), ...(text === undefined ? {} : { text }) };
  }
  if (kind === 'tell') return { kind, at, to: fields.text('to', true) ?? '' };
  const is = fields.value('is');
  if (is === undefined) return fields.wrong('rules.missing', [], { key: 'is' });
  return kind === 'value' ? { kind, at, is } : { kind, at, to: fields.text('to', true) ?? '', value: is };
}

export function sayExpected(e: Expected): string {
  const at = formatDuration(e.at);
  switch (e.kind) {
    case 'raise':
    case 'clear':
      return [e.kind, at, e.level ?? '', e.text ?? ''].filter((w) => w !== '').join(' ');
    case 'tell':
      return `tell ${at} ${e.to}`;
    case 'write':
      return `write ${at} ${e.to} = ${String(e.value)}`;
    case 'value':
      return `value ${at} = ${String(e.is)}`;
  }
}
