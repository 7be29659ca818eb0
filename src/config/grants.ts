/**
 * What a feed's platform may ask: grants resolved to devices, and the keys it signs with. What may move doors, valves or power, which is everything
 * whose type is not called harmless in types.yaml, can only be granted signed and with somebody's yes.
 */
import { createPublicKey } from 'node:crypto';
import type { CodecName, DeviceModel, FeedCommands, Grant, Place, SecretRef } from '../base/model.ts';
import { VALUE_TYPE } from '../base/model.ts';
import { selects } from '../base/select.ts';
import type { Names, Report } from './report.ts';
import type { DeviceTypes, FeedSection, GrantSection } from './schema.ts';
import { checkSecret, definedOnly, type ReadSecret } from './secrets.ts';

export interface GrantEstate {
  /** as written, right or wrong */
  readonly names: Names;
  readonly devices: ReadonlyMap<string, DeviceModel>;
  readonly places: ReadonlyMap<string, Place>;
  readonly types: DeviceTypes;
}

/** undefined = the feed grants nothing. */
export async function buildCommands(
  feed: string,
  section: FeedSection,
  estate: GrantEstate,
  report: Report,
  readSecret: ReadSecret,
): Promise<FeedCommands | undefined> {
  const path = ['feeds', feed];
  const signers: Record<string, string> = {};
  for (const [kid, ref] of Object.entries(section.signers)) {
    const key = await publicKey([...path, 'signers', kid], ref, report, readSecret);
    if (key !== undefined) signers[kid] = key;
  }
  if (section.to.startsWith('http') && section.commands.length > 0)
    report.add('config.not_together', [...path, 'commands'], {
      key: 'commands',
      zh: 'HTTP 没有下行，只用于 MQTT',
      en: 'HTTP has no way down, only over MQTT',
    });
  const grants = section.commands.map((grant, i) => {
    if (grant.signed && section.codec !== 'cloudevents')
      report.add('config.never_signed', [...path, 'commands', i, 'signed'], { codec: section.codec });
    else if (grant.signed && Object.keys(section.signers).length === 0)
      report.add('config.no_signers', [...path, 'commands', i, 'signed']);
    return buildGrant(grant, [...path, 'commands', i], section.codec, estate, report);
  });
  return grants.length === 0 ? undefined : { grants, signers, maxTtlMs: section.max_ttl };
}

type Where = readonly (string | number)[];

function buildGrant(grant: GrantSection, path: Where, codec: CodecName, estate: GrantEstate, report: Report): Grant {
  const { allow, to, point, range, values, only, rate, confirm, signed, forms } = grant;
  const { names, devices, places } = estate;
  const isWrite = allow.includes('write');
  const needs = isWrite ? (to === undefined ? 'to' : point === undefined ? 'point' : undefined) : undefined;
  const missing = needs ?? (allow.includes('form') && forms === undefined ? 'forms' : undefined);
  if (missing !== undefined) report.add('config.grant_needs', path, { key: missing });
  for (const name of only ?? [])
    report.known([...path, 'only'], name, names('times'), { zh: '时段', en: 'named time' });
  if (confirm !== undefined) report.known([...path, 'confirm'], confirm, names('people'), { zh: '人员', en: 'person' });
  const chosen =
    to === undefined ? undefined : [...devices.values()].filter((device) => selects(to, device, { places }));
  const found = isWrite ? chosen?.filter((d) => d.points.some((p) => p.id === point)) : chosen;
  // A device with a mistake of its own may be the one that was meant.
  if (missing === undefined && found?.length === 0 && devices.size === names('devices').length)
    report.add('config.grant_nothing', [...path, 'to'], { point: point ?? '' });
  if (isWrite) for (const device of found ?? []) checkWrite(grant, device, path, codec, estate, report);
  return {
    allow,
    ...(definedOnly({ point, range, values, only, confirm, forms }) as Partial<Grant>),
    ...(found === undefined ? {} : { devices: found.map((d) => d.id) }),
    rate,
    signed,
  };
}

function checkWrite(
  { point, range, values, signed, confirm }: GrantSection,
  device: DeviceModel,
  path: Where,
  codec: CodecName,
  { types }: GrantEstate,
  report: Report,
): void {
  const kind = device.points.find((p) => p.id === point)?.kind;
  if (kind === undefined) return;
  const names = { output: `${device.id}.${point ?? ''}`, kind };
  const isOdd = (range !== undefined && kind !== 'number') || values?.some((v) => typeof v !== VALUE_TYPE[kind]);
  if (isOdd === true) report.add('config.grant_mismatch', path, names);
  else if (kind !== 'bool' && range === undefined && values === undefined)
    report.add('config.grant_bounds', path, names);
  const isHarmless = types[device.type ?? '']?.harmless === true;
  if (isHarmless || (signed && confirm !== undefined)) return;
  if (codec === 'cloudevents')
    report.add('config.grant_dangerous', path, { device: device.id, type: device.type ?? '?' });
  else if (!signed) report.add('config.never_signed', path, { codec });
}

/** SPKI DER in base64 of a PEM, or of that itself. */
async function publicKey(
  path: readonly string[],
  ref: SecretRef,
  report: Report,
  readSecret: ReadSecret,
): Promise<string | undefined> {
  await checkSecret(path, ref, report, readSecret);
  const { value } = await readSecret(ref);
  if (value === undefined) return undefined;
  try {
    // A private key would do, too; but it has no business here.
    if (value.includes('PRIVATE')) throw new Error('private');
    const der = { key: Buffer.from(value, 'base64'), format: 'der', type: 'spki' } as const;
    const key = createPublicKey(value.startsWith('-----') ? value : der);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('kind');
    return key.export({ type: 'spki', format: 'der' }).toString('base64');
  } catch {
    report.add('config.bad_public_key', path);
    return undefined;
  }
}
