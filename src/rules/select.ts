/** Which devices or places a rule has instances for. */
import type { DeviceModel, SiteModel } from '../base/model.ts';
import { hints, nearest } from '../base/suggest.ts';
import type { Complain, RuleSpec, Selector } from './spec.ts';

/** Where an instance's bare names come from. */
export interface Scope {
  /** the instance's key */
  readonly id: string;
  readonly device?: DeviceModel;
  readonly zone?: string;
  /** devices whose points have bare names */
  readonly devices: readonly DeviceModel[];
}

export function scopesOf(spec: RuleSpec, site: SiteModel, complain: Complain): readonly Scope[] {
  if (spec.each === undefined) return [{ id: 'site', devices: [] }];
  if (!checkWords(spec.each, site, complain)) return [];
  const scopes = spec.each.zone === undefined ? byDevice(spec.each, site) : byZone(spec.each.zone, site);
  if (scopes.length === 0) complain('rules.matches_nothing', ['each'], {}, { severity: 'warning' });
  return scopes;
}

function checkWords(each: Selector, site: SiteModel, complain: Complain): boolean {
  let ok = true;
  const check = (
    key: 'device' | 'in',
    words: readonly string[],
    known: Iterable<string>,
    zh: string,
    en: string,
  ): void => {
    const all = [...known];
    for (const given of words) {
      if (all.includes(given) || given.includes('*')) continue;
      ok = false;
      complain('rules.unknown_ref', ['each', key], { given, zh, en, ...hints(nearest(given, all)) });
    }
  };
  check('device', each.device ?? [], site.devices.keys(), '设备', 'device');
  check('in', each.in ?? [], site.places.keys(), '位置', 'place');
  return ok;
}

function byDevice(each: Selector, site: SiteModel): Scope[] {
  const within = each.in;
  return [...site.devices.values()]
    .filter((d) => each.device === undefined || each.device.some((g) => glob(g, d.id)))
    .filter((d) => each.type === undefined || (d.type !== undefined && each.type.includes(d.type)))
    .filter((d) => each.tag === undefined || each.tag.every((t) => d.tags.includes(t)))
    .filter((d) => within === undefined || placesAround(d.zone, site).some((p) => within.some((g) => glob(g, p))))
    .map((device) => ({
      id: device.id,
      device,
      ...(device.zone === undefined ? {} : { zone: device.zone }),
      devices: [device],
    }));
}

function byZone(patterns: readonly string[], site: SiteModel): Scope[] {
  return [...site.places.keys()]
    .filter((id) => patterns.some((p) => glob(p, id)))
    .map((id) => ({
      id,
      zone: id,
      devices: [...site.devices.values()].filter((d) => placesAround(d.zone, site).includes(id)),
    }));
}

/** A place and everything it lies in. */
export function placesAround(zone: string | undefined, site: SiteModel): string[] {
  const around: string[] = [];
  for (let at = zone; at !== undefined && !around.includes(at); at = site.places.get(at)?.in) around.push(at);
  return around;
}

/** `*` stands for any letters. */
export function glob(pattern: string, word: string): boolean {
  const parts = pattern.split('*');
  const [head = ''] = parts;
  if (parts.length === 1) return pattern === word;
  if (!word.startsWith(head)) return false;
  let at = head.length;
  for (const part of parts.slice(1, -1)) {
    const found = word.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  const tail = parts.at(-1) ?? '';
  return word.length - at >= tail.length && word.endsWith(tail);
}
