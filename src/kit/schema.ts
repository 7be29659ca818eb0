/** The schema library as drivers see it, so that a driver names only its protocol's package, and the pieces every driver's section shares. */
import { z } from 'zod';
import { parseSize } from '../base/bytes.ts';
import { parseDuration } from '../base/time.ts';
import { isUnit, suggestUnit } from '../base/units.ts';

export { z };

/** `500ms 2s 15m 48h`, as milliseconds. */
export const duration = z
  .string()
  .transform((text, ctx): number => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms > 0) return ms;
    ctx.addIssue({ code: 'custom', message: 'duration', params: { code: 'config.bad_duration', given: text } });
    return z.NEVER;
  })
  .meta({ description: '500ms, 2s, 15m, 48h' });

/** `{file: name}` or `{env: NAME}`; what it names never stands in a configuration. */
export const secret = z.unknown().transform((given, ctx): { file?: string; env?: string } => {
  const parsed = secretShape.safeParse(given);
  if (parsed.success) return parsed.data as { file?: string; env?: string };
  ctx.addIssue({
    code: 'custom',
    message: 'secret',
    params: { code: given === undefined ? 'config.needs_secret' : 'config.inline_secret' },
  });
  return z.NEVER;
});
const secretName = z
  .string()
  .min(1)
  .max(64)
  .refine((s) => !s.includes('/') && !s.startsWith('.'));
const secretShape = z.union([z.strictObject({ file: secretName }), z.strictObject({ env: secretName })]);

/** `256MB 2GB`, as bytes. */
export const size = z
  .string()
  .transform((text, ctx): number => {
    const bytes = parseSize(text);
    if (bytes !== undefined) return bytes;
    ctx.addIssue({ code: 'custom', message: 'size', params: { code: 'config.bad_size', given: text } });
    return z.NEVER;
  })
  .meta({ description: '256MB, 2GB' });

/** A UCUM code out of the table of base/units.ts. */
export const unit = z.string().refine(isUnit, {
  message: 'unit',
  error: undefined,
  params: { code: 'config.bad_unit' },
});

/** Whole days after which what was stored is erased. */
export const keepDays = z.int().min(1).max(3650).meta({ description: 'keep_days: 7' });

/** Keys a point has whatever its driver. */
export const pointCommon = {
  name: z.string().min(1).max(64).optional(),
  unit: unit.optional(),
  deadband: z.number().min(0).default(0),
  heartbeat: duration.optional(),
  poll: duration.optional(),
  stale_after: duration.optional(),
  class: z.enum(['none', 'personal', 'sensitive']).optional(),
  event: z.boolean().optional(),
  rollover: z.number().positive().optional(),
  keep_days: keepDays.optional(),
};

/** Keys of a point that stands in a field of an item (items.ts). */
export const fieldCommon = {
  field: z.string().max(64).optional(),
  bit: z.int().min(0).max(31).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
};

/** A meter's number as its label shows it, filled with zeros from the left. */
export const meterAddress = (digits: number) =>
  z.union([z.string(), z.int().min(0)]).transform((given, ctx): string => {
    const text = String(given).trim();
    const plain = text.length >= 1 && text.length <= digits && [...text].every((c) => c >= '0' && c <= '9');
    if (plain) return text.padStart(digits, '0');
    ctx.addIssue({
      code: 'custom',
      message: 'address',
      params: { code: 'config.bad_meter_address', given: text, digits },
    });
    return z.NEVER;
  });

export type PointCommon = {
  readonly name?: string | undefined;
  readonly unit?: string | undefined;
  readonly deadband: number;
  readonly heartbeat?: number | undefined;
  readonly poll?: number | undefined;
  readonly stale_after?: number | undefined;
  readonly class?: 'none' | 'personal' | 'sensitive' | undefined;
  readonly event?: boolean | undefined;
  readonly rollover?: number | undefined;
  readonly keep_days?: number | undefined;
};

export { suggestUnit };
