/**
 * Cameras over real HTTP. The `onvif` package, which shares nothing with us, is another client of the simulated camera: where it and the standard agree,
 * the simulator does too. And the driver beside it, against the same camera, on the real clock.
 */
import { Cam } from 'onvif';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attachCamera } from '../../drivers/onvif/driver.ts';
import { deviceSchema } from '../../drivers/onvif/schema.ts';
import type { PersonaName } from '../../drivers/onvif/simulator.ts';
import type { DeviceModel } from '../../src/base/model.ts';
import { systemClock } from '../../src/io/clock.ts';
import { createHttpDoor } from '../../src/io/http-client.ts';
import { systemRandom } from '../../src/io/random.ts';
import { memoryLog } from '../fakes/log.ts';
import { startCamera } from '../kit/camera.ts';
import { until } from '../kit/wait.ts';

const USER = 'weinao';
const PASSWORD = 'geheim-9';

/** What the other client hears of a camera: who it is, and the topics of events. */
async function otherClient(port: number): Promise<{ readonly model: () => string; readonly topics: string[] }> {
  let model = '';
  const topics: string[] = [];
  const cam = new Cam({
    hostname: '127.0.0.1',
    port,
    username: USER,
    password: PASSWORD,
    timeout: 5000,
    autoconnect: false,
  });
  onTestFinished(() => void cam.removeAllListeners('event'));
  await new Promise<void>((resolve, reject) => cam.connect((error) => (error ? reject(error) : resolve())));
  cam.getDeviceInformation((_, info: { model?: unknown } | undefined) => {
    model = String(info?.model);
  });
  cam.on('event', (message: { topic?: { _?: string } }) => void topics.push(message.topic?._ ?? ''));
  return { model: () => model, topics };
}

describe.each(['conforming', 'bosch'] as const satisfies PersonaName[])('%s', (persona) => {
  it('is understood by both clients at once', { timeout: 90_000 }, async () => {
    const camera = await startCamera({ persona, user: USER, password: PASSWORD });
    const peer = await otherClient(camera.place.port);
    const config = deviceSchema.parse({
      host: '127.0.0.1',
      port: camera.place.port,
      user: USER,
      password: { file: 'cam' },
      points: { motion: { event: 'motion' } },
    });
    const log = memoryLog();
    const off = new AbortController();
    const driver = attachCamera({
      device: { id: 'cam', driver: 'onvif', pollMs: 30_000, config, points: [] } as unknown as DeviceModel,
      clock: systemClock(),
      log,
      random: systemRandom(),
      memory: { get: () => undefined, set: () => {} },
      priority: () => 'poll',
      doors: { http: createHttpDoor(), udp: { ask: () => Promise.resolve() } },
      secret: () => Promise.resolve(PASSWORD),
    });
    const told: string[] = [];
    const ended = driver.listen?.(({ readings }) => {
      for (const r of readings) told.push(`${r.point}=${r.value}`);
    }, off.signal);
    await until('both hear the first state', () => told.includes('motion=false') && peer.topics.length > 0);
    camera.turn(true);
    await until('the driver hears motion', () => told.includes('motion=true'));
    await until('the other client hears motion', () => peer.topics.some((topic) => topic.endsWith('Detector/Motion')));
    await until('the other client knows the model', () => peer.model() === camera.persona.model);
    expect((await driver.probe(off.signal)).says).toContain(camera.persona.model);
    await until('a picture', async () => (await driver.snapshot?.(off.signal).catch(() => undefined)) !== undefined);
    const live = camera.live().length;
    off.abort();
    await ended;
    expect(camera.live().length).toBe(live - 1);
    expect(JSON.stringify(log.lines)).not.toContain(PASSWORD);
  });
});
