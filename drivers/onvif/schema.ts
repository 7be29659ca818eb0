/** The device section of a camera. Keys and meaning: the technician's manual in README.md. */
import { rangeOf } from '../../src/base/ipv4.ts';
import { duration, pointCommon, secret, z } from '../../src/kit/schema.ts';
import { KIND_NAMES } from './topics.ts';

const host = z
  .string()
  .min(1)
  .max(253)
  .refine((text) => URL.canParse(`http://${text.includes(':') ? `[${text}]` : text}:1/`) && !/[\s/@?#\\]/.test(text), {
    message: 'host',
    params: { code: 'config.bad_host' },
  })
  .meta({ description: '192.168.1.64' });

const token = z.union([z.string(), z.int()]).transform(String);

/** GB/T 28181 */
const CODE_DIGITS = 20;

export const SKEW = 'clock_skew';

export const pointSchema = z.strictObject({
  ...pointCommon,
  event: z
    .enum([...KIND_NAMES, SKEW])
    .optional()
    .meta({ description: 'what is seen' }),
  topic: z.string().min(1).max(256).optional().meta({ description: 'a topic no kind stands for' }),
  item: z.string().min(1).max(64).optional(),
  as: z.enum(['bool', 'number', 'string']).default('bool'),
  source: token.optional().meta({ description: 'token of the channel' }),
  rule: token.optional(),
  clear: duration.optional().meta({ description: 'over after so long without a repeat' }),
});

const topicRow = z.strictObject({
  topic: z.string().min(1).max(256),
  kind: z.enum(KIND_NAMES),
  items: z.array(z.string()).optional(),
  reads: z.enum(['bool', 'number', 'classes', 'kelvin', 'always']).optional(),
  clear: duration.optional(),
});

export const deviceSchema = z.strictObject({
  host,
  port: z.int().min(1).max(65_535).optional(),
  tls: z.enum(['off', 'verified', 'any']).default('off'),
  path: z.string().startsWith('/').max(256).default('/onvif/device_service'),
  user: z.string().min(1).max(64).optional(),
  password: secret.optional(),
  basic: z.boolean().default(false),
  subnet: z
    .string()
    .refine((text) => rangeOf(text) !== undefined, { message: 'subnet', params: { code: 'config.bad_subnet' } })
    .optional()
    .meta({ description: '192.168.1.0/24' }),
  code: z
    .string()
    .refine((text) => text.length === CODE_DIGITS && [...text].every((c) => c >= '0' && c <= '9'), {
      message: 'code',
      params: { code: 'config.bad_camera_code' },
    })
    .optional()
    .meta({ description: '44030500001320000012' }),
  items: z.array(z.string()).default([]),
  topics: z.array(topicRow).default([]),
  points: z.record(z.string(), pointSchema).optional(),
});

export type CameraPoint = z.output<typeof pointSchema>;
export type CameraDevice = z.output<typeof deviceSchema>;
