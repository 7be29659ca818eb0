/** Data units of GB/T 26875.3-2011 (clause 8 and its tables): what a transmission device tells of systems, components and itself. */
import { hex } from '../../src/base/bytes.ts';
import { decimal } from '../../src/kit/bcd.ts';
import { int, timeAt } from './frame.ts';

/** bits of the status word of components and systems, tables 5 and 6 */
export const STATES = [
  'normal',
  'fire',
  'fault',
  'shielded',
  'supervised',
  'started',
  'feedback',
  'delay',
  'mains_fault',
  'backup_fault',
  'bus_fault',
  'manual',
  'config_changed',
  'reset',
] as const;
export type State = (typeof STATES)[number];

/** bits of the status byte of the transmission device itself, table 10 */
const OWN_STATES: readonly (State | 'line_fault' | 'panel_link_fault')[] = [
  'normal',
  'fire',
  'fault',
  'mains_fault',
  'backup_fault',
  'line_fault',
  'panel_link_fault',
];

/** table 7: name, UCUM, decimals */
export const ANALOGS: ReadonlyMap<number, readonly [string, string, number]> = new Map([
  [2, ['height', 'm', 2]],
  [3, ['temperature', 'Cel', 1]],
  [4, ['pressure_mpa', 'MPa', 1]],
  [5, ['pressure_kpa', 'kPa', 1]],
  [6, ['gas', '%', 1]],
  [8, ['voltage', 'V', 1]],
  [9, ['current', 'A', 1]],
  [10, ['flow', 'L/s', 1]],
]);

export type Told =
  | {
      readonly kind: 'component' | 'system' | 'transmitter';
      /** `system.address.component`, `system.address`, or empty */
      readonly where: string;
      readonly states: ReadonlySet<string>;
    }
  | {
      readonly kind: 'analog';
      readonly where: string;
      readonly name: string;
      readonly value: number;
      readonly unit: string;
    };

interface Shape {
  readonly name: string;
  readonly size: number;
  readonly read: (b: Uint8Array) => object;
  readonly told?: (b: Uint8Array) => Told | undefined;
}

const statesOf = (word: number, names: readonly string[]): Set<string> =>
  new Set(names.filter((_, bit) => (word & (1 << bit)) !== 0));
const system = (b: Uint8Array): string => `${b[0]}.${b[1]}`;
const component = (b: Uint8Array): string => `${system(b)}.${int(b, 3, 4)}`;
const head = (b: Uint8Array): object => ({ system_type: b[0], system_address: b[1] });
const signed16 = (b: Uint8Array, at: number): number => (int(b, at, 2) << 16) >> 16;

function text(b: Uint8Array): string {
  const end = b.indexOf(0);
  return new TextDecoder('gb18030').decode(end < 0 ? b : b.subarray(0, end)).trim();
}

const operation = (b: Uint8Array, at: number): object => ({
  operation_flags: hex(b.subarray(at, at + 1)),
  operator: b[at + 1],
  time: timeAt(b, at + 2),
});

const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [
    1,
    {
      name: 'system state',
      size: 10,
      read: (b) => ({
        ...head(b),
        status: int(b, 2, 2),
        states: [...statesOf(int(b, 2, 2), STATES)],
        time: timeAt(b, 4),
      }),
      told: (b) => ({ kind: 'system', where: system(b), states: statesOf(int(b, 2, 2), STATES) }),
    },
  ],
  [
    2,
    {
      name: 'component state',
      size: 46,
      read: (b) => ({
        ...head(b),
        component_type: b[2],
        component_address: int(b, 3, 4),
        status: int(b, 7, 2),
        states: [...statesOf(int(b, 7, 2), STATES)],
        text: text(b.subarray(9, 40)),
        time: timeAt(b, 40),
      }),
      told: (b) => ({ kind: 'component', where: component(b), states: statesOf(int(b, 7, 2), STATES) }),
    },
  ],
  [
    3,
    {
      name: 'component analog value',
      size: 16,
      read: (b) => {
        const known = ANALOGS.get(b[7] ?? 0);
        const value =
          known === undefined ? {} : { quantity: known[0], value: decimal(signed16(b, 8), known[2]), unit: known[1] };
        const where = { component_type: b[2], component_address: int(b, 3, 4), analog_type: b[7] };
        return { ...head(b), ...where, raw: signed16(b, 8), ...value, time: timeAt(b, 10) };
      },
      told: (b) => {
        const known = ANALOGS.get(b[7] ?? 0);
        if (known === undefined) return undefined;
        const [name, unit, digits] = known;
        return { kind: 'analog', where: component(b), name, value: decimal(signed16(b, 8), digits), unit };
      },
    },
  ],
  [4, { name: 'operation record', size: 10, read: (b) => ({ ...head(b), ...operation(b, 2) }) }],
  [
    5,
    { name: 'system software version', size: 4, read: (b) => ({ ...head(b), version_bytes: hex(b.subarray(2, 4)) }) },
  ],
  [8, { name: 'system time', size: 8, read: (b) => ({ ...head(b), time: timeAt(b, 2) }) }],
  [
    21,
    {
      name: 'state of the transmission device',
      size: 7,
      read: (b) => ({ status: b[0], states: [...statesOf(b[0] ?? 0, OWN_STATES)], time: timeAt(b, 1) }),
      told: (b) => ({ kind: 'transmitter', where: '', states: statesOf(b[0] ?? 0, OWN_STATES) }),
    },
  ],
  [24, { name: 'operation record of the transmission device', size: 8, read: (b) => operation(b, 0) }],
  [
    25,
    {
      name: 'software version of the transmission device',
      size: 2,
      read: (b) => ({ version_bytes: hex(b.subarray(0, 2)) }),
    },
  ],
  [28, { name: 'time of the transmission device', size: 6, read: (b) => ({ time: timeAt(b, 0) }) }],
]);

export interface Unit {
  readonly type: number;
  readonly count: number;
  readonly name: string;
  readonly objects: readonly object[];
  readonly told: readonly Told[];
}

/** Undefined when there is no data unit. Objects of another length than the standard's are kept raw: their fields would be a guess. */
export function unitOf(data: Uint8Array): Unit | undefined {
  if (data.length < 2) return undefined;
  const [type = 0, count = 0] = data;
  const shape = SHAPES.get(type);
  const body = data.subarray(2);
  const name = shape?.name ?? (type >= 128 ? 'defined by the maker' : 'not decoded by this version');
  if (shape === undefined || body.length !== shape.size * count)
    return { type, count, name, objects: body.length === 0 ? [] : [{ raw: hex(body) }], told: [] };
  const objects = Array.from({ length: count }, (_, i) => body.subarray(i * shape.size, (i + 1) * shape.size));
  return {
    type,
    count,
    name,
    objects: objects.map(shape.read),
    told: objects.flatMap((b) => shape.told?.(b) ?? []),
  };
}
