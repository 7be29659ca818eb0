/**
 * Whatever the view and whatever the events: every text, number and id that leaves is covered by the view. What may leave is told by a model of its
 * own here, written from the rules of base/view.ts and not from the code: events are made of marked pieces, and a piece that no selection entitles
 * to must stand nowhere in the bytes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SECRET } from '../../test/fakes/entitlement.ts';
import type { DataClass } from '../base/data-class.ts';
import { LEVELS, type Level, type StoredEvent } from '../base/event.ts';
import type { ContractRow, JournalRow, StreamHead } from '../base/feed.ts';
import type { NamedClass, ResolvedView, Rights } from '../base/view.ts';
import { createOutward, ENCODER } from './outward.ts';

const CLASSES: readonly DataClass[] = ['none', 'personal', 'sensitive'];
const THEMES = ['elder', 'fire', 'crowd'];
const DEVICES = ['tank', 'door', 'lamp'];
const POINTS = ['level', 'open', 'note'];
const RULES = ['low', 'dark'];

/** A piece of text nobody else writes. */
const piece = (n: number): string => `§${n}§`;

interface Made {
  readonly row: JournalRow;
  /** pieces by what they need */
  readonly pieces: readonly { readonly text: string; readonly of: DataClass; readonly field: string }[];
  readonly level?: Level;
  readonly theme?: string;
  readonly rule?: string;
  readonly told: boolean;
  readonly device: string;
  readonly kind: 'alarm' | 'report' | 'group';
  readonly form?: string;
}

const rights = fc.record({
  classes: fc.uniqueArray(fc.constantFrom<NamedClass>('personal', 'sensitive')),
  drop: fc.uniqueArray(fc.constantFrom('v0', 'v1', 'act', 'by')),
  scrub: fc.boolean(),
});
const some = <T>(of: readonly T[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...of), { minLength: 1 }), { nil: undefined });
const present = <T extends object>(given: T): T =>
  Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) as T;
const alarmRights = fc
  .tuple(
    rights,
    fc.record({
      level: some(LEVELS),
      theme: some(THEMES),
      rule: some(RULES),
      about: some(DEVICES),
      told: fc.constantFrom(undefined, true as const),
    }),
  )
  .map(([r, filter]) => ({ ...r, ...present(filter) }) as Rights & typeof filter);
const view: fc.Arbitrary<Extract<ResolvedView, { kind: 'list' }>> = fc.record({
  kind: fc.constant('list' as const),
  alarms: fc.array(alarmRights as fc.Arbitrary<never>, { maxLength: 3 }),
  points: fc.dictionary(
    fc.constantFrom(...DEVICES),
    fc.dictionary(fc.constantFrom(...POINTS), fc.constantFrom(...CLASSES)),
  ),
  devices: fc.constant([]),
  stats: fc.constant({}),
  forms: fc.dictionary(fc.constantFrom('report', 'health'), rights),
});

let serial = 0;
const at = { wall: Date.UTC(2026, 10, 20), mono: 1, synced: true };
const stored = (n: number, more: Partial<StoredEvent> & Pick<StoredEvent, 'kind' | 'data'>): JournalRow => ({
  position: n,
  kind: 'event',
  event: { id: `01KAW${String(n).padStart(21, '0')}`, position: n, recorded: at.wall, boot: 'b', at, ...more },
});

const classed = fc.array(fc.constantFrom(...CLASSES), { minLength: 3, maxLength: 3 });
const alarm = fc
  .record({
    level: fc.constantFrom(...LEVELS),
    theme: fc.constantFrom(...THEMES),
    rule: fc.constantFrom(...RULES),
    told: fc.boolean(),
    device: fc.constantFrom(...DEVICES),
    of: classed,
    ofThing: fc.constantFrom(...CLASSES),
  })
  .map(({ level, theme, rule, told, device, of, ofThing }): Made => {
    const n = ++serial;
    const values = of.map((c, i) => ({ text: piece(10 * n + i), of: c, field: `v${i}` }));
    const id = device;
    const by = piece(10 * n + 5);
    const reason = piece(10 * n + 6);
    const spot = piece(10 * n + 7);
    return {
      row: stored(n, {
        kind: 'alarm.raised',
        subject: id,
        level,
        classes: {
          device: ofThing,
          spot: ofThing,
          ...Object.fromEntries(values.map((v) => [`values.${v.field}`, v.of])),
        },
        ...(told ? { told: ['street'] } : {}),
        data: {
          ...{ key: `${rule}/${id}`, rule, device: id, theme, level, top: level, by, mute_reason: reason },
          text: `水位 {v0}，{v1} {v2}`,
          values: Object.fromEntries(values.map((v) => [v.field, v.text])),
          spot: { path: spot },
          surprise: { deep: [piece(10 * n + 8)] },
        },
      }),
      pieces: [
        ...values,
        { text: id, of: ofThing, field: 'device' },
        { text: by, of: 'personal', field: 'by' },
        { text: reason, of: 'personal', field: 'mute_reason' },
        { text: spot, of: ofThing, field: 'spot' },
        { text: piece(10 * n + 8), of: 'personal', field: 'surprise' },
      ],
      ...{ level, theme, rule, told, device: id, kind: 'alarm' },
    };
  });
const report = fc
  .record({ form: fc.constantFrom('report', 'health', 'other'), of: classed })
  .map(({ form, of }): Made => {
    const n = ++serial;
    const fields = of.map((c, i) => ({ text: piece(10 * n + i), of: c, field: `v${i}` }));
    const classes = Object.fromEntries(fields.map((f) => [`fields.${f.field}`, f.of]));
    const by = piece(10 * n + 5);
    const data = { form, fields: Object.fromEntries(fields.map((f) => [f.field, f.text])), by };
    return {
      row: stored(n, { kind: 'report.created', subject: form, classes, data }),
      pieces: [...fields, { text: by, of: 'personal', field: 'by' }],
      ...{ told: false, device: '', kind: 'report', form },
    };
  });
const group = fc
  .array(fc.tuple(fc.constantFrom(...DEVICES), fc.constantFrom(...POINTS)), { minLength: 1, maxLength: 6 })
  .map((samples): Made => {
    const n = ++serial;
    const made = samples.map(([d, p], i) => ({ d, p, t: new Date(at.wall + i).toISOString(), v: piece(10 * n + i) }));
    const row: JournalRow = {
      ...{
        position: n,
        kind: 'group',
        id: `01KAW${String(n).padStart(21, '0')}`,
        recorded: at.wall,
        boot: 'b',
        mono: 1,
        synced: true,
      },
      ...{ oldest: at.wall, newest: at.wall + samples.length - 1, count: samples.length },
      samples: new TextEncoder().encode(JSON.stringify(made)),
    };
    const pieces = made.map(({ d, p, v }) => ({ text: v, of: 'none' as const, field: `${d}.${p}` }));
    return { row, pieces, told: false, device: '', kind: 'group' };
  });

/** The model: the rights under which a row may leave; none = it may not. */
function entitled(v: Extract<ResolvedView, { kind: 'list' }>, made: Made): readonly Rights[] {
  if (made.kind === 'report')
    return made.form !== undefined && Object.hasOwn(v.forms, made.form) ? [v.forms[made.form] as Rights] : [];
  const fits = v.alarms.filter(
    (a) =>
      (a.level === undefined || a.level.some((l) => l === made.level)) &&
      (a.theme === undefined || a.theme.some((t) => t === made.theme)) &&
      (a.rule === undefined || a.rule.some((r) => r === made.rule)) &&
      (a.about === undefined || a.about.some((d) => d === made.device)) &&
      (a.told === undefined || made.told),
  );
  return made.told ? [...fits, { classes: [], drop: [], scrub: true }] : fits;
}

function maySee(
  v: Extract<ResolvedView, { kind: 'list' }>,
  made: Made,
  { of, field }: Made['pieces'][number],
): boolean {
  if (made.kind === 'group') {
    const [d = '', p = ''] = field.split('.');
    return Object.hasOwn(v.points, d) && Object.hasOwn(v.points[d] ?? {}, p);
  }
  const ways = entitled(v, made);
  const isNamed = of === 'none' || ways.some((r) => r.classes.some((c) => c === of));
  return ways.length > 0 && isNamed && !ways.every((r) => r.drop.includes(field));
}

describe('for any view and any rows', () => {
  it('what leaves is covered by the view, and what the view covers leaves', () => {
    fc.assert(
      fc.property(view, fc.array(fc.oneof(alarm, report, group), { maxLength: 8 }), (v, rows) => {
        const contract: ContractRow = {
          ...{
            feed: 'street',
            epoch: '0'.repeat(16),
            source: 'urn:weinao:s:g',
            view: 'street.1',
            selects: v,
            pseudonyms: 'k',
          },
          ...{ encoder: ENCODER, encoding: 'json', id: 'E', madeAt: 0, reason: 'new' },
        };
        const outward = createOutward(SECRET);
        for (const made of rows) {
          const stream = made.kind === 'group' ? 't' : 'a';
          const head: StreamHead = { position: 0, seq: 0, hash: '0'.repeat(64) };
          const member = outward.encode(contract, stream, head, made.row);
          const bytes = member === undefined ? '' : new TextDecoder().decode(member.payload);
          for (const one of made.pieces)
            expect(bytes.includes(one.text), `${one.field} ${one.of}`).toBe(maySee(v, made, one));
          const units = made.pieces.filter((one) => made.kind === 'group' && maySee(v, made, one)).length;
          const isOut = made.kind === 'group' ? units > 0 : entitled(v, made).length > 0;
          expect(member !== undefined).toBe(isOut);
          expect(outward.entitled(contract, stream, made.row)?.units ?? 0).toBe(
            made.kind === 'group' ? units : Number(isOut),
          );
          expect(member?.units ?? 0).toBe(made.kind === 'group' ? units : Number(isOut));
          for (const inner of ['"top"', '"told"', '"classes"']) expect(bytes).not.toContain(inner);
        }
      }),
      { numRuns: 400 },
    );
  });
});
