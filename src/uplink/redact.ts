/**
 * How an event's data looks to a feed that may not see all of it. Pure.
 *
 * - The feed's own words (PLAIN: levels, states, times, ids of rules) leave as they are; labels (LABELS) without phone and identity numbers.
 * - Values and fields leave by the class that stands beside them; every other text is taken for personal.
 * - `by` is masked (王＊), and so is who confirmed a command; the id of a thing that is personal becomes a pseudonym wherever it stands; a withheld part of an alarm's text reads （略）.
 * - Where the view names the class `personal`, texts leave unscrubbed, unless it says `scrub: true`.
 */
import { renderTemplate } from '../base/alarm-text.ts';
import type { DataClass } from '../base/data-class.ts';
import type { StoredEvent } from '../base/event.ts';
import { fitting, type Json, type JsonObject } from '../base/json.ts';
import { mask, scrub, WITHHELD } from '../base/scrub.ts';
import { isNamed, type NamedClass, type Rights } from '../base/view.ts';

/** decide who sees an alarm; nobody's business */
const INNER = ['top'];
const PLAIN = new Set(
  `aid rev key rule ruleset level condition ack mute count quality observed raised cleared reason theme mute_until device path form report stat
   do outcome point state result hash boot offset k coverage unit kind id type epoch stream seq code ms command old how sections`.split(
    /\s+/,
  ),
);
/** of a statistic; elsewhere `to` is a person */
const SPAN = new Set(['from', 'to']);
const LABELS = new Set(['name', 'act', 'label']);
/** what these hold is classed one by one */
const CLASSED = new Set(['values', 'fields']);
/** where the id of the thing may stand */
const IDS = new Set(['device', 'key', 'path']);

export interface Redacted {
  readonly data: JsonObject;
  readonly subject?: string;
  readonly disclosed: Readonly<Partial<Record<NamedClass, number>>>;
}

/** @param rights undefined = everything may be seen */
export function redact(event: StoredEvent, rights: Rights | undefined, pseudonym: (id: string) => string): Redacted {
  const teller = new Teller(event, rights, pseudonym);
  const data = (fitting(teller.all()) ?? {}) as JsonObject;
  const { subject } = event;
  return { data, disclosed: teller.disclosed, ...(subject === undefined ? {} : { subject: teller.id(subject) }) };
}

class Teller {
  readonly disclosed: Partial<Record<NamedClass, number>> = {};
  private readonly event: StoredEvent;
  private readonly rights: Rights | undefined;
  private readonly pseudonym: (id: string) => string;
  private readonly scrubs: boolean;
  /** the thing whose id is told as a pseudonym */
  private readonly hidden: string | undefined;

  constructor(event: StoredEvent, rights: Rights | undefined, pseudonym: (id: string) => string) {
    this.event = event;
    this.rights = rights;
    this.pseudonym = pseudonym;
    this.scrubs = rights !== undefined && (rights.scrub || !rights.classes.includes('personal'));
    const of = event.classes?.device ?? 'none';
    const thing = String(event.data.device ?? event.subject ?? '');
    this.hidden = this.may(of) ? undefined : thing;
    if (this.hidden === undefined) this.count(of);
  }

  all(): JsonObject {
    const told: Record<string, Json> = {};
    for (const [key, value] of Object.entries(this.event.data)) {
      if (INNER.includes(key) || this.drops(key)) continue;
      const shown = CLASSED.has(key) ? this.classed(key, value) : this.show(key, key, value);
      if (shown !== undefined) told[key] = shown;
    }
    return told;
  }

  /** The id of the thing, or a text that holds it. */
  id(text: string): string {
    return this.hidden === undefined || this.hidden === '' ? text : replaceId(text, this.hidden, this.pseudonym);
  }

  private show(key: string, path: string, value: Json): Json | undefined {
    const { event, rights } = this;
    if (key === 'text' && event.kind.startsWith('alarm.')) return this.text(String(value));
    const of = event.classes?.[path];
    if (key === 'by' && of === undefined) {
      if (this.may('personal')) this.count('personal');
      return this.may('personal') || typeof value !== 'string' ? value : mask(value);
    }
    // Who said yes on site is nobody a platform knows.
    if (key === 'confirmed_by' && typeof value === 'string') return rights === undefined ? value : mask(value);
    if (of !== undefined && path !== 'device') return this.whole(of, value);
    if (typeof value === 'string') {
      if (IDS.has(key)) return this.id(value);
      // A platform's own word for its command: it may hold anything, and still joins the command's results.
      if (key === 'id' && event.kind === 'command.result') return this.may('personal') ? value : this.pseudonym(value);
      // A code is plain; a sentence is somebody's.
      if (key === 'reason' && !isWord(value)) return this.whole('personal', value);
      if (PLAIN.has(key) || (SPAN.has(key) && event.kind.startsWith('stat.'))) return value;
      if (LABELS.has(key)) return this.clean(value);
      return this.whole('personal', value);
    }
    if (typeof value !== 'object' || rights === undefined) return value;
    if (Array.isArray(value)) return (value as readonly Json[]).flatMap((one) => this.show('', path, one) ?? []);
    return this.inner(path, value as JsonObject);
  }

  private inner(path: string, value: JsonObject): JsonObject {
    const told: Record<string, Json> = {};
    for (const [key, one] of Object.entries(value)) {
      const shown = this.drops(key) ? undefined : this.show(key, `${path}.${key}`, one);
      if (shown !== undefined) told[key] = shown;
    }
    return told;
  }

  /** Values and fields: what is not classed there is of class none where anything is classed, else personal. */
  private classed(container: string, value: Json): Json | undefined {
    if (typeof value !== 'object' || Array.isArray(value)) return this.whole('personal', value);
    const told: Record<string, Json> = {};
    for (const [name, one] of Object.entries(value)) {
      if (this.drops(name)) continue;
      const shown = this.whole(this.classIn(container, name), one);
      if (shown !== undefined) told[name] = shown;
    }
    return told;
  }

  private classIn(container: string, name: string): DataClass {
    const { classes } = this.event;
    return classes === undefined ? 'personal' : (classes[`${container}.${name}`] ?? 'none');
  }

  /** All of a value, or nothing of it. */
  private whole(of: DataClass, value: Json): Json | undefined {
    if (!this.may(of)) return undefined;
    this.count(of);
    return this.cleaned(value);
  }

  private cleaned(value: Json): Json | undefined {
    if (!this.scrubs) return value;
    if (typeof value === 'string') return this.clean(value);
    if (typeof value === 'number') return scrub(String(value)) === String(value) ? value : undefined;
    if (typeof value !== 'object') return value;
    if (Array.isArray(value)) return (value as readonly Json[]).flatMap((one) => this.cleaned(one) ?? []);
    const told: Record<string, Json> = {};
    for (const [key, one] of Object.entries(value)) {
      const shown = this.cleaned(one);
      if (shown !== undefined) told[key] = shown;
    }
    return told;
  }

  private text(template: string): string {
    const { values = {} } = this.event.data;
    const withheld = (name: string): string | undefined =>
      this.may(this.classIn('values', name)) && !this.drops(name) ? undefined : WITHHELD;
    return this.clean(renderTemplate(template, values as JsonObject, withheld));
  }

  private clean(text: string): string {
    return this.scrubs ? scrub(text) : text;
  }

  private drops(name: string): boolean {
    return this.rights?.drop.includes(name) === true;
  }

  private may(of: DataClass): boolean {
    return this.rights === undefined || isNamed(this.rights, of);
  }

  private count(of: DataClass): void {
    if (of !== 'none') this.disclosed[of] = (this.disclosed[of] ?? 0) + 1;
  }
}

const isWord = (text: string): boolean => [...text].every((c) => c > ' ' && c <= '~');

/** Every place where the id stands as a word of its own. */
function replaceId(text: string, id: string, by: (id: string) => string): string {
  let out = '';
  let rest = 0;
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + id.length)) {
    if (isPart(text[at - 1]) || isPart(text[at + id.length])) continue;
    out += text.slice(rest, at) + by(id);
    rest = at + id.length;
  }
  return out + text.slice(rest);
}

const isPart = (c = ' '): boolean => (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c === '_';
