/** The device section of a DL/T 645 meter. Keys and meaning: the technician's manual in README.md. */
import { duration, fieldCommon, meterAddress, pointCommon, z } from '../../src/kit/schema.ts';

const di = z.union([z.string(), z.int().min(0)]).transform((given, ctx): string => {
  const text = String(given).trim().toUpperCase();
  const isHex = [...text].every((c) => (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
  if (isHex && (text.length === 8 || text.length === 4)) return text;
  ctx.addIssue({
    code: 'custom',
    message: 'di',
    params: {
      code: 'config.bad_item',
      given: text,
      format_zh: '8 位（2007）或 4 位（1997）十六进制，写在引号里，例如 "00010000"',
      format_en: '8 (2007) or 4 (1997) hex digits in quotes, for example "00010000"',
    },
  });
  return z.NEVER;
});

export const pointSchema = z.strictObject({
  ...pointCommon,
  ...fieldCommon,
  di: di.meta({ description: 'data identifier, 8 hex digits (2007) or 4 (1997), in quotes' }),
  bytes: z.int().min(1).max(7).optional(),
  digits: z.int().min(0).max(6).default(0),
  signed: z.boolean().default(false),
});

export const deviceSchema = z.strictObject({
  address: meterAddress(12).meta({ description: 'the number on the meter, up to 12 digits' }),
  version: z.enum(['2007', '1997']).default('2007'),
  preamble: z.int().min(0).max(16).default(4),
  timeout: duration.optional(),
  points: z.record(z.string(), pointSchema).refine((points) => Object.keys(points).length > 0, {
    message: 'empty',
    params: { code: 'config.no_points' },
  }),
});

export type Dlt645Point = z.output<typeof pointSchema>;
export type Dlt645Device = z.output<typeof deviceSchema>;
