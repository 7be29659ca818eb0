/** Who listens to what, so that a reading nobody reads costs two look-ups. */

import type { Sources } from '../compile/sources.ts';
import { expressionsOf, type Unit } from '../compile/units.ts';

export interface Subscriber {
  /** index of the unit */
  readonly unit: number;
  /** an expression reads it */
  isDirect: boolean;
  /** it belongs to a device a nearest window looks at */
  isNear: boolean;
  readonly isEvent: boolean;
  /** [window, source] */
  readonly windows: [number, number][];
  /** [part of the pattern, source] */
  readonly parts: [number, number][];
  /** forms: only entries about this place */
  readonly zone?: string;
}

const NOBODY: readonly Subscriber[] = [];
const NONE: readonly number[] = [];

export class Subscriptions {
  private readonly points = new Map<string, Map<string, Subscriber[]>>();
  private readonly forms = new Map<string, Subscriber[]>();
  private readonly alarms = new Map<string, number[]>();

  constructor(units: readonly Unit[], isEvent: (device: string, point: string) => boolean) {
    for (const [i, unit] of units.entries()) {
      for (const expression of expressionsOf(unit)) {
        for (const { ref } of expression.reads)
          if (ref.kind === 'point') this.at(ref.device, ref.point, i, isEvent).isDirect = true;
        for (const rule of expression.alarms) {
          const known = this.alarms.get(rule) ?? [];
          if (!known.includes(i)) this.alarms.set(rule, [...known, i]);
        }
      }
      const kept = unit.windows.filter((w) => w.near === undefined);
      for (const [w, { sources }] of kept.entries()) this.listen(sources, i, isEvent, (s, n) => s.windows.push([w, n]));
      const parts = unit.kind === 'rule' ? (unit.pattern ?? []) : [];
      for (const [p, { sources }] of parts.entries()) this.listen(sources, i, isEvent, (s, n) => s.parts.push([p, n]));
      for (const { near } of unit.windows)
        for (const { device, points } of near ?? [])
          for (const { id } of points) this.at(device, id, i, isEvent).isNear = true;
    }
  }

  point(device: string, point: string): readonly Subscriber[] {
    return this.points.get(device)?.get(point) ?? NOBODY;
  }

  form(form: string, field: string): readonly Subscriber[] {
    return this.forms.get(`${form}.${field}`) ?? NOBODY;
  }

  /** units that ask about this rule's alarms */
  alarm(rule: string): readonly number[] {
    return this.alarms.get(rule) ?? NONE;
  }

  private listen(
    sources: Sources,
    unit: number,
    isEvent: (device: string, point: string) => boolean,
    add: (subscriber: Subscriber, source: number) => void,
  ): void {
    if (sources.kind === 'points')
      for (const [n, { device, point }] of sources.points.entries()) add(this.at(device, point.id, unit, isEvent), n);
    if (sources.kind !== 'form') return;
    const { form, field, zone } = sources.form;
    const key = `${form}.${field}`;
    const subscriber: Subscriber = {
      unit,
      isDirect: false,
      isNear: false,
      isEvent: true,
      windows: [],
      parts: [],
      ...(zone === undefined ? {} : { zone }),
    };
    add(subscriber, 0);
    this.forms.set(key, [...(this.forms.get(key) ?? []), subscriber]);
  }

  private at(device: string, point: string, unit: number, isEvent: (d: string, p: string) => boolean): Subscriber {
    const points = this.points.get(device) ?? new Map<string, Subscriber[]>();
    this.points.set(device, points);
    const list = points.get(point) ?? [];
    points.set(point, list);
    const known = list.at(-1);
    if (known?.unit === unit) return known;
    const subscriber: Subscriber = {
      unit,
      isDirect: false,
      isNear: false,
      isEvent: isEvent(device, point),
      windows: [],
      parts: [],
    };
    list.push(subscriber);
    return subscriber;
  }
}
