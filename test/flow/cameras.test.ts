/** Cameras through the whole gateway on virtual time: what they see reaches rules, pictures are taken and kept, and nothing a camera does loses it for good. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Camera, type CameraFaults, PERSONAS, type PersonaName } from '../../drivers/onvif/simulator.ts';
import { isJpeg } from '../../src/base/media.ts';
import { type CameraHouse, openCameraHouse } from '../kit/camera-house.ts';

const MINUTE = 60_000;
const RULE = `rule: seen
level: orange
each: {type: camera}
when: motion
text: 有人
act: 查看
do: [{screen: duty}, {snapshot: cam_1}]
`;

/** What a point was told to be, one after another. */
const valuesOf = ({ told }: CameraHouse, point: string): unknown[] => {
  const values = told.flatMap((line) => (line.kind === 'reading' && line.point === point ? [line.value] : []));
  return values.filter((value, i) => i === 0 || value !== values[i - 1]);
};

/** What its first property means, where that is not motion; and the keys an installer writes for it. */
const PECULIAR: Partial<Record<PersonaName, { point?: string; keys?: string; on?: string; off?: string }>> = {
  uniview: { point: 'person' },
  'onvif-25.06': { point: 'fire', on: 'Fire Human', off: '' },
  // It never tells the end.
  xmeye: { keys: ', points: {motion: {event: motion, clear: 20s}}' },
};

describe('every maker', () => {
  it.each(Object.keys(PERSONAS) as PersonaName[])(
    '%s: what it sees is known, it is asked one thing at a time, and stopping leaks nothing',
    async (persona) => {
      const { point = 'motion', keys = '', on, off } = PECULIAR[persona] ?? {};
      const house = await openCameraHouse([{ persona, keys }]);
      const { clock, cameras } = house;
      const camera = cameras[0] as Camera;
      const { topic, source } = camera.persona.properties[0] as (typeof camera.persona.properties)[number];
      const turn = (isOn: boolean, word: string | undefined): void =>
        word === undefined ? camera.turn(isOn) : camera.set(topic, source, { ClassTypes: word });
      await clock.advance(15_000);
      expect(house.house.engine.devices()[0]).toMatchObject({
        online: true,
        health: { level: 'up_auth', events: 'up', findings: [] },
      });
      turn(true, on);
      await clock.advance(5000);
      turn(false, off);
      await clock.advance(5 * MINUTE);
      expect(valuesOf(house, point)).toEqual([false, true, false]);
      expect([camera.live().length, camera.mostParallel, camera.wrongPasswords]).toEqual([1, 1, 0]);
      const picture = await house.house.engine.snapshot('cam_1', new AbortController().signal);
      expect(isJpeg(picture?.bytes ?? new Uint8Array(0))).toBe(true);
      const stopping = house.house.stop();
      await clock.advance(5000);
      await stopping;
      expect([camera.live().length, camera.count('Unsubscribe')]).toEqual([
        0,
        camera.count('CreatePullPointSubscription'),
      ]);
    },
  );
});

describe('a rule', () => {
  it('takes a picture: kept by its hash, named by the result and the alarm, closed to others', async () => {
    const { clock, cameras, screen, data, house } = await openCameraHouse([{ persona: 'hikvision' }], {
      'rules/a.yaml': RULE,
    });
    await clock.advance(15_000);
    cameras[0]?.turn(true);
    await clock.advance(5000);
    // The disk knows no virtual time.
    expect(await house.media.find({})).toHaveLength(1);
    await clock.advance(100);
    expect(screen.map((line) => line.transition)).toEqual(['raised', 'updated']);
    const [picture] = screen.at(-1)?.alarm.media ?? [];
    const folder = join(data, 'media', picture?.sha256.slice(0, 2) ?? '');
    expect(readdirSync(folder)).toEqual([
      expect.stringMatching(new RegExp(`^${picture?.sha256}\\.cam_1\\.\\d+\\.jpg$`)),
    ]);
    expect(house.media.use()).toMatchObject({ pictures: 1, bytes: picture?.bytes });
    // A challenge, and the picture.
    expect(cameras[0]?.count('GET')).toBe(2);
  });
});

describe('a camera at another address', () => {
  const SUBNET = ', subnet: 10.0.0.0/24';
  const gone = (house: CameraHouse) => house.house.engine.devices()[0]?.health;

  it('is followed within its subnet, and its slot is freed there', async () => {
    const house = await openCameraHouse([{ persona: 'hikvision', keys: SUBNET }]);
    const { clock, cameras } = house;
    const [camera] = cameras;
    await clock.advance(15_000);
    if (camera !== undefined) camera.place.host = '10.0.0.77';
    await clock.advance(2 * MINUTE);
    expect(gone(house)).toMatchObject({ events: 'up', host: '10.0.0.77', findings: [] });
    expect(camera?.live().length).toBe(1);
    camera?.turn(true);
    await clock.advance(2000);
    expect(valuesOf(house, 'motion').at(-1)).toBe(true);
  });

  it('is only proposed where no subnet is written, and it is gone from the proposals when it is back', async () => {
    const house = await openCameraHouse([{ persona: 'hikvision' }]);
    const { clock, cameras } = house;
    const [camera] = cameras;
    await clock.advance(15_000);
    if (camera !== undefined) camera.place.host = '10.0.0.77';
    await clock.advance(3 * MINUTE);
    expect(gone(house)).toMatchObject({ events: 'lost', level: 'unreachable' });
    expect(JSON.stringify(gone(house)?.findings)).toContain(
      'may have moved to 10.0.0.77 (the configuration names no subnet)',
    );
    expect(camera?.log.filter((entry) => entry.at > 20_000).length).toBe(0);
    if (camera !== undefined) camera.place.host = '10.0.0.1';
    await clock.advance(6 * MINUTE);
    expect(gone(house)).toMatchObject({ events: 'up', findings: [] });
  });
});

describe('a camera that restarts every minute', () => {
  /** what its back-off grows to while it is away: 5, 10, 20, 40 s, and a call to the network every 30 s */
  const BACK_WITHIN = 120;
  const STYLES: readonly Partial<CameraFaults>[] = [
    { skewMs: 3_600_000 },
    { transport: 'closed-in-body', transportOn: ['PullMessages'] },
    { skewMs: -86_400_000, timeTold: 'local' },
    { instantEmpty: true },
    { refusedAs: 400, skewMs: 120_000 },
    { subscriptionAddress: 'empty', wantsAddressing: false },
    { renew: 'fault', syncPoint: 'refused', faultsAs: 200 },
    { noInitial: true, time: 'shifted' },
    { transport: 'html-503', transportOn: ['CreatePullPointSubscription'] },
    { undeclared: ['wsa', 'wsnt'], encoding: 'gbk' },
  ];

  it('each time with another clock, address and fault: is back within its back-off, and no subscription is leaked', async () => {
    const house = await openCameraHouse([{ persona: 'hikvision', keys: ', subnet: 10.0.0.0/24' }]);
    const { clock, cameras } = house;
    const camera = cameras[0] as Camera;
    await clock.advance(15_000);
    const fine = { ...camera.faults };
    const health = () => house.house.engine.devices()[0]?.health;
    for (const [i, style] of [...STYLES, ...STYLES].entries()) {
      Object.assign(camera.faults, fine, style);
      camera.reboot(10_000);
      camera.place.host = `10.0.0.${100 + i}`;
      await clock.advance(30_000);
      // The fault goes, its clock stays.
      Object.assign(camera.faults, fine, { skewMs: camera.faults.skewMs });
      let away = 0;
      for (; health()?.events !== 'up' && away < BACK_WITHIN; away++) await clock.advance(1000);
      expect([i, health()?.events, health()?.host, camera.live().length]).toEqual([i, 'up', camera.place.host, 1]);
      await clock.advance(30_000);
      expect([i, camera.live().length, camera.mostParallel, camera.wrongPasswords]).toEqual([i, 1, 1, 0]);
      camera.turn(i % 2 === 0);
      await clock.advance(2000);
      expect([i, valuesOf(house, 'motion').at(-1)]).toEqual([i, i % 2 === 0]);
    }
  });
});
