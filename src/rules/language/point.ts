/** `point` and `control` documents: values derived from others, and outputs that follow them. */

import type { DataClass } from '../../base/data-class.ts';
import { isId } from '../../base/ids.ts';
import type { RuleDocument } from '../../base/model.ts';
import { isUnit } from '../../base/units.ts';
import { type Fields, isBody } from './fields.ts';
import { type Lets, readLets } from './rule.ts';
import { readSelector, type Selector } from './selector.ts';
import { readWindow, readWindows, type WindowSpec } from './window.ts';

const CLASSES = ['none', 'personal', 'sensitive'] as const;
const EVERY = 15 * 60_000;

export interface PointSpec {
  readonly document: RuleDocument;
  /** `device.point` for a point of its own, `type.point` with `each` */
  readonly id: string;
  readonly owner: string;
  readonly point: string;
  readonly name?: string;
  readonly unit?: string;
  readonly each?: Selector;
  readonly windows: readonly WindowSpec[];
  readonly when?: string;
  /** an expression, or one window */
  readonly value: string | WindowSpec;
  /** undefined: as its inputs */
  readonly class?: DataClass;
  readonly sendChange: number;
  readonly sendEveryMs: number;
  readonly lets: Lets;
}

export const POINT_KEYS = ['point', 'name', 'unit', 'each', 'with', 'when', 'value', 'send', 'class', 'let', 'tests'];

export function readPoint(fields: Fields, document: RuleDocument): PointSpec | undefined {
  fields.only(POINT_KEYS);
  const id = fields.text('point', true) ?? '';
  const [owner = '', point = '', ...more] = id.split('.');
  if (!isId(owner) || !isId(point) || more.length > 0) fields.wrong('rules.bad_point_id', ['point'], { given: id });
  const each = readSelector(fields.object('each', '{type: pump}'));
  const value = isBody(fields.body.value)
    ? readWindow('value', fields.into(fields.body.value, ['value']))
    : fields.text('value', true);
  const send = fields.object('send', '{change: 1, every: 60s}')?.only(['change', 'every']);
  const unit = fields.text('unit');
  if (unit !== undefined && !isUnit(unit)) fields.wrong('rules.bad_unit', ['unit'], { given: unit });
  const name = fields.text('name');
  const when = fields.text('when');
  if (!fields.ok || value === undefined) return undefined;
  return {
    document,
    id,
    owner,
    point,
    ...(name === undefined ? {} : { name }),
    ...(unit === undefined ? {} : { unit }),
    ...(each === undefined ? {} : { each }),
    windows: readWindows(fields.object('with', '{high: {max: level, over: 1h}}')),
    ...(when === undefined ? {} : { when }),
    value,
    ...readClass(fields),
    sendChange: send?.number('change') ?? 0,
    sendEveryMs: send?.duration('every') ?? EVERY,
    lets: readLets(fields),
  };
}

/** `class: personal`, or the standard's grade with whom it concerns: `{grade: 3, person: personal}`. */
function readClass(fields: Fields): Pick<PointSpec, 'class'> {
  const whole = isBody(fields.body.class)
    ? fields.object('class', '{grade: 3, person: personal}')?.only(['grade', 'person']).choice('person', CLASSES)
    : fields.choice('class', CLASSES);
  return whole === undefined ? {} : { class: whole };
}

export interface ControlSpec {
  readonly document: RuleDocument;
  readonly id: string;
  readonly name: string;
  readonly each?: Selector;
  readonly windows: readonly WindowSpec[];
  /** point (own or device.point) -> expression */
  readonly set: readonly { readonly target: string; readonly value: string }[];
  /** least time between two writes */
  readonly holdMs: number;
  /** how long a person's own switching is respected */
  readonly overrideMs: number;
  readonly only: readonly string[];
  readonly lets: Lets;
  readonly mode: 'live' | 'shadow' | 'off';
}

export const CONTROL_KEYS = [
  'control',
  'name',
  'each',
  'with',
  'set',
  'hold',
  'override',
  'only',
  'let',
  'mode',
  'tests',
];
const OVERRIDE = 30 * 60_000;

export function readControl(fields: Fields, document: RuleDocument): ControlSpec | undefined {
  fields.only(CONTROL_KEYS);
  const id = fields.text('control', true) ?? '';
  if (id !== '' && !isId(id)) fields.wrong('rules.bad_id', ['control'], { given: id });
  const each = readSelector(fields.object('each', '{type: lamp}'));
  if (!fields.has('set')) fields.wrong('rules.missing', [], { key: 'set' });
  const set = fields.object('set', '{dim: "dark ? 60 : 0"}');
  const targets = (set?.entries() ?? []).map(([target]) => ({ target, value: set?.text(target) ?? '' }));
  return {
    document,
    id,
    name: fields.text('name') ?? id,
    ...(each === undefined ? {} : { each }),
    windows: readWindows(fields.object('with', '{idle: {since: motion, of: {type: pir}}}')),
    set: targets,
    holdMs: fields.duration('hold') ?? 0,
    overrideMs: fields.duration('override') ?? OVERRIDE,
    only: fields.words('only') ?? [],
    lets: readLets(fields),
    mode: fields.choice('mode', ['live', 'shadow', 'off']) ?? 'live',
  };
}
