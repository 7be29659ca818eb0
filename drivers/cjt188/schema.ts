/** The device section of a CJ/T 188 meter. Keys and meaning: the technician's manual in README.md. */
import { duration, fieldCommon, meterAddress, pointCommon, z } from '../../src/kit/schema.ts';
import { isReadable } from './points.ts';

/** type codes, CJ/T 188-2004 table 1 and 2018 */
export const KINDS = {
  water: 0x10,
  hot_water: 0x11,
  drinking_water: 0x12,
  reclaimed_water: 0x13,
  heat: 0x20,
  cooling: 0x21,
  heat_cooling: 0x22,
  gas: 0x30,
} as const;

const di = z.union([z.string(), z.int().min(0)]).transform((given, ctx): string => {
  const text = String(given).trim().toUpperCase();
  if (isReadable(text)) return text;
  ctx.addIssue({
    code: 'custom',
    message: 'di',
    params: {
      code: 'config.bad_item',
      given: text,
      format_zh: '"901F"（当前值）或 "D120" 到 "D12B"（上 1 到 12 月结算）',
      format_en: '"901F" (current data) or "D120" to "D12B" (settlement of the 1st to 12th month before)',
    },
  });
  return z.NEVER;
});

export const pointSchema = z.strictObject({
  ...pointCommon,
  ...fieldCommon,
  di: di.default('901F').meta({ description: '901F (default), D120 to D12B' }),
  field: z
    .string()
    .meta({ description: 'volume_current, energy_2_current_heat, supply_temp ...: the list is in README.md' }),
});

export const deviceSchema = z.strictObject({
  address: meterAddress(14).meta({ description: 'the number on the meter, up to 14 digits with the maker code' }),
  kind: z.enum(Object.keys(KINDS) as [keyof typeof KINDS, ...(keyof typeof KINDS)[]]).default('water'),
  di_order: z.enum(['low-first', 'high-first']).optional(),
  unit_first: z.boolean().default(false),
  flow_digits: z.int().min(0).max(6).optional(),
  preamble: z.int().min(0).max(40).default(4),
  timeout: duration.optional(),
  points: z.record(z.string(), pointSchema).refine((points) => Object.keys(points).length > 0, {
    message: 'empty',
    params: { code: 'config.no_points' },
  }),
});

export type Cjt188Point = z.output<typeof pointSchema>;
export type Cjt188Device = z.output<typeof deviceSchema>;
