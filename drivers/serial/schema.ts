/** The device section of a freely described device. Keys and meaning: the technician's manual in README.md. */
import { unhex } from '../../src/base/bytes.ts';
import { duration, pointCommon, z } from '../../src/kit/schema.ts';

const MOST = 256;

const bytes = z.string().transform((text, ctx): Uint8Array => {
  const parsed = text.startsWith('ascii:') ? new TextEncoder().encode(unescaped(text.slice(6))) : unhex(text);
  if (parsed !== undefined && parsed.length >= 1 && parsed.length <= MOST) return parsed;
  ctx.addIssue({ code: 'custom', message: 'bytes', params: { code: 'config.bad_bytes', given: text } });
  return z.NEVER;
});

/** `\r` and `\n` as they are written in manuals. */
const unescaped = (text: string): string => text.replaceAll('\\r', '\r').replaceAll('\\n', '\n');

/** A place in the frame; below zero it counts from the end. */
const place = z
  .int()
  .min(-MOST)
  .max(MOST - 1);

export const CHECKSUMS = ['sum8', 'xor8', 'lrc', 'crc16', 'crc16_high_first'] as const;
export const ENCODINGS = [
  'uint',
  'uint_low',
  'int',
  'int_low',
  'bcd',
  'bcd_low',
  'float',
  'float_low',
  'ascii',
  'text',
] as const;

export const pointSchema = z.strictObject({
  ...pointCommon,
  at: place.optional(),
  bytes: z.int().min(1).max(64).optional(),
  word: z.int().min(0).max(63).optional(),
  as: z.enum(ENCODINGS),
  bit: z.int().min(0).max(31).optional(),
  scale: z.number().default(1),
  offset: z.number().default(0),
  min: z.number().optional(),
  max: z.number().optional(),
});

export const deviceSchema = z.strictObject({
  request: bytes.optional().meta({ description: 'hex, or ascii:TEXT\\r\\n; left out = the device speaks by itself' }),
  frame: z.strictObject({
    start: bytes.optional(),
    end: bytes.optional(),
    length: z.int().min(1).max(MOST).optional(),
    gap: z.boolean().default(false),
  }),
  match: z.array(z.strictObject({ at: place, bytes })).default([]),
  checksum: z
    .strictObject({ kind: z.enum(CHECKSUMS), at: place, from: place.default(0), to: place.optional() })
    .optional(),
  separator: z.string().length(1).default(','),
  timeout: duration.optional(),
  points: z.record(z.string(), pointSchema).refine((points) => Object.keys(points).length > 0, {
    message: 'empty',
    params: { code: 'config.no_points' },
  }),
});

export type SerialPoint = z.output<typeof pointSchema>;
export type SerialDevice = z.output<typeof deviceSchema>;
