/** A whole gateway on virtual time with simulated cameras: the real configuration, driver, rules, store and pictures; only the network is not there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { cameraDoor, cameraUdp } from '../../drivers/onvif/simulator/door.ts';
import { type Camera, type CameraOptions, createCamera } from '../../drivers/onvif/simulator.ts';
import type { BoardLine } from '../../src/app/board.ts';
import { checkConfig } from '../../src/app/check.ts';
import { type House, openHouse } from '../../src/app/house.ts';
import type { WatchLine } from '../../src/app/watch.ts';
import { mediaFiles } from '../../src/io/media-files.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { FakeBroker } from '../fakes/broker.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { memoryLog } from '../fakes/log.ts';
import { seededRandom } from '../fakes/random.ts';
import { loopbackStore } from '../fakes/store.ts';
import { tempSite } from './site.ts';

class HouseClock extends VirtualClock {
  floor(): void {}
}

export const PASSWORD = 'geheim-密码';

export interface CameraSetup extends Partial<Omit<CameraOptions, 'password'>> {
  /** more keys of its section, as YAML in braces */
  readonly keys?: string;
}

export interface CameraHouse {
  readonly clock: VirtualClock;
  readonly house: House;
  readonly data: string;
  readonly cameras: readonly Camera[];
  readonly broker: FakeBroker;
  readonly log: ReturnType<typeof memoryLog>;
  /** everything that was told of devices */
  readonly told: readonly WatchLine[];
  readonly screen: readonly BoardLine[];
}

/** Cameras `cam_1`, `cam_2`, … at 10.0.0.1, 10.0.0.2, …; `feeds` is the section's YAML, indented. */
export async function openCameraHouse(
  setups: readonly CameraSetup[],
  files: Readonly<Record<string, string>> = {},
  feeds = '',
): Promise<CameraHouse> {
  const clock = new HouseClock(Date.UTC(2026, 5, 1, 4), 4);
  const random = seededRandom(11);
  const cameras = setups.map(({ keys: _, ...options }, i) =>
    createCamera(
      { user: 'weinao', password: PASSWORD, place: { host: `10.0.0.${i + 1}`, port: 80 }, ...options },
      clock,
      random,
    ),
  );
  const sections = setups.map(({ keys = '' }, i) => {
    const { persona, place } = cameras[i] as Camera;
    const own = `host: 10.0.0.${i + 1}, port: ${place.port}, path: ${persona.paths.device}, type: camera${keys}`;
    return `  cam_${i + 1}: {driver: onvif, ${own}, user: weinao, password: {file: cams}}\n`;
  });
  const site = tempSite({
    'weinao.yaml': `site: {id: t1, name: 测试}\ngateway: {id: gw1, data: DATA}\npeople: {duty: {screen: true}}\ndevices:\n${sections.join('')}${feeds === '' ? '' : `feeds:\n${feeds}`}`,
    ...files,
  });
  mkdirSync(join(site.config, 'secrets'), { recursive: true });
  writeFileSync(join(site.config, 'secrets', 'cams'), PASSWORD, { mode: 0o600 });
  const { site: checked, problems } = await checkConfig(site.config, {});
  if (checked === undefined) throw new Error(JSON.stringify(problems.filter((p) => p.severity === 'error')));
  const log = memoryLog();
  const broker = new FakeBroker();
  const nowhere = (): Promise<never> => Promise.reject(new Error('nothing is there'));
  const house = await openHouse(
    {
      clock,
      random: seededRandom(5),
      log,
      doors: {
        openPort: nowhere,
        listen: nowhere,
        connectIntake: nowhere,
        serveIntake: nowhere,
        secret: () => Promise.resolve(PASSWORD),
        media: mediaFiles,
        http: cameraDoor(cameras, clock),
        udp: cameraUdp(cameras, clock),
        startStore: () => loopbackStore(createOutward()),
        connectFeed: () => broker.connect(),
        post: nowhere,
        publish: nowhere,
      },
    },
    checked,
  );
  onTestFinished(async () => {
    const stopped = house.stop();
    await clock.advance(10_000);
    await stopped;
  });
  const told: WatchLine[] = [];
  const screen: BoardLine[] = [];
  house.board.listen((line) => void screen.push(line));
  house.hub.listen({ readings: true, alarms: false }, (line) => void told.push(line), new AbortController().signal);
  await house.start();
  return { clock, house, data: site.data, cameras, broker, log, told, screen };
}
