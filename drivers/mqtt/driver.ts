/**
 * Devices behind a broker: a message is for every device whose topic it has, and becomes readings of the points it says something of.
 *
 * - Any word of a device shows that it is there, and that what it told before is still so (devices tell of changes only). Who is silent for three `poll`s
 *   is offline; a last will or a list of who is there (`online:`) says it at once.
 * - What the broker kept (retained) is a state and no happening: points that are events take nothing from it, others take it as uncertain unless the message
 *   says its time, and not at all when that is older than their stale_after.
 * - The same message twice is dropped and counted: by its own id, over a restart too (kit/taken.ts), or as a redelivery of QoS 1 with the same bytes.
 *
 * Bounds: 64 KB and 32 levels of JSON; MOST_EACH messages a second of a device and MOST_ALL of the channel: of a flood the newest of each topic is kept and
 * taken when there is room, so that the last state is never lost; IDS ids of a device; REPEATS hashes of the channel; SHOWN bytes of the last message for
 * `weinao probe`.
 */
import { createHash } from 'node:crypto';
import { Bucket } from '../../src/base/bucket.ts';
import type { Timer } from '../../src/base/ports.ts';
import type { Value } from '../../src/base/reading.ts';
import type { WriteResult } from '../../src/kit/driver.ts';
import type { Intake, IntakeContext, LastHeard, Made, Message } from '../../src/kit/intake.ts';
import { Taken } from '../../src/kit/taken.ts';
import { Body, type Readings, type Refusal, saidIn } from './codec.ts';
import { allRoutes, find, type Route, type Routes, routesOf } from './routes.ts';
import { Writer } from './write.ts';

const MOST_EACH = { rate: 20, burst: 100 } as const;
const MOST_ALL = { rate: 1000, burst: 2000 } as const;
const IDS = 64;
const REPEATS = 256;
const SHOWN = 1024;

type Drop = Refusal | 'unknown_topic' | 'flood' | 'repeated';

interface Known {
  readonly bucket: Bucket;
  readonly taken: Taken;
  last: Omit<LastHeard, 'text'> & { readonly shown: Uint8Array };
}

export function mqttIntake(context: IntakeContext): Intake {
  return new MqttIntake(context);
}

class MqttIntake implements Intake {
  private readonly context: IntakeContext;
  private readonly writer: Writer;
  private readonly all: Bucket;
  private readonly known = new Map<string, Known>();
  private readonly repeats = new Set<string>();
  private readonly counts = new Map<Drop, number>();
  /** the newest of what came too fast */
  private readonly held = new Map<Route, Message>();
  private timer: Timer | undefined;
  private routes: Routes = { exact: new Map(), patterns: [] };
  private routed: IntakeContext['devices'] = [];

  constructor(context: IntakeContext) {
    this.context = context;
    this.writer = new Writer(context);
    this.all = new Bucket(MOST_ALL.rate, MOST_ALL.burst, context.clock.mono());
  }

  topics(id: string): readonly string[] {
    const device = this.context.devices.find((d) => d.id === id);
    return device === undefined ? [] : [...routesOf(device).keys()];
  }

  message(message: Message): void {
    const routes = find(this.current(), message.topic);
    if (routes.length === 0) return this.drop('unknown_topic');
    const now = this.context.clock.mono();
    const body = new Body(message.payload);
    if (!this.all.take(now)) {
      // Whose a message is that several devices share nobody knows before it was read.
      for (const route of routes)
        if (route.config.match.length === 0) this.hold(route, message);
        else this.drop('flood');
      return;
    }
    if (this.isRepeat(message)) return this.drop('repeated');
    for (const route of routes) this.hand(route, message, body);
  }

  write(device: string, point: string, value: Value, signal: AbortSignal): Promise<WriteResult> {
    return this.writer.write(device, point, value, signal);
  }

  last(device: string): LastHeard | undefined {
    const last = this.known.get(device)?.last;
    if (last === undefined) return undefined;
    const { shown, ...rest } = last;
    return { ...rest, text: new TextDecoder().decode(shown) };
  }

  dropped(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts);
  }

  close(): void {
    this.timer?.cancel();
    this.held.clear();
    this.writer.close();
  }

  private current(): Routes {
    const { devices } = this.context;
    if (devices !== this.routed) {
      this.routed = devices;
      this.routes = allRoutes(devices);
      const ids = new Set(devices.map((d) => d.id));
      for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
      for (const [route, message] of [...this.held]) {
        this.held.delete(route);
        for (const next of find(this.routes, message.topic))
          if (next.device.id === route.device.id) this.hold(next, message);
      }
    }
    return this.routes;
  }

  private hand(route: Route, message: Message, body: Body): void {
    const { clock } = this.context;
    const said = saidIn(route, body, message, clock.now());
    if (said.kind === 'not_its') return;
    const known = this.knownOf(route.device.id);
    if (!known.bucket.take(clock.mono())) return this.hold(route, message);
    switch (said.kind) {
      case 'refused':
        this.drop(said.refused);
        return this.show(known, message, [], said.refused);
      case 'gone':
        this.context.lose(route.device.id);
        return this.show(known, message, []);
      case 'here':
        this.context.hear(route.device.id, { readings: [], faults: [] });
        return this.show(known, message, []);
      case 'readings':
        return this.take(route, said, message, known);
    }
  }

  private take(route: Route, { id, readings, made }: Readings, message: Message, known: Known): void {
    const device = route.device.id;
    // One message may have the topics of several points: each of them takes it once.
    const key = id === undefined ? undefined : `${route.points[0]?.[0]}\n${id}`;
    if (key !== undefined && known.taken.get(key) !== undefined) {
      this.drop('duplicate');
      return this.show(known, message, [], 'duplicate');
    }
    if (key !== undefined) known.taken.add(key);
    if (made.some((m) => m.why === 'old')) this.drop('old');
    this.show(known, message, made);
    this.context.hear(device, { readings, faults: [] });
    if (!message.retained) this.writer.heard(device, readings);
  }

  private isRepeat({ topic, payload, again }: Message): boolean {
    const hash = createHash('sha1').update(topic).update('\n').update(payload).digest('base64');
    const isKnown = isAgain(this.repeats, hash);
    return again && isKnown;
  }

  private hold(route: Route, message: Message): void {
    if (this.held.has(route)) this.drop('flood');
    this.held.set(route, message);
    this.arm();
  }

  private arm(): void {
    if (this.held.size === 0 || this.timer !== undefined) return;
    this.timer = this.context.clock.timer('intake', Math.ceil(1000 / MOST_EACH.rate), () => {
      this.timer = undefined;
      this.current();
      for (const [route, message] of [...this.held]) {
        if (!this.all.take(this.context.clock.mono())) break;
        this.held.delete(route);
        this.hand(route, message, new Body(message.payload));
      }
      this.arm();
    });
  }

  private knownOf(device: string): Known {
    const before = this.known.get(device);
    if (before !== undefined) return before;
    const bucket = new Bucket(MOST_EACH.rate, MOST_EACH.burst, this.context.clock.mono());
    const taken = new Taken(this.context.memory(device), IDS);
    const made: Known = { bucket, taken, last: { at: 0, where: '', shown: new Uint8Array(0), made: [] } };
    this.known.set(device, made);
    return made;
  }

  private show(known: Known, { topic, payload, retained }: Message, made: readonly Made[], refused?: Refusal): void {
    known.last = {
      at: this.context.clock.now().wall,
      where: topic,
      // A copy: a piece of what the socket received would hold on to all of it.
      shown: Uint8Array.from(payload.subarray(0, SHOWN)),
      ...(retained ? { retained } : {}),
      ...(refused === undefined ? {} : { refused }),
      made,
    };
  }

  private drop(why: Drop): void {
    this.counts.set(why, (this.counts.get(why) ?? 0) + 1);
  }
}

/** Whether it was seen among the last REPEATS; remembered from now on. */
function isAgain(seen: Set<string>, key: string): boolean {
  const isKnown = seen.delete(key);
  seen.add(key);
  for (const oldest of seen) {
    if (seen.size <= REPEATS) break;
    seen.delete(oldest);
  }
  return isKnown;
}
