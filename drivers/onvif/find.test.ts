import { describe, expect, it } from 'vitest';
import type { Found } from '../../src/kit/driver.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import { makeProbe, readMatches, uuidOf } from './discovery.ts';
import { findCameras } from './find.ts';
import { cameraDoor, cameraUdp } from './simulator/door.ts';
import { type Camera, type CameraOptions, createCamera, type PersonaName } from './simulator.ts';

const clock = new VirtualClock();
const random = seededRandom(3);
const camera = (persona: PersonaName, host: string, faults: CameraOptions['faults'] = {}, port = 80): Camera =>
  createCamera({ user: 'u', password: 'p', persona, place: { host, port }, faults }, clock, random);

async function find(cameras: readonly Camera[], range: readonly string[] = []) {
  const found: Found[] = [];
  let steps = 0;
  const doors = { http: cameraDoor(cameras, clock), udp: cameraUdp(cameras, clock) };
  const signal = new AbortController().signal;
  const over = findCameras({
    doors,
    random,
    range,
    signal,
    found: (f) => void found.push(f),
    step: () => void steps++,
  });
  await clock.advance(120_000);
  await over;
  return { found, steps };
}

describe('cameras of a network', () => {
  it('a call to all finds who speaks WS-Discovery: maker, model, endpoint, and YAML to paste', async () => {
    const hik = camera('hikvision', '192.168.1.64');
    const { found } = await find([
      hik,
      camera('tapo', '192.168.1.65', {}, 2020),
      camera('axis', '192.168.1.66', { discovery: 'none' }),
    ]);
    expect(found.map((f) => f.address)).toEqual(['192.168.1.64', '192.168.1.65']);
    expect(found[0]?.says.en).toContain(`HIKVISION DS-2CD2143G2-I  ${hik.identity.uuid}`);
    expect(found[0]?.section).toMatchObject({
      driver: 'onvif',
      host: '192.168.1.64',
      password: { file: 'cam_192_168_1_64' },
    });
    expect(found[1]?.section).toMatchObject({ port: 2020, path: '/onvif/service' });
  });

  it('a range finds those that keep quiet, on the usual ports, without a password, each once', async () => {
    const quiet = { discovery: 'none' } as const;
    const cameras = [
      camera('hikvision', '192.168.1.64'),
      camera('xmeye', '192.168.1.70', quiet, 8899),
      camera('reolink', '192.168.1.71', { ...quiet, timeNeedsAuth: true }, 8000),
      camera('dahua', '192.168.1.72', { ...quiet, transport: 'html-401' }),
      camera('dahua', '192.168.1.73', { ...quiet, transport: 'hang' }),
    ];
    const range = Array.from({ length: 16 }, (_, i) => `192.168.1.${60 + i}`);
    const { found, steps } = await find(cameras, range);
    expect(found.map((f) => [f.address, f.section.port])).toEqual([
      ['192.168.1.64', undefined],
      ['192.168.1.70', 8899],
      ['192.168.1.71', 8000],
    ]);
    expect(steps).toBe(17);
    for (const one of cameras) expect(one.log.every((entry) => entry.auth === 'none')).toBe(true);
    expect(cameras[4]?.count('GetSystemDateAndTime')).toBe(1);
  });

  it.each([
    ['several', 2],
    ['several-addresses', 1],
    ['ipv6', 1],
    ['bad-url', 1],
    ['twice', 1],
    ['unrelated', 0],
  ] as const)('an answer that is odd (%s) finds %i, at the address it came from', (discovery, count) => {
    const probe = makeProbe(random);
    const answers = camera('conforming', '192.168.1.64', { discovery }, 8080).discover(probe.bytes);
    const all = answers.flatMap((bytes) => readMatches(bytes, '192.168.1.64', probe));
    expect(new Set(all.map((e) => e.uuid)).size).toBe(count);
    for (const one of all)
      expect([one.host, one.path.startsWith('/onvif/device_service')]).toEqual(['192.168.1.64', true]);
    if (discovery !== 'bad-url') for (const one of all) expect(one.port).toBe(8080);
  });

  it('datagrams that make no sense find nobody', () => {
    const probe = makeProbe(random);
    const odd = [
      '',
      'x',
      '<a>',
      '<!DOCTYPE a>',
      `<Envelope><Header><RelatesTo>${probe.id}</RelatesTo></Header></Envelope>`,
      '<'.repeat(70_000),
    ];
    for (const text of odd) expect(readMatches(Buffer.from(text), '10.0.0.1', probe)).toEqual([]);
    expect([uuidOf('UUID:2419D68A-2dd2-21b2-a205-4d6f6e69746f'), uuidOf('urn:uuid:1'), uuidOf(undefined)]).toEqual([
      'urn:uuid:2419d68a-2dd2-21b2-a205-4d6f6e69746f',
      undefined,
      undefined,
    ]);
  });
});
