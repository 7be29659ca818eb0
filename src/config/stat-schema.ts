/** `stats:` as written; what it names is checked in stats.ts. */
import { z } from 'zod';
import { isId } from '../base/ids.ts';
import { duration } from '../kit/schema.ts';

const MOST_WORDS = 64;

/** One word, or several. */
const words = (example: string) =>
  z
    .unknown()
    .transform((given, ctx): string[] => {
      const all: unknown[] = Array.isArray(given) ? given : [given];
      const found = all.filter((w): w is string => typeof w === 'string' && w !== '').slice(0, MOST_WORDS);
      if (found.length > 0 && found.length === all.length) return found;
      ctx.addIssue({ code: 'custom', message: 'words', params: { code: 'config.one_or_list', example } });
      return z.NEVER;
    })
    .meta({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] })
    .optional();

const make = z.literal(true).optional();
/** keys of a value; an id, so that every consumer can name it */
const label = z.string().refine(isId, { message: 'id', params: { code: 'config.bad_id' } });

/** One statistic: what of, what to make of it, in which groups, how often. */
export const statSchema = z.strictObject({
  name: z.string().min(1).max(64).optional(),
  of: z.strictObject({
    point: z.string().optional(),
    type: words('home'),
    tag: words('public'),
    in: words('b3'),
    device: words('meter_*'),
    alarms: z
      .strictObject({ level: words('[red, orange]'), theme: words('[fire, elder]'), rule: words('gate_open') })
      .optional(),
  }),
  mean: make,
  sum: make,
  min: make,
  max: make,
  share: make,
  delta: make,
  count: z.union([z.literal(true), z.tuple([label, label])]).optional(),
  by: z.string().optional(),
  every: duration,
  at_least: z.int().min(1).max(1000).optional(),
});

export type StatSection = z.output<typeof statSchema>;
