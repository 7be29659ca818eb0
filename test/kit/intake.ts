/** An intake driver alone: devices out of its own face, what it hears kept, time in the test's hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { DeviceModel } from '../../src/base/model.ts';
import type { DriverModule, PollResult } from '../../src/kit/driver.ts';
import type { Intake, IntakeContext } from '../../src/kit/intake.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { memoryLog } from '../fakes/log.ts';

const DRIVERS = join(import.meta.dirname, '../../drivers');

/** A device out of a section as a technician writes it. */
export async function intakeDevice(
  module: DriverModule,
  id: string,
  { profile, ...section }: Record<string, unknown>,
  common: { readonly pollMs?: number; readonly events?: readonly string[]; readonly staleAfterMs?: number } = {},
): Promise<DeviceModel> {
  const face = await module.face();
  const shipped =
    profile === undefined
      ? {}
      : (parse(readFileSync(join(DRIVERS, module.name, 'profiles', `${String(profile)}.yaml`), 'utf8')) as {
          device?: object;
          points?: object;
        });
  const merged = { points: shipped.points, ...shipped.device, ...section };
  const config: unknown = face.schema.parse(merged);
  const problems = face.problems(config);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const { pollMs = 60_000, events = [], staleAfterMs = 180_000 } = common;
  const points = face
    .points(config, { heartbeatMs: 900_000, staleAfterMs, class: 'none' })
    .map((p) => (events.includes(p.id) ? { ...p, event: true } : p));
  const base = { driver: module.name, channel: 'c', tags: [], noData: 'yellow', hash: id } as const;
  return { id, ...base, pollMs, points, config };
}

export interface Heard {
  readonly device: string;
  readonly result: PollResult;
}

export interface IntakeBench {
  readonly clock: VirtualClock;
  readonly intake: Intake;
  readonly heard: Heard[];
  readonly lost: string[];
  readonly published: { readonly topic: string; readonly payload: string }[];
  /** what the driver keeps, as the journal has it */
  readonly rows: Map<string, string>;
  /** `point: value` or `point: bad why`, of all that was heard since it was last asked */
  said(): Record<string, unknown>;
}

export function intakeBench(
  module: DriverModule,
  devices: readonly DeviceModel[],
  more: Partial<IntakeContext> = {},
  rows = new Map<string, string>(),
): IntakeBench {
  const clock = new VirtualClock(Date.UTC(2026, 10, 25, 2));
  const heard: Heard[] = [];
  const lost: string[] = [];
  const published: { topic: string; payload: string }[] = [];
  let read = 0;
  if (module.intake === undefined) throw new Error('no intake');
  const intake = module.intake({
    devices,
    clock,
    log: memoryLog(),
    memory: (device) => ({
      get: (key) => rows.get(`${device}/${key}`),
      set: (key, body) => void (body === null ? rows.delete(`${device}/${key}`) : rows.set(`${device}/${key}`, body)),
    }),
    hear: (device, result) => {
      heard.push({ device, result });
      return true;
    },
    lose: (device) => void lost.push(device),
    settled: () => Promise.resolve(true),
    submit: () => 'id',
    secret: () => Promise.resolve(undefined),
    publish: (topic, payload) => {
      published.push({ topic, payload });
      return Promise.resolve();
    },
    ...more,
  });
  return {
    clock,
    intake,
    heard,
    lost,
    published,
    rows,
    said: () => {
      const readings = heard.slice(read).flatMap((h) => h.result.readings);
      read = heard.length;
      return Object.fromEntries(
        readings.map((r) => [
          r.point,
          r.value === null
            ? `bad ${r.why ?? ''}`
            : r.quality === undefined
              ? r.value
              : `${String(r.value)} ${r.quality} ${r.why ?? ''}`,
        ]),
      );
    },
  };
}

export const bytes = (body: unknown): Uint8Array =>
  new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
