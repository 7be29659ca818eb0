/**
 * Cameras of a network nobody has listed: WS-Discovery by multicast, and each address of a range by a unicast probe and, where nobody answers that, by
 * GetSystemDateAndTime, which cameras tell without a password. No credentials are sent.
 *
 * Polite and bounded: AT_ONCE addresses at a time, one question at a time to each, MOST_FOUND cameras. An address that does not even refuse a connection
 * is asked once. Multicast does not cross networks: what it does not find, a range may.
 */
import { isWeinaoError } from '../../src/base/errors/index.ts';
import type { FindContext, Found } from '../../src/kit/driver.ts';
import { findIn, parseXml } from '../../src/kit/xml.ts';
import { type Endpoint, GROUP, makeProbe, readMatches } from './discovery.ts';

const PORTS = [80, 8000, 8080, 2020, 8899];
const PATHS: Readonly<Record<number, string>> = { 2020: '/onvif/service' };
const USUAL = '/onvif/device_service';
const MULTICAST_MS = 3000;
const UNICAST_MS = 800;
const ASK_MS = 1500;
const MOST_BYTES = 64 * 1024;
const AT_ONCE = 16;
const MOST_FOUND = 512;

const TIME =
  '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>' +
  '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>';

export async function findCameras(context: FindContext): Promise<void> {
  const known = new Set<string>();
  const tell = (endpoint: Endpoint): void => {
    // One camera answers on several ways: it is its endpoint, or else its address.
    const keys = [endpoint.host, ...(endpoint.uuid === undefined ? [] : [endpoint.uuid])];
    if (known.size > 2 * MOST_FOUND || keys.some((key) => known.has(key))) return;
    for (const key of keys) known.add(key);
    context.found(found(endpoint));
  };
  await probe(GROUP.host, MULTICAST_MS, context, tell);
  context.step();
  const waiting = [...context.range];
  const worker = async (): Promise<void> => {
    for (let host = waiting.shift(); host !== undefined && !context.signal.aborted; host = waiting.shift()) {
      if (!known.has(host)) await probe(host, UNICAST_MS, context, tell);
      const endpoint = known.has(host) ? undefined : await knock(host, context);
      if (endpoint !== undefined) tell(endpoint);
      context.step();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function probe(host: string, forMs: number, { doors, random, signal }: FindContext, tell: (e: Endpoint) => void) {
  const asked = makeProbe(random);
  await doors.udp.ask({ host, port: GROUP.port }, asked.bytes, { forMs, signal }, (bytes, from) => {
    for (const endpoint of readMatches(bytes, from.host, asked)) tell(endpoint);
  });
}

async function knock(host: string, { doors, signal }: FindContext): Promise<Endpoint | undefined> {
  for (const port of PORTS) {
    const path = PATHS[port] ?? USUAL;
    const headers = { 'content-type': 'application/soap+xml; charset=utf-8' };
    const ask = { url: `http://${host}:${port}${path}`, method: 'POST', headers, body: TIME } as const;
    try {
      const answer = await doors.http.ask(ask, { deadlineMs: ASK_MS, maxBytes: MOST_BYTES, signal });
      if (isCamera(answer.body)) return { host, port, path, isTls: false };
    } catch (error) {
      if (signal.aborted || !isWeinaoError(error)) return undefined;
      if (error.code === 'http.unreachable' || error.code === 'http.late') return undefined;
    }
  }
  return undefined;
}

/** It told the time, or refused to in SOAP: nobody else does either at this path. */
function isCamera(body: Uint8Array): boolean {
  try {
    const { root } = parseXml(body);
    if (root.name !== 'Envelope') return false;
    return findIn(root, 'GetSystemDateAndTimeResponse') !== undefined || findIn(root, 'Fault') !== undefined;
  } catch {
    return false;
  }
}

function found({ host, port, path, isTls, uuid, maker, model }: Endpoint): Found {
  const who = [maker, model].filter((text) => text !== undefined).join(' ');
  const id = uuid === undefined ? '' : `  ${uuid}`;
  return {
    driver: 'onvif',
    address: host,
    ...(uuid === undefined ? {} : { uuid }),
    says: {
      zh: `${who === '' ? 'ONVIF 摄像机' : who}${id}；在摄像机网页新建 ONVIF 用户，密码存入 secrets/`,
      en: `${who === '' ? 'an ONVIF camera' : who}${id}; make an ONVIF user in its web page and put the password into secrets/`,
    },
    section: {
      driver: 'onvif',
      host,
      ...(port === 80 ? {} : { port }),
      ...(path === USUAL ? {} : { path }),
      ...(isTls ? { tls: 'any' } : {}),
      user: 'weinao',
      password: { file: `cam_${host.replaceAll('.', '_')}` },
      type: 'camera',
    },
  };
}
