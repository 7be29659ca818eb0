/** How a feed travels: address, codec and keys must go together. */
import type { AlinkOptions, FeedModel } from '../base/model.ts';
import type { Names, Report } from './report.ts';
import type { FeedSection, SiteSections } from './schema.ts';

type Keys = readonly (keyof FeedSection)[];
const MQTT_ONLY: Keys = ['alink', 'things', 'client'];
const HTTP_ONLY: Keys = ['batch', 'insecure'];

export function checkWay(
  id: string,
  feed: FeedSection,
  report: Report,
  devices: SiteSections['devices'],
  names: Names,
): void {
  const url = URL.canParse(feed.to) ? new URL(feed.to) : undefined;
  const isHttp = url?.protocol.startsWith('http') === true;
  const isCopy = feed.codec !== 'cloudevents';
  const not = (key: string, zh: string, en: string): void =>
    report.add('config.not_together', ['feeds', id, key], { key, zh, en });
  if (url?.protocol === 'http:' && feed.insecure !== true) report.add('config.clear_text', ['feeds', id, 'to']);
  if (url?.protocol === 'https:' && feed.insecure === true) not('insecure', 'https 已加密', 'https is secure');
  for (const key of isHttp ? MQTT_ONLY : HTTP_ONLY)
    if (feed[key] !== undefined)
      not(key, isHttp ? '通过 HTTP 上报时不能写' : '只用于 HTTP', isHttp ? 'not over HTTP' : 'only over HTTP');
  if (isHttp && isCopy) not('codec', `${feed.codec} 只能走 MQTT`, `${feed.codec} goes over MQTT`);
  if (isHttp && feed.ack === 'app') not('ack', 'HTTP 的 2xx 就是平台的确认', 'over HTTP, 2xx is the acknowledgement');
  if ((isCopy || (feed.batch ?? 1) > 1) && feed.encoding !== 'json') not('encoding', '只能写 json', 'must be json');
  if (feed.codec === 'thingsboard' && feed.ack === 'app')
    not('ack', '此平台没有应用层确认', 'this platform acknowledges by PUBACK only');
  if (feed.codec === 'alink' && feed.alink === undefined)
    report.add('config.missing', ['feeds', id], { key: 'alink' }, true);
  if (feed.codec !== 'alink' && feed.alink !== undefined) not('alink', '只用于 codec: alink', 'only with codec: alink');
  if (!isCopy && feed.things !== undefined) not('things', '只用于物模型平台', 'only with a thing-model codec');
  if (feed.token !== undefined && (feed.user !== undefined || !(isHttp || feed.codec === 'thingsboard')))
    not('token', '用于 HTTP 或 ThingsBoard，不与 user 同写', 'for HTTP or ThingsBoard, instead of user');
  checkClear(id, feed, report);
  checkThings(id, feed, report, devices, names);
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** What tells of people and leaves the machine in clear text. */
function checkClear(id: string, { to, view, insecure }: FeedSection, report: Report): void {
  const url = URL.canParse(to) ? new URL(to) : undefined;
  const scheme = url?.protocol.slice(0, -1) ?? '';
  // Without the word, http is an error already.
  const isClear = scheme === 'mqtt' || (scheme === 'http' && insecure === true);
  if (!isClear || LOOPBACK.includes(url?.hostname ?? '') || !namesClasses(view)) return;
  const params = { scheme, secure: `${scheme}s` };
  report.problems.push({ code: 'config.clear_personal', params, path: ['feeds', id, 'to'], severity: 'warning' });
}

const namesClasses = (view: FeedSection['view']): boolean =>
  view === 'everything' ||
  view?.some(({ alarms, telemetry, devices, stats = {}, forms = {}, commands, config }) =>
    [alarms, telemetry, devices, commands, config, ...Object.values(stats), ...Object.values(forms)].some(
      (rights) => rights?.classes !== undefined,
    ),
  ) === true;

function checkThings(
  id: string,
  { codec, things = {}, alink }: FeedSection,
  report: Report,
  devices: SiteSections['devices'],
  names: Names,
): void {
  const types = Object.values(devices).flatMap(({ type }) => (type === undefined ? [] : [type]));
  const known = new Set([...names('devices'), ...types]);
  for (const name of Object.keys(things))
    report.known(['feeds', id, 'things', name], name, known, { zh: '设备或类型', en: 'device or type' });
  if (codec !== 'alink' || alink === undefined || alink.sub_product !== undefined) return;
  const without = Object.entries(devices).filter(
    ([device, { type = '' }]) => (things[device]?.product ?? things[type]?.product) === undefined,
  );
  const [first] = without;
  if (first === undefined) return;
  const params = { count: without.length, device: first[0] };
  report.problems.push({ code: 'config.no_product', params, path: ['feeds', id], atKey: true, severity: 'warning' });
}

/** What is resolved from several keys. */
export function wayOf({ codec, ack, alink }: FeedSection): Pick<FeedModel, 'ack'> & { alink?: AlinkOptions } {
  return {
    ack: ack ?? (codec === 'alink' ? 'app' : 'broker'),
    ...(alink === undefined ? {} : { alink: alinkOf(alink) }),
  };
}

function alinkOf({ sub_product, secret, ...rest }: NonNullable<FeedSection['alink']>): AlinkOptions {
  return {
    ...rest,
    ...(sub_product === undefined ? {} : { subProduct: sub_product }),
    ...(secret === undefined ? {} : { secret }),
  };
}
