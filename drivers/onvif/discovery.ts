/**
 * WS-Discovery 1.0 as cameras speak it (ONVIF core 7.3): a Probe as bytes, and who answered it.
 *
 * The host is always the address a datagram came from: what a camera says of its own address may be another network's. Of what it says only the port
 * and the path are believed, and its endpoint, which stays when the address changes. Answers to other questions, broken ones, and all beyond MOST
 * are left out.
 */
import type { Random } from '../../src/base/ports.ts';
import { childOf, childrenOf, findIn, parseXml, textOf, type XmlElement } from '../../src/kit/xml.ts';

export const GROUP = { host: '239.255.255.250', port: 3702 } as const;
const MOST_BYTES = 64 * 1024;
const MOST = 64;

export interface Probe {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Somebody who answered. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly isTls: boolean;
  /** `urn:uuid:…` in lower case; undefined where it is none */
  readonly uuid?: string;
  readonly maker?: string;
  readonly model?: string;
}

export function makeProbe(random: Random): Probe {
  const hex = [...random.bytes(16)].map((b) => b.toString(16).padStart(2, '0')).join('');
  const id = `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  const text =
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" ' +
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" ' +
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header><a:MessageID>' +
    `${id}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>` +
    '<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header><s:Body><d:Probe>' +
    '<d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>';
  return { id, bytes: new TextEncoder().encode(text) };
}

/** Nobody, when the datagram answers something else or makes no sense. */
export function readMatches(datagram: Uint8Array, from: string, probe: Probe): readonly Endpoint[] {
  const root = rootOf(datagram);
  if (textOf(childOf(root, 'Header'), 'RelatesTo') !== probe.id) return [];
  const matches = childrenOf(findIn(childOf(root, 'Body'), 'ProbeMatches'), 'ProbeMatch');
  return matches.slice(0, MOST).map((match) => endpointOf(match, from));
}

function rootOf(datagram: Uint8Array): XmlElement | undefined {
  if (datagram.length > MOST_BYTES) return undefined;
  try {
    return parseXml(datagram).root;
  } catch {
    return undefined;
  }
}

function endpointOf(match: XmlElement, from: string): Endpoint {
  const addresses = words(textOf(match, 'XAddrs')).flatMap((text) => (URL.canParse(text) ? [new URL(text)] : []));
  const usable = addresses.filter((url) => url.protocol === 'http:' || url.protocol === 'https:');
  // One of another network says nothing about this one; where only such are told their port is still the likeliest.
  const best =
    usable.find((url) => url.hostname === from) ?? usable.find((url) => !url.hostname.startsWith('[')) ?? usable[0];
  const isTls = best?.protocol === 'https:';
  const uuid = uuidOf(textOf(childOf(match, 'EndpointReference'), 'Address'));
  const scopes = words(textOf(match, 'Scopes'));
  const maker = scoped(scopes, 'name');
  const model = scoped(scopes, 'hardware');
  return {
    host: from,
    port: best === undefined || best.port === '' ? (isTls ? 443 : 80) : Number(best.port),
    path: best === undefined || best.pathname === '/' ? '/onvif/device_service' : best.pathname,
    isTls,
    ...(uuid === undefined ? {} : { uuid }),
    ...(maker === undefined ? {} : { maker }),
    ...(model === undefined ? {} : { model }),
  };
}

const words = (text: string | undefined): string[] =>
  ['\n', '\r', '\t']
    .reduce((line, blank) => line.replaceAll(blank, ' '), text ?? '')
    .split(' ')
    .filter((w) => w !== '');

const UUID = 36;

/** The same endpoint however it is written: `uuid:`, `urn:uuid:`, capitals. */
export function uuidOf(text: string | undefined): string | undefined {
  const end = (text ?? '').trim().toLowerCase().slice(-UUID);
  const isOne =
    end.length === UUID && end.split('-').length === 5 && [...end].every((c) => '0123456789abcdef-'.includes(c));
  return isOne ? `urn:uuid:${end}` : undefined;
}

function scoped(scopes: readonly string[], kind: string): string | undefined {
  const head = `onvif://www.onvif.org/${kind}/`;
  const found = scopes.find((scope) => scope.toLowerCase().startsWith(head))?.slice(head.length);
  if (found === undefined || found === '') return undefined;
  try {
    return decodeURIComponent(found).slice(0, 64);
  } catch {
    return found.slice(0, 64);
  }
}
