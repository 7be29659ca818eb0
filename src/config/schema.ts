/** weinao.yaml as one schema: types, defaults, checks, and the JSON schema for editors (scripts/schemas.ts). */
import { z } from 'zod';
import { VERBS } from '../base/command.ts';
import { CODECS } from '../base/model.ts';
import { parseDuration } from '../base/time.ts';
import { duration, keepDays, secret, size, unit } from '../kit/schema.ts';
import { statSchema } from './stat-schema.ts';
import { viewSchema } from './view-schema.ts';

const MOST_TTL = 300_000;

const name = z.string().min(1).max(64);
const custom = (code: string, hint?: string): { message: string; params: Record<string, string> } => ({
  message: code,
  params: hint === undefined ? { code } : { code, hint },
});

const timezone = z.string().refine((zone) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}, custom('config.bad_timezone'));

const hostPort = z.string().transform((text, ctx): { host: string; port: number } => {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon);
  const port = Number(text.slice(colon + 1));
  if (colon > 0 && !host.includes(' ') && Number.isInteger(port) && port >= 1 && port <= 65_535) return { host, port };
  ctx.addIssue({ code: 'custom', ...custom('config.bad_address') });
  return z.NEVER;
});

const urlOf = (protocols: readonly string[], code: string) =>
  z.string().refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname, username, password } = new URL(text);
    return protocols.includes(protocol) && hostname !== '' && username === '' && password === '';
  }, custom(code));
const brokerUrl = urlOf(['mqtt:', 'mqtts:'], 'config.bad_url');
const feedUrl = urlOf(['mqtt:', 'mqtts:', 'https:', 'http:'], 'config.bad_feed_url');

export const channelSchema = z.strictObject({
  name: name.optional(),
  serial: z.string().startsWith('/').optional(),
  tcp: hostPort.optional(),
  modbus_tcp: hostPort.optional(),
  listen: hostPort.optional(),
  mqtt: brokerUrl.optional(),
  http: hostPort.optional(),
  version: z.literal([3, 5]).default(5),
  client: z.string().min(1).max(64).optional(),
  user: z.string().optional(),
  password: secret.optional(),
  ca: secret.optional(),
  cert: secret.optional(),
  key: secret.optional(),
  baud: z.literal([1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]).default(9600),
  parity: z.enum(['none', 'even', 'odd']).default('none'),
  data_bits: z.literal([7, 8]).default(8),
  stop_bits: z.literal([1, 2]).default(1),
  timeout: duration.default(1000),
  gap: duration.optional(),
});

const place = {
  lat: z.number().min(-90).max(90).optional(),
  lon: z.number().min(-180).max(180).optional(),
};
/** Constants of rules, overridden here. */
const lets = z.record(z.string(), z.union([z.boolean(), z.number(), z.string()])).optional();

/** A name alarms may be sent to; exactly one way. */
export const personSchema = z.strictObject({
  name: name.optional(),
  screen: z.literal(true).optional(),
  webhook: secret.optional(),
  feed: z.string().optional(),
  mqtt: z
    .strictObject({
      to: brokerUrl,
      topic: z.string().min(1).max(128),
      user: z.string().optional(),
      password: secret.optional(),
    })
    .optional(),
});

/** Keys every device has; the rest belongs to its driver. */
export const deviceCommon = {
  driver: z.string(),
  channel: z.string().optional(),
  poll: duration.optional(),
  type: z.string().optional(),
  tags: z.array(z.string()).default([]),
  zone: z.string().optional(),
  name: name.optional(),
  profile: z.string().optional(),
  keep_days: keepDays.optional(),
  ...place,
  let: lets,
};

/** A name that stands in a topic of somebody else's. */
const topicName = z
  .string()
  .min(1)
  .max(64)
  .refine((text) => !['/', '+', '#', '\u0000'].some((c) => text.includes(c)), custom('config.bad_topic_name'));

/** A point's name on a platform: a text, `{name, as}`, or false for "not told". */
const pointName = z.union([
  z.literal(false),
  name.transform((text) => ({ name: text })),
  z.strictObject({ name, as: z.enum(['float', 'int', 'bool', 'text']).optional() }),
]);

const thingSchema = z.strictObject({
  product: topicName.optional(),
  name: topicName.optional(),
  points: z.record(z.string(), pointName).optional(),
});

const alinkSchema = z.strictObject({
  product: topicName,
  device: topicName,
  secret: secret.optional(),
  sub_product: topicName.optional(),
  event: topicName.default('alarm'),
  version: z.string().min(1).max(16).default('1.0'),
});

const words = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((given) => (typeof given === 'string' ? [given] : given));
const verb = z.enum(VERBS);

/** `30/1m` */
const rate = z
  .string()
  .transform((text, ctx): { count: number; perMs: number } => {
    const [n = '', per = '', ...more] = text.split('/');
    const count = Number(n);
    const perMs = parseDuration(per.trim());
    const isGood = Number.isInteger(count) && count >= 1 && count <= 1000 && more.length === 0;
    if (isGood && perMs !== undefined && perMs >= 1000) return { count, perMs };
    ctx.addIssue({ code: 'custom', ...custom('config.bad_rate') });
    return z.NEVER;
  })
  .meta({ description: '30/1m' });

/** What a platform may ask (feed contract, section 8). */
export const grantSchema = z.strictObject({
  allow: z.union([verb, z.array(verb).min(1)]).transform((given) => (typeof given === 'string' ? [given] : given)),
  to: z
    .strictObject({ type: words.optional(), tag: words.optional(), zone: words.optional(), device: words.optional() })
    .optional(),
  point: z.string().optional(),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([least, most]) => least <= most, custom('config.range_reversed'))
    .optional(),
  values: z
    .array(z.union([z.boolean(), z.number(), z.string()]))
    .min(1)
    .optional(),
  only: words.optional(),
  rate: rate.prefault('30/1m'),
  confirm: z.string().optional(),
  signed: z.boolean().default(false),
  forms: words.optional(),
});
export type GrantSection = z.output<typeof grantSchema>;
const line = z.string().min(1).max(200);

export const feedSchema = z.strictObject({
  to: feedUrl,
  codec: z.enum(CODECS).default('cloudevents'),
  alink: alinkSchema.optional(),
  things: z.record(z.string(), thingSchema).optional(),
  batch: z.int().min(1).max(500).optional(),
  insecure: z.literal(true).optional(),
  token: secret.optional(),
  user: z.string().optional(),
  password: secret.optional(),
  ca: secret.optional(),
  cert: secret.optional(),
  key: secret.optional(),
  client: z.string().max(64).optional(),
  mqtt: z.literal([3, 5]).default(5),
  ack: z.enum(['broker', 'app']).optional(),
  encoding: z.enum(['json', 'json+zstd']).default('json'),
  rate: z.number().positive().max(10_000).default(200),
  priority: z.int().min(0).max(9).default(5),
  keep: duration.default(30 * 86_400_000),
  commands: z.array(grantSchema).max(64).default([]),
  /** public keys its commands may be signed with */
  signers: z.record(z.string().min(1).max(64), secret).default({}),
  /** how far ahead a command may expire */
  max_ttl: duration.refine((ms) => ms <= MOST_TTL, custom('config.max_ttl')).default(MOST_TTL),
  view: viewSchema.optional(),
  purpose: z
    .union([z.strictObject({ zh: line, en: line }), line])
    .transform((given) => (typeof given === 'string' ? { zh: given, en: given } : given))
    .optional(),
  basis: line.optional(),
});

export const siteSchema = z.strictObject({
  site: z.strictObject({
    id: z.string(),
    name,
    lat: z.number().min(-90).max(90).optional(),
    lon: z.number().min(-180).max(180).optional(),
    timezone: timezone.default('Asia/Shanghai'),
  }),
  gateway: z
    .strictObject({
      id: z.string().default('gw1'),
      data: z.string().startsWith('/').default('/var/lib/weinao'),
      commit_window: duration.default(1000),
      budget: size.refine((bytes) => bytes >= 16 * 1024 ** 2, custom('config.bad_size')).optional(),
      media: z
        .strictObject({ keep: duration.default(30 * 86_400_000), budget: size.default(500 * 1024 ** 2) })
        .prefault({}),
    })
    .prefault({}),
  times: z.record(z.string(), z.string()).default({}),
  places: z
    .record(
      z.string(),
      z.strictObject({
        name,
        kind: z.string().optional(),
        lat: z.number().min(-90).max(90).optional(),
        lon: z.number().min(-180).max(180).optional(),
        in: z.string().optional(),
        class: z.enum(['none', 'personal', 'sensitive']).optional(),
      }),
    )
    .default({}),
  people: z.record(z.string(), personSchema).default({}),
  assets: z
    .record(
      z.string(),
      z.looseObject({
        type: z.string(),
        zone: z.string().optional(),
        name: name.optional(),
        tags: z.array(z.string()).default([]),
        ...place,
        let: lets,
      }),
    )
    .default({}),
  channels: z.record(z.string(), channelSchema).default({}),
  devices: z.record(z.string(), z.looseObject(deviceCommon)).default({}),
  stats: z.record(z.string(), statSchema).default({}),
  feeds: z.record(z.string(), feedSchema).default({}),
});

export type SiteSections = z.output<typeof siteSchema>;
export type ChannelSection = z.output<typeof channelSchema>;
export type FeedSection = z.output<typeof feedSchema>;

export const typesSchema = z.record(
  z.string(),
  z.strictObject({
    name: name.optional(),
    no_data: z.enum(['blue', 'yellow', 'orange', 'red']).default('yellow'),
    /** no door, no valve, no power: what a platform writes there needs neither signature nor somebody's yes */
    harmless: z.boolean().default(false),
    keep_days: keepDays.optional(),
    points: z
      .record(
        z.string(),
        z.strictObject({
          unit: unit.optional(),
          kind: z.enum(['bool', 'number', 'string']),
          class: z.enum(['none', 'personal', 'sensitive']).default('none'),
          stale_after: duration.optional(),
          event: z.boolean().optional(),
          name: name.optional(),
          keep_days: keepDays.optional(),
        }),
      )
      .default({}),
  }),
);
export type DeviceTypes = z.output<typeof typesSchema>;
