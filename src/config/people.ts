/** People and assets: names alarms go to, and things made of devices. */
import type { Asset, Person } from '../base/model.ts';
import type { Names, Report } from './report.ts';
import type { DeviceTypes, SiteSections } from './schema.ts';
import { checkSecret, definedOnly, type ReadSecret } from './secrets.ts';

const WAYS = ['screen', 'webhook', 'feed', 'mqtt'] as const;
/** keys of an asset that name no device */
const OWN = ['type', 'zone', 'name', 'tags', 'lat', 'lon', 'let'];

export async function buildPeople(
  { people }: SiteSections,
  names: Names,
  report: Report,
  readSecret: ReadSecret,
): Promise<Map<string, Person>> {
  const built = new Map<string, Person>();
  for (const [id, section] of Object.entries(people)) {
    const path = ['people', id];
    report.id(path, id);
    const ways = WAYS.filter((way) => section[way] !== undefined);
    if (ways.length !== 1) report.add('config.one_way', path, { id, ways: WAYS.join(' ') }, true);
    if (section.feed !== undefined)
      report.known([...path, 'feed'], section.feed, names('feeds'), { zh: '上报通道', en: 'feed' });
    await checkSecret([...path, 'webhook'], section.webhook, report, readSecret);
    await checkSecret([...path, 'mqtt', 'password'], section.mqtt?.password, report, readSecret);
    built.set(id, { id, ...definedOnly(section) } as Person);
  }
  return built;
}

export function buildAssets(
  { assets }: SiteSections,
  types: DeviceTypes,
  names: Names,
  report: Report,
): Map<string, Asset> {
  const built = new Map<string, Asset>();
  const devices = names('devices');
  for (const [id, section] of Object.entries(assets)) {
    const members: Record<string, string> = {};
    for (const [name, device] of Object.entries(section)) {
      if (OWN.includes(name)) continue;
      const path = ['assets', id, name];
      if (typeof device !== 'string')
        report.add('config.wrong_type', path, { expected: 'string', received: typeof device });
      else if (report.known(path, device, devices, { zh: '设备', en: 'device' })) members[name] = device;
    }
    if (devices.includes(id)) report.add('config.id_taken', ['assets', id], { id }, true);
    const { type, zone, name, tags, lat, lon } = section;
    const keepDays = types[type]?.keep_days;
    built.set(id, {
      id,
      type,
      tags,
      members,
      lets: section.let ?? {},
      ...(keepDays === undefined ? {} : { keepDays }),
      ...(zone === undefined ? {} : { zone }),
      ...(name === undefined ? {} : { name }),
      ...(lat === undefined || lon === undefined ? {} : { at: { lat, lon } }),
    });
  }
  return built;
}
