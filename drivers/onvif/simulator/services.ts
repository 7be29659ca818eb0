/** The device and media services: what a client asks once. */
import { addressOf, type Done, fault, type Ground } from './ground.ts';
import { child, type Element, textOf, within } from './xml.ts';

/** answered without credentials (core specification 5.9.4, PRE_AUTH) */
export const OPEN = new Set([
  'GetSystemDateAndTime',
  'GetCapabilities',
  'GetServices',
  'GetServiceCapabilities',
  'GetWsdlUrl',
  'GetEndpointReference',
  'GetHostname',
]);

export function answerService(operation: string, request: Element, ground: Ground): Done | undefined {
  const { el, text } = ground.writer();
  switch (operation) {
    case 'GetSystemDateAndTime':
      return { body: el('tds:GetSystemDateAndTimeResponse', {}, dateAndTime(ground)) };
    case 'GetDeviceInformation':
      return { body: deviceInformation(ground) };
    case 'GetCapabilities':
      return { body: capabilities(ground) };
    case 'GetServices':
      return { body: services(ground) };
    case 'GetScopes':
      return {
        body: el(
          'tds:GetScopesResponse',
          {},
          ...scopes(ground).map((scope) =>
            el('tds:Scopes', {}, text('tt:ScopeDef', 'Fixed'), text('tt:ScopeItem', scope)),
          ),
        ),
      };
    case 'GetEndpointReference':
      return { body: el('tds:GetEndpointReferenceResponse', {}, text('tds:GUID', ground.identity.uuid)) };
    case 'GetNetworkInterfaces': {
      const info = el('tt:Info', {}, text('tt:Name', 'eth0'), text('tt:HwAddress', ground.identity.mac));
      const face = el('tds:NetworkInterfaces', { token: 'eth0' }, text('tt:Enabled', 'true'), info);
      return { body: el('tds:GetNetworkInterfacesResponse', {}, face) };
    }
    case 'GetProfiles':
    case 'GetVideoSources':
    case 'GetSnapshotUri':
    case 'GetStreamUri':
      return media(operation, request, ground);
    default:
      return undefined;
  }
}

/** what a camera says of itself to everybody, also in WS-Discovery */
export const scopes = ({ persona }: Ground): readonly string[] => [
  'onvif://www.onvif.org/type/Network_Video_Transmitter',
  'onvif://www.onvif.org/Profile/Streaming',
  'onvif://www.onvif.org/Profile/T',
  `onvif://www.onvif.org/name/${encodeURIComponent(persona.manufacturer)}`,
  `onvif://www.onvif.org/hardware/${encodeURIComponent(persona.model)}`,
];

function dateAndTime(ground: Ground): string {
  const { el, text } = ground.writer();
  const stamp = (name: string, ms: number): string => {
    const t = new Date(ms);
    return el(
      name,
      {},
      el(
        'tt:Time',
        {},
        text('tt:Hour', `${t.getUTCHours()}`),
        text('tt:Minute', `${t.getUTCMinutes()}`),
        text('tt:Second', `${t.getUTCSeconds()}`),
      ),
      el(
        'tt:Date',
        {},
        text('tt:Year', `${t.getUTCFullYear()}`),
        text('tt:Month', `${t.getUTCMonth() + 1}`),
        text('tt:Day', `${t.getUTCDate()}`),
      ),
    );
  };
  const { timeTold } = ground.faults;
  return el(
    'tds:SystemDateAndTime',
    {},
    text('tt:DateTimeType', 'Manual'),
    text('tt:DaylightSavings', 'false'),
    el('tt:TimeZone', {}, text('tt:TZ', 'CST-8')),
    timeTold === 'utc' ? stamp('tt:UTCDateTime', ground.now()) : '',
    timeTold === 'none' ? '' : stamp('tt:LocalDateTime', ground.now() + EIGHT_HOURS),
  );
}

const EIGHT_HOURS = 8 * 3_600_000;

function deviceInformation(ground: Ground): string {
  const { persona, identity } = ground;
  const { el, text } = ground.writer();
  return el(
    'tds:GetDeviceInformationResponse',
    {},
    text('tds:Manufacturer', persona.manufacturer),
    text('tds:Model', persona.model),
    text('tds:FirmwareVersion', persona.firmware),
    text('tds:SerialNumber', identity.serial),
    text('tds:HardwareId', '1.00'),
  );
}

const at = (ground: Ground, path: string): string => addressOf(ground.faults.serviceAddress, ground.place, path);

function capabilities(ground: Ground): string {
  const { el, text } = ground.writer();
  const { paths } = ground.persona;
  const events = el(
    'tt:Events',
    {},
    text('tt:XAddr', at(ground, paths.events)),
    text('tt:WSSubscriptionPolicySupport', 'true'),
    text('tt:WSPullPointSupport', 'true'),
    text('tt:WSPausableSubscriptionManagerInterfaceSupport', 'false'),
  );
  const all = el(
    'tds:Capabilities',
    {},
    el('tt:Device', {}, text('tt:XAddr', at(ground, paths.device))),
    events,
    el('tt:Media', {}, text('tt:XAddr', at(ground, paths.media))),
  );
  return el('tds:GetCapabilitiesResponse', {}, all);
}

function services(ground: Ground): string {
  const { el, text } = ground.writer();
  const { paths } = ground.persona;
  const one = (namespace: string, path: string): string =>
    el(
      'tds:Service',
      {},
      text('tds:Namespace', `http://www.onvif.org/ver10/${namespace}/wsdl`),
      text('tds:XAddr', at(ground, path)),
      el('tds:Version', {}, text('tt:Major', '2'), text('tt:Minor', '60')),
    );
  const list = [one('device', paths.device), one('events', paths.events), one('media', paths.media)];
  return el('tds:GetServicesResponse', {}, ...list);
}

const PROFILE = 'Profile_1';

function media(operation: string, request: Element, ground: Ground): Done {
  const { el, text } = ground.writer();
  if (operation === 'GetVideoSources') {
    const size = el('tt:Resolution', {}, text('tt:Width', '2560'), text('tt:Height', '1440'));
    const source = el('trt:VideoSources', { token: 'VS1' }, text('tt:Framerate', '25'), size);
    return { body: el('trt:GetVideoSourcesResponse', {}, source) };
  }
  if (operation === 'GetProfiles') return { body: profiles(ground) };
  if (textOf(within(request, 'ProfileToken')) !== PROFILE)
    return fault('Sender', 'no such profile', 'ter:InvalidArgVal', 'ter:NoProfile');
  const uri = operation === 'GetSnapshotUri' ? snapshotUri(ground) : streamUri(ground);
  const told = el(
    'trt:MediaUri',
    {},
    text('tt:Uri', uri),
    text('tt:InvalidAfterConnect', 'false'),
    text('tt:InvalidAfterReboot', 'false'),
    text('tt:Timeout', 'PT0S'),
  );
  return { body: el(`trt:${operation}Response`, {}, told) };
}

function profiles(ground: Ground): string {
  const { el, text } = ground.writer();
  const bounds = el('tt:Bounds', { x: '0', y: '0', width: '2560', height: '1440' });
  const source = [text('tt:Name', 'V1'), text('tt:UseCount', '1'), text('tt:SourceToken', 'VS1'), bounds];
  const size = el('tt:Resolution', {}, text('tt:Width', '2560'), text('tt:Height', '1440'));
  const encoder = [text('tt:Name', 'E1'), text('tt:UseCount', '1'), text('tt:Encoding', 'H264'), size];
  const profile = el(
    'trt:Profiles',
    { token: PROFILE, fixed: 'true' },
    text('tt:Name', 'main'),
    el('tt:VideoSourceConfiguration', { token: 'V1' }, ...source),
    el('tt:VideoEncoderConfiguration', { token: 'E1' }, ...encoder),
  );
  return el('trt:GetProfilesResponse', {}, profile);
}

const streamUri = ({ place }: Ground): string => `rtsp://${place.host}:554/Streaming/Channels/101`;

function snapshotUri(ground: Ground): string {
  const { place, persona, faults } = ground;
  const path = persona.paths.snapshot;
  if (faults.snapshot === 'rtsp-uri') return streamUri(ground);
  if (faults.snapshot === 'cloud-uri') return `http://img.vendor.example${path}`;
  if (faults.snapshot === 'password-uri') return `http://admin:secret@${place.host}:${place.port}${path}`;
  return addressOf(faults.serviceAddress, place, path);
}

/** a duration (PT10M) or a time, in ms from now; undefined when it is neither */
export function lifeAsked(request: Element, name: string, ground: Ground): number | undefined {
  const given = textOf(child(request, name));
  if (given === undefined || given === '') return DEFAULT_LIFE;
  if (!given.startsWith('P')) {
    const until = Date.parse(given);
    return Number.isNaN(until) ? undefined : until - ground.now();
  }
  return durationMs(given);
}

const DEFAULT_LIFE = 60_000;
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000 };

/** xs:duration without years and months */
export function durationMs(given: string): number | undefined {
  const [day = '', time = ''] = given.slice(1).split('T');
  let total = day.endsWith('D') ? Number(day.slice(0, -1)) * 24 * 3_600_000 : 0;
  let number = '';
  for (const c of time) {
    const unit = UNITS[c];
    if (unit === undefined) number += c;
    else {
      total += Number(number) * unit;
      number = '';
    }
  }
  return given.startsWith('P') && number === '' && Number.isFinite(total) ? total : undefined;
}
