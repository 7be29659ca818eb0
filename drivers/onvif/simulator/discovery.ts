/** WS-Discovery (OASIS 1.0, as ONVIF core 7.3 uses it) as a function of datagrams: a Probe in, ProbeMatches out. */
import type { Ground } from './ground.ts';
import { scopes } from './services.ts';
import { child, escapeXml, readXml, textOf, within } from './xml.ts';

const D = 'http://schemas.xmlsoap.org/ws/2005/04/discovery';
const TYPES = ['NetworkVideoTransmitter', 'Device'];

/** Nothing when it is not asked for, or not asked at all. */
export function answerProbe(datagram: Uint8Array, ground: Ground): readonly Uint8Array[] {
  const root = readXml(Buffer.from(datagram).toString('utf8'));
  const header = child(root, 'Header');
  const probe = child(child(root, 'Body'), 'Probe');
  const id = textOf(child(header, 'MessageID'));
  if (probe?.ns !== D || id === undefined) return [];
  const wanted = (textOf(within(probe, 'Types')) ?? '').split(' ').filter((t) => t !== '');
  if (!wanted.every((t) => TYPES.includes(t.slice(t.indexOf(':') + 1)))) return [];
  const { discovery } = ground.faults;
  if (discovery === 'none') return [];
  const answer = matches(discovery === 'unrelated' ? 'urn:uuid:00000000-0000-4000-8000-00000000dead' : id, ground);
  return discovery === 'twice' ? [answer, answer] : [answer];
}

function matches(relatesTo: string, ground: Ground): Uint8Array {
  const { place, persona, faults, identity } = ground;
  const path = persona.paths.device;
  const own = `http://${place.host}:${place.port}${path}`;
  const addresses = {
    'several-addresses': `http://169.254.7.7${path} ${own}`,
    ipv6: `http://[fe80::1ac0:4dff:fe00:1]${path} ${own}`,
    'bad-url': `http://${place.host}:${place.port}:${place.port}${path}`,
  } as const;
  const given = faults.discovery in addresses ? addresses[faults.discovery as keyof typeof addresses] : own;
  const one = match(identity.uuid, given, ground);
  // A recorder answers for its cameras in one message.
  const more = faults.discovery === 'several' ? match(`${identity.uuid.slice(0, -4)}beef`, `${own}/2`, ground) : '';
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" ` +
      `xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="${D}" ` +
      `xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">` +
      `<s:Header><a:MessageID>urn:uuid:${identity.uuid.slice(-36)}</a:MessageID>` +
      `<a:RelatesTo>${escapeXml(relatesTo)}</a:RelatesTo>` +
      `<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>` +
      `<a:Action>${D}/ProbeMatches</a:Action></s:Header>` +
      `<s:Body><d:ProbeMatches>${one}${more}</d:ProbeMatches></s:Body></s:Envelope>`,
  );
}

const match = (uuid: string, addresses: string, ground: Ground): string =>
  `<d:ProbeMatch><a:EndpointReference><a:Address>${uuid}</a:Address></a:EndpointReference>` +
  `<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>${escapeXml(scopes(ground).join(' '))}</d:Scopes>` +
  `<d:XAddrs>${escapeXml(addresses)}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>`;
