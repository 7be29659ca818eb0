/**
 * Units are UCUM codes (ucum.org), out of a bounded table of what an estate measures. Each knows its dimension and how it becomes the
 * dimension's base unit: base = value * factor + shift.
 */
interface Unit {
  readonly dimension: string;
  readonly factor: number;
  readonly shift?: number;
}

const unit = (dimension: string, factor = 1, shift?: number): Unit =>
  shift === undefined ? { dimension, factor } : { dimension, factor, shift };

const UNITS: ReadonlyMap<string, Unit> = new Map([
  ['1', unit('ratio')],
  ['%', unit('ratio', 0.01)],
  ['[ppm]', unit('ratio', 1e-6)],
  ['m', unit('length')],
  ['cm', unit('length', 0.01)],
  ['mm', unit('length', 0.001)],
  ['km', unit('length', 1000)],
  ['m2', unit('area')],
  ['m3', unit('volume')],
  ['L', unit('volume', 0.001)],
  ['m3/h', unit('flow', 1 / 3600)],
  ['m3/s', unit('flow')],
  ['L/s', unit('flow', 0.001)],
  ['L/min', unit('flow', 0.001 / 60)],
  ['L/h', unit('flow', 0.001 / 3600)],
  ['m/s', unit('speed')],
  ['Cel', unit('temperature', 1, 273.15)],
  ['K', unit('temperature')],
  ['Pa', unit('pressure')],
  ['hPa', unit('pressure', 100)],
  ['kPa', unit('pressure', 1000)],
  ['MPa', unit('pressure', 1e6)],
  ['bar', unit('pressure', 1e5)],
  ['V', unit('voltage')],
  ['mV', unit('voltage', 0.001)],
  ['kV', unit('voltage', 1000)],
  ['A', unit('current')],
  ['mA', unit('current', 0.001)],
  ['W', unit('power')],
  ['kW', unit('power', 1000)],
  ['MW', unit('power', 1e6)],
  ['V.A', unit('apparent power')],
  ['kV.A', unit('apparent power', 1000)],
  ['kV.A{reactive}', unit('reactive power', 1000)],
  ['kV.A.h{reactive}', unit('reactive energy', 3.6e6)],
  ['W.h', unit('energy', 3600)],
  ['kW.h', unit('energy', 3.6e6)],
  ['MW.h', unit('energy', 3.6e9)],
  ['J', unit('energy')],
  ['MJ', unit('energy', 1e6)],
  ['GJ', unit('energy', 1e9)],
  ['Hz', unit('frequency')],
  ['/min', unit('frequency', 1 / 60)],
  ['Ohm', unit('resistance')],
  ['lx', unit('illuminance')],
  ['dB', unit('level')],
  ['kg', unit('mass')],
  ['g', unit('mass', 0.001)],
  ['ug/m3', unit('concentration', 1e-9)],
  ['mg/m3', unit('concentration', 1e-6)],
  ['g/m3', unit('concentration', 1e-3)],
  ['uS/cm', unit('conductivity')],
  ['deg', unit('angle')],
  ['ms', unit('time', 0.001)],
  ['s', unit('time')],
  ['min', unit('time', 60)],
  ['h', unit('time', 3600)],
  ['d', unit('time', 86_400)],
]);

/** How technicians write them, lower case. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['℃', 'Cel'],
  ['°c', 'Cel'],
  ['c', 'Cel'],
  ['摄氏度', 'Cel'],
  ['celsius', 'Cel'],
  ['degc', 'Cel'],
  ['%rh', '%'],
  ['百分比', '%'],
  ['ppm', '[ppm]'],
  ['kwh', 'kW.h'],
  ['度', 'kW.h'],
  ['千瓦时', 'kW.h'],
  ['kvar', 'kV.A{reactive}'],
  ['kvarh', 'kV.A.h{reactive}'],
  ['va', 'V.A'],
  ['kva', 'kV.A'],
  ['wh', 'W.h'],
  ['mwh', 'MW.h'],
  ['米', 'm'],
  ['毫米', 'mm'],
  ['m³', 'm3'],
  ['立方米', 'm3'],
  ['吨', 'm3'],
  ['m³/h', 'm3/h'],
  ['升', 'L'],
  ['兆帕', 'MPa'],
  ['千帕', 'kPa'],
  ['伏', 'V'],
  ['安', 'A'],
  ['千瓦', 'kW'],
  ['瓦', 'W'],
  ['ω', 'Ohm'],
  ['lux', 'lx'],
  ['rpm', '/min'],
  ['µg/m³', 'ug/m3'],
  ['μg/m3', 'ug/m3'],
  ['µg/m3', 'ug/m3'],
  ['秒', 's'],
  ['分', 'min'],
  ['小时', 'h'],
]);

export const UNIT_CODES: readonly string[] = [...UNITS.keys()];

export const isUnit = (code: string): boolean => UNITS.has(code);

/** The code somebody who wrote this probably meant. */
export function suggestUnit(given: string): string | undefined {
  const lower = given.toLowerCase();
  return ALIASES.get(lower) ?? UNIT_CODES.find((code) => code.toLowerCase() === lower);
}

/** to = from * scale + offset; undefined when the two measure different things. */
export function conversion(from: string, to: string): { readonly scale: number; readonly offset: number } | undefined {
  const a = UNITS.get(from);
  const b = UNITS.get(to);
  if (a === undefined || b === undefined || a.dimension !== b.dimension) return undefined;
  const scale = Number((a.factor / b.factor).toPrecision(12));
  const offset = Number((((a.shift ?? 0) - (b.shift ?? 0)) / b.factor).toPrecision(12));
  return { scale, offset };
}
