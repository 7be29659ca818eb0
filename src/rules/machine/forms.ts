/**
 * What people enter. An entry is checked against its form, becomes one event, and goes to the windows that count it. A form with `confirm: 2`
 * waits for a second person; the one who entered it does not count as one.
 */

import type { DataClass } from '../../base/data-class.ts';
import { derivedUlid } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import { gravest, type Privacy } from '../../base/privacy.ts';
import type { Value } from '../../base/reading.ts';
import type { Answer, Operation } from '../../base/rules.ts';
import { isPlainText } from '../../base/text.ts';
import type { FormField, FormSpec } from '../language/form.ts';
import { parseRow, type Step, type Waking } from './context.ts';

const WAITING = 'form:';
/** entries waiting for a second person; of more, the oldest goes */
const MOST_WAITING = 200;
const DAY = 86_400_000;

interface Entry {
  readonly form: string;
  readonly values: Readonly<Record<string, Value>>;
  readonly place?: string;
  /** who entered or confirmed it */
  readonly people: readonly string[];
  /** UTC ms */
  readonly ts: number;
}

/** An entry that counts. */
export type OnEntry = (form: FormSpec, entry: Entry, step: Step) => void;

export class Forms {
  private readonly forms: ReadonlyMap<string, FormSpec>;
  private readonly places: ReadonlySet<string>;
  private readonly privacy: Privacy;
  private readonly waiting = new Map<string, Entry>();
  private readonly onEntry: OnEntry;

  constructor(forms: ReadonlyMap<string, FormSpec>, places: ReadonlySet<string>, privacy: Privacy, onEntry: OnEntry) {
    this.privacy = privacy;
    this.forms = forms;
    this.places = places;
    this.onEntry = onEntry;
  }

  wake(waking: Waking): void {
    for (const row of waking.states.keys()) {
      const entry = row.startsWith(WAITING) ? parseRow<Entry>(waking, row) : undefined;
      if (entry !== undefined) this.waiting.set(row.slice(WAITING.length), entry);
    }
  }

  submit(ask: Extract<Operation, { kind: 'form' }>, step: Step): Answer {
    const form = this.forms.get(ask.form);
    if (form === undefined)
      return {
        ok: false,
        code: 'forms.unknown',
        params: { form: ask.form.slice(0, 64), known: [...this.forms.keys()].join(' ') },
      };
    const checked = this.check(form, ask.fields);
    if ('code' in checked) return checked;
    const ts = ask.ts === undefined || ask.ts > step.now.wall ? step.now.wall : ask.ts;
    const entry: Entry = { form: form.id, ...checked, people: [ask.by], ts };
    const id = ask.id ?? derivedUlid(Math.round(step.now.wall), form.id, JSON.stringify(entry), String(step.now.mono));
    if (form.confirm <= 1) return this.count(id, form, entry, step);
    for (const key of [...this.waiting.keys()].slice(0, Math.max(0, this.waiting.size - MOST_WAITING + 1)))
      this.drop(key, step);
    this.waiting.set(id, entry);
    step.state(WAITING + id, entry);
    return { ok: true, id };
  }

  confirm({ id, by }: Extract<Operation, { kind: 'confirm' }>, step: Step): Answer {
    const entry = this.waiting.get(id);
    const form = this.forms.get(entry?.form ?? '');
    if (entry === undefined || form === undefined || step.now.wall - entry.ts > DAY)
      return { ok: false, code: 'forms.nothing_waits', params: { id: id.slice(0, 64) } };
    if (entry.people.includes(by)) return { ok: false, code: 'forms.same_person', params: { by } };
    const people = [...entry.people, by];
    const next: Entry = { ...entry, people };
    if (people.length < form.confirm) {
      this.waiting.set(id, next);
      step.state(WAITING + id, next);
      return { ok: true, id };
    }
    this.drop(id, step);
    return this.count(id, form, next, step);
  }

  private drop(id: string, step: Step): void {
    this.waiting.delete(id);
    step.state(WAITING + id, null);
  }

  private count(id: string, form: FormSpec, entry: Entry, step: Step): Answer {
    const { now } = step;
    const data: JsonObject = {
      form: form.id,
      name: form.name,
      report: id,
      fields: { ...entry.values },
      ...(entry.place === undefined ? {} : { place: { path: entry.place } }),
      by: entry.people.join(' '),
    };
    const at = { ...now, wall: entry.ts };
    const classes = Object.fromEntries(form.fields.map((f) => [`fields.${f.id}`, this.classOf(f, entry)]));
    step.emit({ kind: 'event', draft: { kind: 'report.created', subject: form.id, at, data, classes } });
    this.onEntry(form, entry, step);
    return { ok: true, id };
  }

  /** A flat somebody reports from tells who it was. */
  private classOf({ id, kind, person }: FormField, { values }: Entry): DataClass {
    return kind.is === 'place' ? gravest([person, this.privacy.of(String(values[id] ?? ''))]) : person;
  }

  private check(
    form: FormSpec,
    given: Readonly<Record<string, unknown>>,
  ): { values: Record<string, Value>; place?: string } | Extract<Answer, { ok: false }> {
    const values: Record<string, Value> = {};
    let place: string | undefined;
    const known = form.fields.map((f) => f.id);
    const odd = Object.keys(given).find((key) => !known.includes(key));
    if (odd !== undefined)
      return {
        ok: false,
        code: 'forms.unknown_field',
        params: { form: form.id, field: odd.slice(0, 64), known: known.join(' ') },
      };
    for (const field of form.fields) {
      const value = given[field.id];
      if (value === undefined || value === '') {
        if (field.must)
          return { ok: false, code: 'forms.missing', params: { form: form.id, field: field.id, label: field.label } };
        continue;
      }
      const fits = this.fit(field, value);
      if (fits === undefined)
        return {
          ok: false,
          code: 'forms.wrong',
          params: { form: form.id, field: field.id, label: field.label, wanted: wantedOf(field) },
        };
      values[field.id] = fits;
      if (field.kind.is === 'place') place = String(fits);
    }
    return { values, ...(place === undefined ? {} : { place }) };
  }

  private fit({ kind }: FormField, value: unknown): Value | undefined {
    switch (kind.is) {
      case 'pick':
        return kind.choices.find((c) => c === value);
      case 'place':
        return typeof value === 'string' && this.places.has(value) ? value : undefined;
      case 'text':
        return typeof value === 'string' && value.length <= kind.most && isPlainText(value) ? value : undefined;
      case 'number': {
        const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
        if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
        return number >= kind.least && number <= kind.most ? number : undefined;
      }
    }
  }
}

function wantedOf({ kind }: FormField): string {
  switch (kind.is) {
    case 'pick':
      return kind.choices.join(' | ');
    case 'place':
      return 'places: …';
    case 'text':
      return `≤ ${kind.most}`;
    case 'number':
      return `${kind.least} .. ${kind.most}`;
  }
}
