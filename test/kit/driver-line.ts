/** A driver on a line on a virtual clock, its far end a simulator with faults that the test changes as it goes. */

import type { DeviceModel, LineChannel } from '../../src/base/model.ts';
import type { Reading } from '../../src/base/reading.ts';
import type { DriverModule, PollResult } from '../../src/kit/driver.ts';
import { type Faults, type Simulator, withFaults } from '../../src/kit/simulator.ts';
import { createLine } from '../../src/link/line.ts';
import { type SimulatedPort, simulatedPort } from '../../src/link/simulated.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { memoryLog } from '../fakes/log.ts';
import { seededRandom } from '../fakes/random.ts';

export interface DriverLine {
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly memory: Map<string, string>;
  poll(points: readonly string[]): Promise<PollResult>;
  /** the value of one point polled now; undefined when there is none */
  value(point: string): Promise<Reading['value'] | undefined>;
  write(point: string, value: boolean | number): Promise<unknown>;
  /** bytes out of nowhere on the line */
  inject(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** @param section the device's section without the keys every device has */
export async function driverLine(
  module: DriverModule,
  channel: LineChannel,
  section: unknown,
  simulator: Simulator,
  memory = new Map<string, string>(),
): Promise<DriverLine> {
  const clock = new VirtualClock();
  const faults: Faults = {};
  const faulty = withFaults(simulator, faults);
  const ports: SimulatedPort[] = [];
  let busyUntil = 0;
  // Devices answer one request after the other, however late.
  const far = {
    receive: (bytes: Uint8Array) =>
      faulty.receive(bytes).map((reply) => {
        busyUntil = Math.max(busyUntil, clock.mono() + reply.afterMs);
        return { afterMs: busyUntil - clock.mono(), bytes: reply.bytes };
      }),
  };
  const line = createLine({
    channel,
    clock,
    log: memoryLog(),
    random: seededRandom(1),
    open: () => {
      const port = simulatedPort(far, clock);
      ports.push(port);
      return Promise.resolve(port);
    },
  });
  line.start();
  const face = await module.face();
  const device = { id: 'd', driver: module.name, config: face.schema.parse(section) } as unknown as DeviceModel;
  const driver = module.create?.({
    device,
    line,
    clock,
    log: memoryLog(),
    random: seededRandom(2),
    memory: { get: (k) => memory.get(k), set: (k, v) => void (v === null ? memory.delete(k) : memory.set(k, v)) },
    priority: () => 'poll',
  });
  if (driver === undefined) throw new Error(`${module.name} cannot be asked`);
  const never = new AbortController().signal;
  const run = async <T>(work: Promise<T>): Promise<T> => {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    done.catch(() => {});
    for (let i = 0; i < 800 && !over; i++) await clock.advance(50);
    return done;
  };
  const poll = (points: readonly string[]): Promise<PollResult> => run(driver.poll(points, never));
  await clock.advance(500);
  return {
    clock,
    faults,
    memory,
    poll,
    value: async (point) => (await poll([point])).readings[0]?.value ?? undefined,
    write: (point, value) => run(driver.write?.(point, value, never) ?? Promise.reject(new Error('no write'))),
    inject: (bytes) => ports.at(-1)?.inject(bytes),
    close: async () => {
      await driver.close();
      await driver.close();
      await line.close();
    },
  };
}
