/**
 * What stands behind an identifier: CJ/T 188-2004 annex A (water and gas, heat), CJ/T 188-2018 for the shorter heat layout. The layout follows from type
 * and length together, never from the type alone; each number carries the code of its unit. Of the 2018 heat layout one source is known.
 */
import { bcd, bcdByte, dateText, decimal, hexByte, timeText } from '../../src/kit/bcd.ts';
import type { FieldValue } from '../../src/kit/items.ts';

/** UCUM, and by how many decimal places a value of this code is larger */
type UnitCode = readonly [string, number];
const three = (code: number, unit: string, shift = 0): [number, UnitCode][] =>
  [0, 1, 2].map((n) => [code + n, [unit, shift + n]]);
const UNITS: ReadonlyMap<number, UnitCode> = new Map([
  ...three(0x02, 'W.h'),
  ...three(0x05, 'kW.h'),
  ...three(0x08, 'MW.h'),
  [0x01, ['J', 0]],
  ...three(0x0b, 'J', 3),
  ...three(0x0e, 'MJ'),
  ...three(0x11, 'GJ'),
  ...three(0x14, 'W'),
  ...three(0x17, 'kW'),
  ...three(0x1a, 'MW'),
  ...three(0x29, 'L'),
  ...three(0x2c, 'm3'),
  ...three(0x32, 'L/h'),
  ...three(0x35, 'm3/h'),
]);
const FAMILIES = {
  volume: ['L', 'm3'],
  energy: ['W.h', 'kW.h', 'MW.h', 'J', 'MJ', 'GJ'],
  power: ['W', 'kW', 'MW'],
  flow: ['L/h', 'm3/h'],
} as const;

interface Part {
  readonly name: string;
  readonly bytes: number;
  readonly digits: number;
  /** a unit code follows, of this family; or the unit is fixed */
  readonly of?: keyof typeof FAMILIES;
  readonly unit?: string;
  /** all nines say "not available" as FF does */
  readonly nines?: boolean;
}

const part = (name: string, bytes: number, digits: number, of: keyof typeof FAMILIES): Part => ({
  name,
  bytes,
  digits,
  of,
});
const plain = (name: string, bytes: number, digits: number, unit: string): Part => ({ name, bytes, digits, unit });

const WATER: readonly Part[] = [
  part('volume_current', 4, 2, 'volume'),
  { ...part('volume_settlement', 4, 2, 'volume'), nines: true },
];
const HEAT_2004: readonly Part[] = [
  { ...part('energy_1_settlement_or_cooling', 4, 2, 'energy'), nines: true },
  part('energy_2_current_heat', 4, 2, 'energy'),
  part('power', 4, 2, 'power'),
  part('flow', 4, 4, 'flow'),
  part('volume', 4, 2, 'volume'),
  plain('supply_temp', 3, 2, 'Cel'),
  plain('return_temp', 3, 2, 'Cel'),
  plain('work_hours', 3, 0, 'h'),
];
const HEAT_2018: readonly Part[] = [
  { ...part('energy_1_settlement_or_cooling', 4, 2, 'energy'), nines: true },
  part('energy_2_current_heat', 4, 2, 'energy'),
  part('power', 3, 2, 'power'),
  part('flow', 3, 3, 'flow'),
  part('volume', 4, 2, 'volume'),
  plain('supply_temp', 2, 2, 'Cel'),
  plain('return_temp', 2, 2, 'Cel'),
  plain('work_hours', 4, 0, 'h'),
];
const MONTH: readonly Part[] = [part('volume_settlement', 4, 2, 'volume')];
const CLOCK = 7;
const STATUS = 2;

/** The fields that a layout has, with the unit a point of it has where nothing else is said. */
export const FIELDS: ReadonlyMap<string, string | undefined> = new Map([
  ['volume_current', 'm3'],
  ['volume_settlement', 'm3'],
  ['energy_1_settlement_or_cooling', 'kW.h'],
  ['energy_2_current_heat', 'kW.h'],
  ['power', 'kW'],
  ['flow', 'm3/h'],
  ['volume', 'm3'],
  ['supply_temp', 'Cel'],
  ['return_temp', 'Cel'],
  ['work_hours', 'h'],
  ['meter_time', undefined],
  ['valve', undefined],
  ['status_0', undefined],
  ['status_1', undefined],
]);

export interface Shape {
  /** the unit's byte stands before its value */
  readonly unitFirst?: boolean;
  /** decimals of the flow where a meter differs */
  readonly flowDigits?: number | undefined;
}

/** The values behind an identifier; none when the layout is not known. `body` is DATA behind identifier and serial. */
export function valuesOf(type: number, di: string, body: Uint8Array, shape: Shape = {}): FieldValue[] {
  if (di === '901F') {
    const parts = layoutOf(type, body.length);
    return parts === undefined ? [] : [...partsOf(parts, body, shape), ...tail(body)];
  }
  const month = Number.parseInt(di, 16) - 0xd120;
  return month >= 0 && month < 12 && body.length === 5 ? partsOf(MONTH, body, shape) : [];
}

function layoutOf(type: number, length: number): readonly Part[] | undefined {
  const isHeat = type >= 0x20 && type <= 0x2f;
  if (isHeat) return [HEAT_2004, HEAT_2018].find((parts) => lengthOf(parts) + CLOCK + STATUS === length);
  return length === lengthOf(WATER) + CLOCK + STATUS ? WATER : undefined;
}

const lengthOf = (parts: readonly Part[]): number =>
  parts.reduce((sum, p) => sum + p.bytes + (p.of === undefined ? 0 : 1), 0);

function partsOf(parts: readonly Part[], body: Uint8Array, { unitFirst = false, flowDigits }: Shape): FieldValue[] {
  let at = 0;
  return parts.map((p) => {
    const size = p.bytes + (p.of === undefined ? 0 : 1);
    const from = at + (unitFirst && p.of !== undefined ? 1 : 0);
    const code = body[unitFirst ? at : at + p.bytes] ?? 0;
    at += size;
    const digits = p.of === 'flow' ? (flowDigits ?? p.digits) : p.digits;
    return numberOf({ ...p, digits }, body.subarray(from, from + p.bytes), code);
  });
}

function numberOf({ name, digits, of, unit, nines }: Part, bytes: Uint8Array, code: number): FieldValue {
  const known: UnitCode | undefined = of === undefined ? [unit ?? '', 0] : UNITS.get(code);
  const fits = of === undefined || FAMILIES[of].some((u) => u === known?.[0]);
  const raw = nines === true && bytes.every((b) => b === 0x99) ? undefined : bcd(bytes, 0, bytes.length);
  // A number in an unknown unit is no number: the meter has another layout than the standard's.
  if (known === undefined || !fits || raw === undefined)
    return { name, value: null, ...(fits && known !== undefined ? { unit: known[0] } : {}) };
  return { name, value: decimal(raw, digits - known[1]), unit: known[0] };
}

/** Clock and status at the end of the current data. */
function tail(body: Uint8Array): FieldValue[] {
  const at = body.length - CLOCK - STATUS;
  const [second, minute, hour, day, month, low, high] = [...body.subarray(at, at + CLOCK)].map(bcdByte);
  const year = high === undefined || low === undefined ? undefined : high * 100 + low;
  const on = year === undefined || year < 1990 ? undefined : dateText(year, month, day);
  const time = timeText(hour, minute, second ?? 99);
  const [s0 = 0, s1 = 0] = body.subarray(at + CLOCK);
  const valve = ['open', 'closed', null, 'fault'][s0 & 3] ?? null;
  return [
    { name: 'meter_time', value: on === undefined || time === undefined ? null : `${on} ${time}` },
    { name: 'status', value: `${hexByte(s0)} ${hexByte(s1)}` },
    { name: 'valve', value: valve },
    { name: 'status_0', value: s0 },
    { name: 'status_1', value: s1 },
  ];
}
