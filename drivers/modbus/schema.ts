/** The device section of a Modbus device: `address` and `points`. Keys are those of the configuration's manual in README.md. */
import { duration, pointCommon, z } from '../../src/kit/schema.ts';
import { type Layout, NUMBER_TYPES, ORDERS } from './codec.ts';
import { type Hole, type Limits, STANDARD_LIMITS, TABLES, type Table } from './plan.ts';

const register = z.string().transform((text, ctx): { table: Table; address: number } => {
  const parsed = parseRegister(text);
  if ('hint' in parsed) {
    ctx.addIssue({
      code: 'custom',
      message: 'register',
      params: { code: 'config.bad_register', given: text, hint: parsed.hint },
    });
    return z.NEVER;
  }
  return parsed;
});

const range = z.string().transform((text, ctx): Hole => {
  const [table, span = '', ...rest] = text
    .trim()
    .split(' ')
    .filter((word) => word !== '');
  const [from, to = from] = span.split('-').map((n) => (n === '' ? Number.NaN : Number(n)));
  const known = TABLES.find((t) => t === table);
  const isSpan = Number.isInteger(from) && Number.isInteger(to) && Number(from) >= 0 && Number(to) <= 65_535;
  if (known !== undefined && rest.length === 0 && isSpan && Number(from) <= Number(to))
    return { table: known, from: Number(from), to: Number(to) };
  const params = { code: 'config.bad_register', given: text, hint: 'holding 10-19' };
  ctx.addIssue({ code: 'custom', message: 'range', params });
  return z.NEVER;
});

const type = z.string().transform((text, ctx): { as: Layout['as']; length: number } => {
  const parsed = parseType(text);
  if (parsed !== undefined) return parsed;
  ctx.addIssue({
    code: 'custom',
    message: 'type',
    params: { code: 'config.bad_choice', given: text, choices: ['bool', ...NUMBER_TYPES, 'string:N'].join(' ') },
  });
  return z.NEVER;
});

export const pointSchema = z.strictObject({
  ...pointCommon,
  register: register.meta({ description: '<holding|input|coil|discrete> <0-based PDU address>' }),
  as: type.meta({ description: 'bool int16 uint16 int32 uint32 int64 uint64 float32 float64 bcd16 bcd32 string:N' }),
  order: z.enum(ORDERS).default('ABCD'),
  bit: z.int().min(0).max(15).optional(),
  scale: z.number().default(1),
  offset: z.number().default(0),
  nan: z.array(z.number()).default([]),
  min: z.number().optional(),
  max: z.number().optional(),
  write: z.enum(['single', 'multiple']).default('single'),
});

export const deviceSchema = z.strictObject({
  address: z.int().min(1).max(247),
  timeout: duration.optional(),
  most: z
    .int()
    .min(1)
    .max(125)
    .optional()
    .meta({ description: 'registers the device takes in one read, when fewer than 125' }),
  bridge: z
    .int()
    .min(0)
    .max(124)
    .default(STANDARD_LIMITS.bridge)
    .meta({ description: 'unwanted registers read in one go, 0 = none' }),
  forbidden: z.array(range).default([]).meta({ description: '<table> <from>-<to>: never read these' }),
  points: z.record(z.string(), pointSchema).refine((points) => Object.keys(points).length > 0, {
    message: 'empty',
    params: { code: 'config.no_points' },
  }),
});

/** What the configuration says a device takes. */
export function limitsOfDevice({ most, bridge, forbidden }: ModbusDevice): Limits {
  return { ...STANDARD_LIMITS, registers: most ?? STANDARD_LIMITS.registers, bridge, holes: forbidden };
}

export type ModbusPoint = z.output<typeof pointSchema>;
export type ModbusDevice = z.output<typeof deviceSchema>;

function parseRegister(text: string): { table: Table; address: number } | { hint: string } {
  const words = text
    .trim()
    .split(' ')
    .filter((w) => w !== '');
  const table = TABLES.find((t) => t === words[0]);
  const address = Number(words[1]);
  const whole = words.length === 2 && Number.isInteger(address) && address >= 0 && address <= 65535;
  if (table !== undefined && whole) return { table, address };
  return { hint: suggestRegister(words) };
}

/** `40001` and `4x0001` count from 1 with the table in front; mbpoll and many manuals do. */
function suggestRegister(words: readonly string[]): string {
  // `4x0001` is 40001 in another spelling
  const last = (words.at(-1) ?? '').toLowerCase().replace('x', '');
  const n = Number(last);
  const digits = last.length;
  if (words.length <= 2 && Number.isInteger(n) && (digits === 5 || digits === 6)) {
    const base = digits === 5 ? 10_000 : 100_000;
    const table = ({ 0: 'coil', 1: 'discrete', 3: 'input', 4: 'holding' } as const)[Math.floor(n / base)];
    if (table !== undefined && n % base >= 1) return `${table} ${(n % base) - 1}`;
  }
  return Number.isInteger(n) && n >= 0 && n <= 65535 && last !== '' ? `holding ${n}` : 'holding 0';
}

function parseType(text: string): { as: Layout['as']; length: number } | undefined {
  if (text === 'bool') return { as: 'bool', length: 0 };
  const number = NUMBER_TYPES.find((t) => t === text);
  if (number !== undefined) return { as: number, length: 0 };
  if (!text.startsWith('string:')) return undefined;
  const length = Number(text.slice(7));
  return Number.isInteger(length) && length >= 1 && length <= 248 ? { as: 'string', length } : undefined;
}
