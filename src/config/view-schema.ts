/** `view:` of a feed, as written (feed.md 10). What it names is checked in views.ts, what it means is in base/view.ts. */
import { z } from 'zod';
import { THEMES } from '../base/alarm.ts';
import { LEVELS } from '../base/event.ts';
import { NAMED_CLASSES } from '../base/view.ts';

/** one word, or several */
const words = <T extends z.ZodType<string>>(word: T) =>
  z.union([z.array(word).min(1), word]).transform((given): z.output<T>[] => (Array.isArray(given) ? given : [given]));
const ids = words(z.string().min(1).max(128));

const things = { type: ids.optional(), tag: ids.optional(), zone: ids.optional(), device: ids.optional() };
const classes = { classes: words(z.enum(NAMED_CLASSES)).optional() };
const rights = { ...classes, drop: ids.optional(), scrub: z.boolean().optional() };
const filter = {
  level: words(z.enum(LEVELS)).optional(),
  theme: words(z.enum(THEMES)).optional(),
  rule: ids.optional(),
  told: z.literal(true).optional(),
  ...things,
};

const selection = z.strictObject({
  alarms: z.strictObject({ ...filter, ...rights, or: z.strictObject(filter).optional() }).optional(),
  telemetry: z.strictObject({ ...things, points: ids.optional(), ...classes }).optional(),
  devices: z.strictObject({ ...things, ...classes }).optional(),
  stats: z.record(z.string(), z.strictObject({ at_least: z.int().min(1).optional(), ...rights })).optional(),
  forms: z.record(z.string(), z.strictObject(rights)).optional(),
  commands: z.strictObject(rights).optional(),
  config: z.strictObject(rights).optional(),
});

export const viewSchema = z.union([z.array(selection).min(1), z.literal('everything')]);
export type SelectionSection = z.output<typeof selection>;
