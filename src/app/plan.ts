/** `weinao plan`: what the devices of each line cost it in one cycle, what would be the least, and what was learned. */
import { drivers } from '../../drivers/index.ts';
import { type DeviceModel, isLine, type SiteModel } from '../base/model.ts';
import { DuePoints } from '../engine/due.ts';
import type { DevicePlan, Memory } from '../kit/driver.ts';

export interface PlannedDevice extends DevicePlan {
  readonly id: string;
  readonly poll_ms: number;
  /** of a poll, over points with periods of their own */
  readonly average_ms: number;
}

export interface PlannedChannel {
  readonly id: string;
  readonly devices: readonly PlannedDevice[];
  /** devices whose driver tells no plan */
  readonly unplanned: readonly string[];
  /** seconds of bus time when every device is polled once, and the least */
  readonly cycle_s: number;
  readonly least_s: number;
  /** share of the line's time that the configured polling needs; over 1 it cannot be kept */
  readonly load: number;
}

export interface Plans {
  readonly schema: 1;
  /** with what the running gateway learned */
  readonly live: boolean;
  readonly channels: readonly PlannedChannel[];
}

/** @param memoryOf what a device's driver learned; nothing before going live */
export function plansOf(site: SiteModel, memoryOf: ((device: string) => Memory) | undefined): Plans {
  const channels: PlannedChannel[] = [];
  for (const channel of site.channels.values()) {
    if (!isLine(channel)) continue;
    const here = [...site.devices.values()].filter((d) => d.channel === channel.id);
    const devices: PlannedDevice[] = [];
    const unplanned: string[] = [];
    for (const device of here) {
      const memory = memoryOf?.(device.id) ?? { get: () => undefined, set: () => {} };
      const { plan: planOf } = drivers.find((d) => d.name === device.driver) ?? {};
      const plan = planOf?.({ device, channel, memory });
      if (planOf === undefined || plan === undefined) unplanned.push(device.id);
      else {
        const poll = (points: readonly string[]): number => planOf({ device, channel, memory, points }).ms;
        devices.push({ id: device.id, poll_ms: device.pollMs, average_ms: averageOf(device, poll), ...plan });
      }
    }
    const sum = (of: (d: PlannedDevice) => number): number => devices.reduce((all, d) => all + of(d), 0);
    channels.push({
      id: channel.id,
      devices,
      unplanned,
      cycle_s: round(sum((d) => d.ms) / 1000),
      least_s: round(sum((d) => d.leastMs) / 1000),
      load: round(sum((d) => d.average_ms / d.poll_ms)),
    });
  }
  return { schema: 1, live: memoryOf !== undefined, channels };
}

/** The mean over so many polls; the same points cost the same. */
const SAMPLE = 60;

function averageOf(device: DeviceModel, poll: (points: readonly string[]) => number): number {
  const due = new DuePoints(device.points, device.pollMs);
  const known = new Map<readonly string[], number>();
  let sum = 0;
  for (let n = 0; n < SAMPLE; n++) {
    const points = due.next();
    const ms = known.get(points) ?? poll(points);
    known.set(points, ms);
    sum += ms;
  }
  return round(sum / SAMPLE);
}

const round = (x: number): number => Math.round(x * 1e4) / 1e4;
