/**
 * A camera for `weinao simulate`: `{driver: onvif, persona: hikvision, port: 8080, password: test, events: [{at: 5s, on: Motion, for: 3s, every: 30s}],
 * faults: [{at: 60s, for: 20s, set: {transport: hang}}]}`. Without a port it takes a free one and says which.
 */

import type { Clock, Random } from '../../src/base/ports.ts';
import { duration, z } from '../../src/kit/schema.ts';
import type { Served, Simulation } from '../../src/kit/simulation.ts';
import { ADDRESS_STYLES, type CameraFaults, TIME_STYLES, TRANSPORT_FAULTS } from './simulator/faults.ts';
import { type Camera, createCamera, PERSONAS, type PersonaName } from './simulator.ts';

const ms = z.int().min(0);
const faults = z
  .strictObject({
    skewMs: z.int(),
    timeNeedsAuth: z.boolean(),
    timeTold: z.enum(['utc', 'local', 'none']),
    time: z.enum(TIME_STYLES),
    refusedAs: z.literal([400, 401, 200]),
    faultsAs: z.literal([0, 200, 500]),
    vagueFaults: z.boolean(),
    serviceAddress: z.enum(ADDRESS_STYLES),
    subscriptionAddress: z.enum(ADDRESS_STYLES),
    bareReference: z.boolean(),
    epochTimes: z.boolean(),
    wantsAddressing: z.boolean(),
    instantEmpty: z.boolean(),
    silentAfter: ms,
    noFalse: z.boolean(),
    emptyEnd: z.boolean(),
    secondTrue: z.boolean(),
    copies: z.int().min(1).max(100),
    staleInitial: z.boolean(),
    noInitial: z.boolean(),
    noData: z.boolean(),
    pullEndsAfterMs: ms,
    noSlots: z.enum(['refuse', 'kick-oldest']),
    renew: z.enum(['ok', 'fault']),
    syncPoint: z.enum(['dump', 'nothing', 'refused']),
    unsubscribeEndsAll: z.boolean(),
    unsupported: z.array(z.string()),
    restartsOnParallel: z.boolean(),
    transport: z.enum(TRANSPORT_FAULTS),
    transportOn: z.array(z.string()),
    encoding: z.enum(['utf-8', 'gbk']),
    undeclared: z.array(z.string()),
    unquoted: z.boolean(),
    snapshot: z.enum(['jpeg', 'empty', 'html', 'redirect', 'rtsp-uri', 'cloud-uri', 'password-uri', 'huge', 'cut']),
    snapshotAuth: z.enum(['none', 'digest', 'basic']),
    discovery: z.enum(['one', 'none', 'several', 'several-addresses', 'ipv6', 'bad-url', 'unrelated', 'twice']),
  } satisfies Record<keyof CameraFaults, z.ZodType>)
  .partial();

const moment = { at: duration.optional(), every: duration.optional() };
const items = z.record(z.string(), z.string()).default({});
const schema = z.strictObject({
  persona: z.enum(Object.keys(PERSONAS) as [PersonaName, ...PersonaName[]]).default('conforming'),
  port: z.int().min(0).max(65_535).default(0),
  user: z.string().min(1).default('weinao'),
  password: z.string().min(1),
  events: z
    .array(
      z.union([
        z.strictObject({ ...moment, on: z.string(), for: duration.optional() }),
        z.strictObject({ ...moment, fire: z.string(), source: items, data: items }),
        z.strictObject({ ...moment, reboot: duration }),
      ]),
    )
    .default([]),
  faults: z.array(z.strictObject({ ...moment, for: duration.optional(), set: faults })).default([]),
});
type Section = z.output<typeof schema>;

export const simulation: Simulation = {
  schema,
  serve: (section: Section, clock: Clock, random: Random): Served => {
    const { persona, user, password, port } = section;
    const camera = createCamera({ persona, user, password, place: { host: '127.0.0.1', port } }, clock, random);
    return {
      ports: camera.persona.subscriptionPort === undefined ? [port] : [port, 0],
      handle: camera.handle.bind(camera),
      opened: ([main = port, second]) => {
        camera.place.port = main;
        if (second !== undefined) camera.place.eventPort = second;
        return `onvif ${persona}: 127.0.0.1:${main}  user ${user}`;
      },
      play: (tell) => play(section, camera, clock, tell),
    };
  },
};

function play({ events, faults: script }: Section, camera: Camera, clock: Clock, tell: (line: string) => void): void {
  const again = ({ at = 0, every }: { at?: number | undefined; every?: number | undefined }, act: () => void): void => {
    const run = (): void => {
      act();
      if (every !== undefined) clock.timer('script', every, run);
    };
    clock.timer('script', at, run);
  };
  for (const step of events)
    again(step, () => {
      if ('reboot' in step) camera.reboot(step.reboot);
      else if ('fire' in step) camera.fire(step.fire, step.source, step.data);
      else {
        camera.turn(true, step.on);
        if (step.for !== undefined) clock.timer('script', step.for, () => camera.turn(false, step.on));
      }
      tell(`! ${JSON.stringify(step)}`);
    });
  for (const step of script)
    again(step, () => {
      const before = Object.fromEntries(Object.keys(step.set).map((k) => [k, camera.faults[k as keyof CameraFaults]]));
      Object.assign(camera.faults, step.set);
      tell(`+ ${JSON.stringify(step.set)}`);
      if (step.for === undefined) return;
      clock.timer('script', step.for, () => {
        Object.assign(camera.faults, before);
        tell(`- ${JSON.stringify(step.set)}`);
      });
    });
}
