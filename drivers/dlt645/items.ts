/**
 * Data identifiers and what stands behind them: DL/T 645-2007 annex A (tables A.1 to A.5), DL/T 645-1997 annex A, as far as published frames of
 * real meters prove them; rows nobody proved are marked. Numbers are BCD, lowest byte first.
 */

/** How a field's bytes are read. `signed`: the top bit of the highest byte is the sign. `moment`: mm hh DD MM YY. */
export type As = 'bcd' | 'signed' | 'text' | 'digits' | 'date' | 'time' | 'moment' | 'bits';

export interface Field {
  readonly name: string;
  readonly bytes: number;
  readonly as: As;
  /** decimals of a number */
  readonly digits?: number;
  /** UCUM; absent for plain numbers and text */
  readonly unit?: string;
}

/** An identifier's fields; a block has as many of its last one as the meter sends. */
export interface Item {
  readonly fields: readonly Field[];
  /** the n-th repetition (from 0) behind the fields */
  readonly more?: (n: number) => Field;
}

export type Version = '2007' | '1997';

export const itemOf = (version: Version, di: string): Item | undefined =>
  version === '2007' ? item2007(di) : item1997(di);

const number = (name: string, bytes: number, digits: number, unit?: string, as: As = 'bcd'): Field =>
  unit === undefined ? { name, bytes, as, digits } : { name, bytes, as, digits, unit };
const one = (field: Field): Item => ({ fields: [field] });

const PHASES: Readonly<Record<string, string>> = { '00': 'total', '01': 'a', '02': 'b', '03': 'c' };
const REACTIVE_POWER = 'kV.A{reactive}';
const REACTIVE_ENERGY = 'kV.A.h{reactive}';

const ENERGIES: Readonly<Record<string, readonly [string, string, As]>> = {
  '00': ['combined_active', 'kW.h', 'signed'],
  '01': ['active_import', 'kW.h', 'bcd'],
  '02': ['active_export', 'kW.h', 'bcd'],
  '03': ['combined_reactive_1', REACTIVE_ENERGY, 'signed'],
  '04': ['combined_reactive_2', REACTIVE_ENERGY, 'signed'],
};
/** name, bytes, decimals, unit, kind, whether there is a total besides the three phases */
const MOMENTARY: Readonly<Record<string, readonly [string, number, number, string | undefined, As, boolean]>> = {
  '01': ['voltage', 2, 1, 'V', 'bcd', false],
  '02': ['current', 3, 3, 'A', 'signed', false],
  '03': ['active_power', 3, 4, 'kW', 'signed', true],
  '04': ['reactive_power', 3, 4, REACTIVE_POWER, 'signed', true],
  '05': ['apparent_power', 3, 4, 'kV.A', 'signed', true],
  '06': ['power_factor', 2, 3, undefined, 'signed', true],
  '07': ['phase_angle', 2, 1, 'deg', 'bcd', false],
};
const SINGLE: ReadonlyMap<string, Field> = new Map([
  ['00900200', number('remaining_money', 4, 2)],
  ['02800001', number('neutral_current', 3, 3, 'A', 'signed')],
  ['02800002', number('frequency', 2, 2, 'Hz')],
  ['02800007', number('temperature', 2, 1, 'Cel', 'signed')],
  ['02800008', number('clock_battery_voltage', 2, 2, 'V')],
  ['03300D00', number('cover_open_count', 3, 0)],
  ['04000101', { name: 'date', bytes: 4, as: 'date' }],
  ['04000102', { name: 'time', bytes: 3, as: 'time' }],
  ['04000401', { name: 'address', bytes: 6, as: 'digits' }],
  ['04000402', { name: 'meter_number', bytes: 6, as: 'digits' }],
  ['04000404', { name: 'rated_voltage', bytes: 6, as: 'text' }],
  ['04000405', { name: 'rated_current', bytes: 6, as: 'text' }],
  ['04000406', { name: 'max_current', bytes: 6, as: 'text' }],
  ['04000407', { name: 'active_accuracy_class', bytes: 4, as: 'text' }],
  ['04000409', number('active_constant', 3, 0)],
  ['0400040A', number('reactive_constant', 3, 0)],
  ['1D000001', number('relay_trip_count', 3, 0)],
  ['1E000001', number('relay_close_count', 3, 0)],
]);

function item2007(di: string): Item | undefined {
  const single = SINGLE.get(di);
  if (single !== undefined) return one(single);
  const [group = '', kind = '', part = '', last = ''] = [
    di.slice(0, 2),
    di.slice(2, 4),
    di.slice(4, 6),
    di.slice(6, 8),
  ];
  if (group === '00') return energy2007(kind, part, last);
  if (group === '01' && (kind === '01' || kind === '02') && last === '00') return demand2007(kind, part);
  if (group === '02' && last === '00') return momentary(MOMENTARY[kind], part);
  if (group === '04' && kind === '00' && part === '05') return status2007(last);
  if (group === '05' && kind === '06') return freeze2007(part, last);
  return undefined;
}

function energy2007(kind: string, tariff: string, last: string): Item | undefined {
  const energy = ENERGIES[kind];
  const settlement = Number.parseInt(last, 16);
  if (energy === undefined || settlement > 12) return undefined;
  return energies(energy, tariff === 'FF' ? 'F' : tariff, settlement === 0 ? '' : `_settlement_${settlement}`);
}

/** @param tariff hex, 0 = total, F = the block of total and all tariffs */
function energies([base, unit, as]: readonly [string, string, As], tariff: string, suffix: string): Item | undefined {
  const field = (n: number): Field => number(`${base}_${n === 0 ? 'total' : `tariff_${n}`}${suffix}`, 4, 2, unit, as);
  if (tariff === 'F') return { fields: [field(0)], more: (n) => field(n + 1) };
  const n = Number.parseInt(tariff, 16);
  return n <= 63 ? one(field(n)) : undefined;
}

function demand2007(kind: string, tariff: string): Item | undefined {
  const n = Number.parseInt(tariff, 16);
  if (n > 63) return undefined;
  const name = `max_demand_${kind === '01' ? 'import' : 'export'}_${n === 0 ? 'total' : `tariff_${n}`}`;
  return { fields: [number(name, 3, 4, 'kW'), { name: `${name}_time`, bytes: 5, as: 'moment' }] };
}

function momentary(
  row: readonly [string, number, number, string | undefined, As, boolean] | undefined,
  part: string,
): Item | undefined {
  if (row === undefined) return undefined;
  const [base, bytes, digits, unit, as, hasTotal] = row;
  const field = (phase: string): Field => number(`${base}_${PHASES[phase]}`, bytes, digits, unit, as);
  if (part === 'FF') return { fields: (hasTotal ? ['00', '01', '02', '03'] : ['01', '02', '03']).map(field) };
  return PHASES[part] === undefined || (part === '00' && !hasTotal) ? undefined : one(field(part));
}

function status2007(last: string): Item | undefined {
  const word = (n: number): Field => ({ name: `status_word_${n}`, bytes: 2, as: 'bits' });
  if (last === 'FF') return { fields: [1, 2, 3, 4, 5, 6, 7].map(word) };
  const n = Number.parseInt(last, 16);
  return n >= 1 && n <= 7 ? one(word(n)) : undefined;
}

function freeze2007(part: string, last: string): Item | undefined {
  if (part === '00') return one({ name: `daily_freeze_time_${last}`, bytes: 5, as: 'moment' });
  if (part !== '01') return undefined;
  return energies(['active_import', 'kW.h', 'bcd'], 'F', `_daily_freeze_${last}`);
}

const OLD_ENERGIES: Readonly<Record<string, readonly [string, string, As]>> = {
  '01': ['active_import', 'kW.h', 'bcd'],
  '02': ['active_export', 'kW.h', 'bcd'],
  '11': ['combined_reactive_1', REACTIVE_ENERGY, 'bcd'],
  '12': ['combined_reactive_2', REACTIVE_ENERGY, 'bcd'],
};
/** The scale of reactive power (B64x) differs from source to source, and it is left out. */
const OLD_MOMENTARY: Readonly<Record<string, readonly [string, number, number, string | undefined, As, boolean]>> = {
  B61: ['voltage', 2, 0, 'V', 'bcd', false],
  B62: ['current', 2, 2, 'A', 'bcd', false],
  B63: ['active_power', 3, 4, 'kW', 'signed', true],
  B65: ['power_factor', 2, 3, undefined, 'bcd', true],
};

function item1997(di: string): Item | undefined {
  if (di === 'C010') return one({ name: 'date', bytes: 4, as: 'date' });
  if (di === 'C011') return one({ name: 'time', bytes: 3, as: 'time' });
  if (di === 'C020') return one({ name: 'status_word', bytes: 1, as: 'bits' });
  if (di === 'C032') return one({ name: 'meter_number', bytes: 6, as: 'digits' });
  const last = di[3] ?? '';
  if (di[0] === 'B') return momentary(OLD_MOMENTARY[di.slice(0, 3)], last === 'F' ? 'FF' : `0${last}`);
  if (di[0] !== '9') return undefined;
  // 90, 91: now; 94, 95: last month; 98, 99: the month before
  const months = (Number.parseInt(di[1] ?? '', 16) & 0xc) >> 2;
  const kind = OLD_ENERGIES[`${Number.parseInt(di[1] ?? '', 16) & 3}${di[2]}`];
  return kind === undefined || months > 2
    ? undefined
    : energies(kind, last, months === 0 ? '' : `_settlement_${months}`);
}

/** The identifier as bytes, lowest first. */
export function diBytes(di: string): Uint8Array {
  return Uint8Array.from({ length: di.length / 2 }, (_, i) => Number.parseInt(di.substr(di.length - 2 - 2 * i, 2), 16));
}
