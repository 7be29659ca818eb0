/** What only the whole file can tell: references, ports and stations used twice, feeds that must say what they show. */
import type { DriverFace } from '../base/driver.ts';
import type { ChannelModel, DeviceModel, FeedModel, Place } from '../base/model.ts';
import { buildCommands, type GrantEstate } from './grants.ts';
import type { Names, Report, Where } from './report.ts';
import type { SiteSections } from './schema.ts';
import { checkSecret, definedOnly, type ReadSecret } from './secrets.ts';
import { checkView, type Vocabulary } from './views.ts';
import { checkWay, wayOf } from './ways.ts';

const LIMITS = { devices: 2000, points: 50_000, feeds: 32 } as const;

export function buildPlaces(sections: SiteSections, names: Names, report: Report): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [id, place] of Object.entries(sections.places)) {
    report.id(['places', id], id);
    places.set(id, { id, ...definedOnly(place) } as Place);
    if (place.in !== undefined)
      report.known(['places', id, 'in'], place.in, names('places'), { zh: '位置', en: 'place' });
  }
  for (const id of places.keys()) {
    const seen = new Set<string>();
    for (let at: string | undefined = id; at !== undefined; at = places.get(at)?.in) {
      if (seen.has(at)) {
        report.add('config.loop', ['places', id, 'in'], { given: id });
        break;
      }
      seen.add(at);
    }
  }
  for (const [id, asset] of Object.entries(sections.assets)) {
    report.id(['assets', id], id);
    if (asset.zone !== undefined)
      report.known(['assets', id, 'zone'], asset.zone, names('places'), { zh: '位置', en: 'place' });
  }
  return places;
}

export function checkStations(
  devices: Iterable<DeviceModel>,
  drivers: ReadonlyMap<string, DriverFace>,
  report: Report,
  where: Where,
): void {
  const taken = new Map<string, string>();
  let count = 0;
  let points = 0;
  const speaks = new Map<string, string>();
  for (const device of devices) {
    count++;
    points += device.points.length;
    const face = drivers.get(device.driver);
    const station = face?.station(device.config);
    if (face?.carries.some((c) => DOORS.has(c)) === true) checkSpeaker(device, speaks, report);
    if (station === undefined || device.channel === undefined) continue;
    // Protocols that share a line do not share their addresses.
    const key = `${device.channel} ${device.driver} ${station}`;
    const other = taken.get(key);
    if (other === undefined) taken.set(key, device.id);
    else
      report.add('config.same_station', ['devices', device.id, 'address'], {
        channel: device.channel,
        station,
        other,
        where: where(['devices', other, 'address']),
      });
  }
  if (count > LIMITS.devices)
    report.add('config.too_many', ['devices'], { what: 'devices', limit: LIMITS.devices }, true);
  if (points > LIMITS.points)
    report.add('config.too_many', ['devices'], { what: 'points', limit: LIMITS.points }, true);
}

/** channels on which we are spoken to */
const DOORS: ReadonlySet<string> = new Set<ChannelModel['carries']>(['listen', 'mqtt', 'http']);

/** Whoever speaks on such a channel is heard in one protocol. */
function checkSpeaker({ id, channel = '', driver }: DeviceModel, speaks: Map<string, string>, report: Report): void {
  const other = speaks.get(channel) ?? driver;
  speaks.set(channel, other);
  if (other !== driver)
    report.add('config.two_drivers', ['devices', id, 'driver'], { channel, drivers: `${other} ${driver}` });
}

const SECRETS = ['password', 'token', 'ca', 'cert', 'key'] as const;

export async function buildFeeds(
  sections: SiteSections,
  vocabulary: Vocabulary,
  report: Report,
  readSecret: ReadSecret,
  hash: (value: unknown) => string,
  estate: GrantEstate,
): Promise<Map<string, FeedModel>> {
  const feeds = new Map<string, FeedModel>();
  for (const [id, section] of Object.entries(sections.feeds)) {
    report.id(['feeds', id], id);
    checkView(id, section, vocabulary, report);
    if (section.basis === undefined && namesSensitive(section.view))
      report.problems.push({
        code: 'config.no_basis',
        params: {},
        path: ['feeds', id],
        atKey: true,
        severity: 'warning',
      });
    for (const key of SECRETS) await checkSecret(['feeds', id, key], section[key], report, readSecret);
    checkWay(id, section, report, sections.devices, estate.names);
    await checkSecret(['feeds', id, 'alink', 'secret'], section.alink?.secret, report, readSecret);
    const commands = await buildCommands(id, section, estate, report, readSecret);
    const { keep, commands: _, signers: __, max_ttl: ___, ...rest } = section;
    feeds.set(id, {
      id,
      ...definedOnly({ ...rest, ...wayOf(section) }),
      keepMs: keep,
      ...(commands === undefined ? {} : { commands }),
      hash: hash([section, commands]),
    } as FeedModel);
  }
  if (feeds.size > LIMITS.feeds) report.add('config.too_many', ['feeds'], { what: 'feeds', limit: LIMITS.feeds }, true);
  return feeds;
}

/** Secrets that devices name in their own sections. */
export async function checkDeviceSecrets(
  devices: Iterable<DeviceModel>,
  drivers: ReadonlyMap<string, DriverFace>,
  report: Report,
  readSecret: ReadSecret,
): Promise<void> {
  for (const { id, driver, config } of devices)
    for (const [key, ref] of Object.entries(drivers.get(driver)?.secrets?.(config) ?? {}))
      await checkSecret(['devices', id, key], ref, report, readSecret);
}

/** Somewhere in its selections. */
const namesSensitive = (view: unknown): boolean => JSON.stringify(view ?? '').includes('"sensitive"');
