/**
 * 64 simulated cameras over loopback HTTP with 2 events a second each, one more that says 500 a second, and one that is hostile: from what a camera sees
 * to what rules are given. The simulators run in this process too, so that what is measured holds their work as well. Then hours of 16 cameras on a
 * virtual clock, and what memory is left of them.
 * Goals: p99 < 50 ms; a hostile camera changes the others by < 10 %; growth < 1 MB an hour.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onvif } from '../../drivers/onvif/index.ts';
import { cameraDoor, cameraUdp } from '../../drivers/onvif/simulator/door.ts';
import { type Camera, createCamera } from '../../drivers/onvif/simulator.ts';
import { checkConfig } from '../../src/app/check.ts';
import type { SiteModel } from '../../src/base/model.ts';
import type { Clock, HttpDoor, UdpDoor } from '../../src/base/ports.ts';
import type { Reading } from '../../src/base/reading.ts';
import { createEngine, type Engine } from '../../src/engine/index.ts';
import { systemClock } from '../../src/io/clock.ts';
import { createHttpDoor } from '../../src/io/http-client.ts';
import { pinoLog } from '../../src/io/log.ts';
import { systemRandom } from '../../src/io/random.ts';
import { createUdpDoor } from '../../src/io/udp.ts';
import { serveWeb } from '../../src/io/web-server.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { fixed, folder, pause, quantile, row } from './kit.ts';

const CAMERAS = 64;
const SECONDS = Number(process.env.SECONDS ?? 10);
const HOURS = Number(process.env.HOURS ?? 4);
const PASSWORD = 'bench';
const STORM = 500;

async function siteOf(cameras: readonly Camera[]): Promise<SiteModel> {
  const config = join(folder(), 'etc');
  mkdirSync(config);
  const rows = cameras.map(
    ({ place }, i) =>
      `  c${i}: {driver: onvif, host: ${place.host}, port: ${place.port}, user: weinao, password: {env: CAM}, type: camera, points: {motion: {event: motion}}}\n`,
  );
  writeFileSync(
    join(config, 'weinao.yaml'),
    `site: {id: b, name: b}\ngateway: {id: gw1, data: ${config}}\ndevices:\n${rows.join('')}`,
  );
  const { site, problems } = await checkConfig(config, { CAM: PASSWORD });
  if (site === undefined) throw new Error(JSON.stringify(problems));
  return site.model;
}

function engineOf(
  clock: Clock,
  http: HttpDoor,
  udp: UdpDoor,
  onReadings: (readings: readonly Reading[]) => void,
): Engine {
  const nowhere = (): Promise<never> => Promise.reject(new Error('nothing is there'));
  const deps = {
    clock,
    http,
    udp,
    random: systemRandom(),
    log: pinoLog({ level: 'silent', descriptor: 2, time: false }),
    drivers: [onvif],
    memory: [],
  };
  return createEngine({
    ...deps,
    openPort: nowhere,
    listen: nowhere,
    secret: () => Promise.resolve(PASSWORD),
    alarmRelevant: () => true,
    onReadings,
    onReport: () => {},
    onDevice: () => {},
    onMemory: () => {},
  });
}

const clock = systemClock();
const cameras: Camera[] = [];
for (let i = 0; i < CAMERAS + 2; i++) {
  const camera = createCamera(
    { user: 'weinao', password: PASSWORD, place: { host: '127.0.0.1', port: 0 } },
    clock,
    systemRandom(),
  );
  camera.place.port = (await serveWeb('127.0.0.1', 0, camera.handle.bind(camera))).port;
  cameras.push(camera);
}
const [stormy, hostile] = cameras.slice(CAMERAS) as [Camera, Camera];
const turned = new Map<string, { value: boolean; at: number }>();
let latencies: number[] = [];
const engine = engineOf(clock, createHttpDoor(), createUdpDoor(), (readings) => {
  for (const { device, value } of readings) {
    const wanted = turned.get(device);
    if (wanted === undefined || wanted.value !== value) continue;
    latencies.push(performance.now() - wanted.at);
    turned.delete(device);
  }
});
await engine.apply(await siteOf(cameras));
while (engine.devices().filter((d) => d.health?.events === 'up').length < CAMERAS + 2) await pause(100);

/** Each camera turns on or off every half second, spread evenly; @returns latencies and how many never came. */
async function run(): Promise<{ readonly all: readonly number[]; readonly lost: number }> {
  latencies = [];
  turned.clear();
  let sent = 0;
  for (let half = 0; half < SECONDS * 2; half++)
    for (let i = 0; i < CAMERAS; i++) {
      turned.set(`c${i}`, { value: half % 2 === 0, at: performance.now() });
      cameras[i]?.turn(half % 2 === 0);
      sent++;
      if (i % 4 === 3) await pause(500 / (CAMERAS / 4) - 1);
    }
  await pause(500);
  return { all: latencies, lost: sent - latencies.length };
}

const quiet = await run();
let storming = false;
const storm = setInterval(() => {
  for (let i = 0; i < STORM / 100; i++) {
    storming = !storming;
    stormy.turn(storming);
  }
}, 10);
const stormed = await run();
clearInterval(storm);
const besides = async (transport: 'hang' | 'huge') => {
  Object.assign(hostile.faults, { transport });
  hostile.reboot(0);
  return run();
};
const dead = await besides('hang');
const huge = await besides('huge');
await engine.stop();
const times = ({ all }: { all: readonly number[] }): string =>
  `${fixed(quantile(all, 0.5))} / ${fixed(quantile(all, 0.99))}`;
row('64 cameras, 2 events/s: to the rules, p50/p99 ms', times(quiet), 'p99 < 50', quantile(quiet.all, 0.99) < 50);
row(`  beside one storming at ${STORM}/s`, times(stormed), 'p99 < 50', quantile(stormed.all, 0.99) < 50);
for (const [what, hurt] of [
  ['dead one', dead],
  ['hostile one (100 MB bodies)', huge],
] as const) {
  const change = (q: number): number => (quantile(hurt.all, q) / quantile(quiet.all, q) - 1) * 100;
  const changes = `${fixed(change(0.5), 0)} %, ${fixed(change(0.99), 0)} %`;
  row(`  beside a ${what}`, `${times(hurt)} (${changes})`, '< 10 % at p50', change(0.5) < 10);
}
const lost = [quiet, stormed, dead, huge].map((one) => one.lost);
row('events lost', lost.join(', '), '0', Math.max(...lost) === 0);

const virtual = new VirtualClock();
const far = Array.from({ length: 16 }, (_, i) =>
  createCamera(
    { user: 'weinao', password: PASSWORD, place: { host: `10.0.0.${i + 1}`, port: 80 } },
    virtual,
    systemRandom(),
  ),
);
const soak = engineOf(virtual, cameraDoor(far, virtual), cameraUdp(far, virtual), () => {});
await soak.apply(await siteOf(far));
/** What is ours: the simulators' own logs, which fill up to a bound, are emptied first. */
const heap = (): number => {
  for (const camera of far) (camera.log as unknown[]).length = 0;
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1048576;
};
const hour = async (): Promise<void> => {
  for (let s = 0; s < 3600; s += 30) {
    for (const camera of far) camera.turn(s % 60 === 0);
    await virtual.advance(30_000);
  }
};
await hour();
const before = heap();
for (let h = 0; h < HOURS; h++) await hour();
const growth = (heap() - before) / HOURS;
const live = far.map((camera) => camera.live().length);
row(`soak of ${HOURS} h, 16 cameras: heap growth`, `${fixed(growth)} MB/h`, '< 1 MB/h', growth < 1);
row('subscriptions held, most of one camera', String(Math.max(...live)), '1', Math.max(...live) === 1);
await Promise.race([soak.stop(), virtual.advance(20_000)]);
process.exit(0);
