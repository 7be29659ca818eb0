/**
 * Systems that send requests: `POST /v1/events` (CloudEvents or JSON) becomes readings, `POST /v1/forms` ({form, fields}) an entry as `weinao form submit`
 * makes one, in the name of the device whose token it is.
 *
 * What an answer promises. 202: the rules saw it, and every alarm it raised and the form's entry are on the disk; plain telemetry is in the next commit
 * (commit_window), as a polled value is. 503: it may not be safe yet, send it again. What is sent again with the same CloudEvents source and id, the same
 * `Idempotency-Key` or the same `id` of an entry is answered as the first time and counts once, among the last IDS of its device, over a restart too
 * (kit/taken.ts); an entry of a known id that says something else is refused (409). 401 and 403 say no more than that.
 *
 * Bounds: those of src/io/http-server.ts; MOST events of a request; MOST_EACH events a second of a token (429); guesses of an address (guard.ts); 64 KB and
 * 32 levels of JSON.
 */

import { Bucket } from '../../src/base/bucket.ts';
import { isWeinaoError, WeinaoError } from '../../src/base/errors/index.ts';
import { derivedUlid } from '../../src/base/ids.ts';
import type { DeviceModel } from '../../src/base/model.ts';
import type { RawReading } from '../../src/kit/driver.ts';
import type { Intake, IntakeContext, IntakeReply, IntakeRequest, LastHeard, Made } from '../../src/kit/intake.ts';
import { doubtOf, fits, idOf, isDoubtful, readingOf, whenOf } from '../../src/kit/picked.ts';
import { digestOf, Taken } from '../../src/kit/taken.ts';
import { type Entry, type Event, entryIn, eventsIn, MOST_EVENTS } from './codec.ts';
import { Guard } from './guard.ts';
import type { HttpDevice } from './schema.ts';

const MOST_EACH = { rate: 20, burst: MOST_EVENTS } as const;
const IDS = 512;
const SHOWN = 1024;

type Drop =
  | 'unauthorized'
  | 'blocked'
  | 'flood'
  | 'bad_body'
  | 'not_its'
  | 'duplicate'
  | 'key_reused'
  | 'form_refused'
  | 'not_running'
  | 'not_safe';

export function httpIntake(context: IntakeContext): Intake {
  return new HttpIntake(context);
}

class HttpIntake implements Intake {
  private readonly context: IntakeContext;
  private readonly guard: Guard;
  /** of those who send with one token, by their devices */
  private readonly buckets = new Map<string, Bucket>();
  private readonly taken = new Map<string, Taken>();
  private readonly lasts = new Map<string, LastHeard>();
  private readonly counts = new Map<Drop, number>();

  constructor(context: IntakeContext) {
    this.context = context;
    this.guard = new Guard(context);
  }

  async request(request: IntakeRequest): Promise<IntakeReply> {
    const isForm = request.path === '/v1/forms';
    if (!isForm && request.path !== '/v1/events')
      return { status: 404, json: { error: 'POST /v1/events or /v1/forms' } };
    if (request.method !== 'POST') return { status: 405, json: { error: 'POST' }, headers: { allow: 'POST' } };
    if (this.guard.isBlocked(request.from)) return this.refuse('blocked', 429, 'too many requests', 60);
    const devices = await this.guard.devices(request.headers.authorization, request.from);
    if (devices.length === 0) {
      const reply = this.refuse('unauthorized', 401, 'unauthorized');
      return { ...reply, headers: { 'www-authenticate': 'Bearer' } };
    }
    const bucket = this.bucketOf(devices);
    return isForm ? this.form(request, devices, bucket) : this.events(request, devices, bucket);
  }

  last(device: string): LastHeard | undefined {
    return this.lasts.get(device);
  }

  dropped(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts);
  }

  close(): void {}

  private async events(request: IntakeRequest, devices: readonly DeviceModel[], bucket: Bucket): Promise<IntakeReply> {
    const read = eventsIn(request.headers['content-type'], request.body);
    if ('status' in read) {
      for (const { id } of devices) this.show(id, request, [], read.error);
      return this.refuse('bad_body', read.status, read.error);
    }
    if (!bucket.take(this.context.clock.mono(), Math.max(1, read.events.length)))
      return this.refuse('flood', 429, 'too many events', 5);
    const header = read.events.length === 1 ? keyBeside(request) : undefined;
    let accepted = 0;
    let duplicates = 0;
    for (const event of read.events) {
      const meant = devices.filter(
        (d) => fits(d.config as HttpDevice, event.root) && Object.keys((d.config as HttpDevice).points).length > 0,
      );
      if (meant.length === 0) {
        this.drop('not_its');
        continue;
      }
      const known = meant.map((device) => this.knownAs(event, device, header));
      if (known.includes('another')) return this.refuse('key_reused', 409, 'idempotency-key of another event');
      const news = meant.filter((_, n) => known[n] === 'new');
      if (!news.every((device) => this.takeOnce(device, event, header, request)))
        return this.refuse('not_running', 503, 'try again', 2);
      if (news.length > 0) accepted++;
      else {
        duplicates++;
        this.drop('duplicate');
      }
    }
    if (accepted + duplicates === 0) return { status: 422, json: { error: 'no device of this token takes it' } };
    if (!(await this.context.settled())) return this.refuse('not_safe', 503, 'not safe yet', 5);
    return { status: 202, json: { accepted, duplicates, ignored: read.events.length - accepted - duplicates } };
  }

  private async form(request: IntakeRequest, devices: readonly DeviceModel[], bucket: Bucket): Promise<IntakeReply> {
    if (!bucket.take(this.context.clock.mono())) return this.refuse('flood', 429, 'too many requests', 5);
    const entry = entryIn(request.headers['content-type'], request.body);
    if ('status' in entry) return this.refuse('bad_body', entry.status, entry.error);
    const by = devices.find((d) => (d.config as HttpDevice).forms.includes(entry.form))?.id;
    if (by === undefined) return this.refuse('form_refused', 403, 'this token may not submit this form');
    // What people told is nobody's business who looks for a fault.
    const told = { ...request, body: new Uint8Array(0) };
    let id: string;
    try {
      id = this.submit(by, entry, entry.id ?? keyBeside(request));
    } catch (error) {
      if (!isWeinaoError(error)) throw error;
      const { code } = error;
      if (code === 'cli.starting') return this.refuse('not_running', 503, 'try again', 2);
      this.drop('form_refused');
      this.show(by, told, [], code);
      const json = { error: code, zh: error.tell('zh').says, en: error.tell('en').says };
      return { status: code === 'forms.id_reused' ? 409 : 422, json };
    }
    this.show(by, told, []);
    this.context.hear(by, { readings: [], faults: [] });
    if (!(await this.context.settled())) return this.refuse('not_safe', 503, 'not safe yet', 5);
    return { status: 202, json: { id } };
  }

  /** The entry's id; the one it got the first time when it was made already. Throws forms.*. */
  private submit(by: string, { form, fields }: Entry, given: string | undefined): string {
    if (given === undefined) return this.context.submit(by, form, fields);
    const taken = this.takenOf(by);
    const key = `form\n${form}\n${given}`;
    const content = digestOf(JSON.stringify([key, Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))]));
    const before = taken.get(key);
    if (before !== undefined) {
      if (before.content !== content) throw new WeinaoError('forms.id_reused', { form, id: given.slice(0, 64) });
      this.drop('duplicate');
      return before.answer;
    }
    const id = derivedUlid(Math.round(this.context.clock.now().wall), by, key);
    taken.add(key, { content, answer: id });
    try {
      return this.context.submit(by, form, fields, id);
    } catch (error) {
      taken.drop(key);
      throw error;
    }
  }

  private knownAs(event: Event, device: DeviceModel, header: string | undefined): 'new' | 'same' | 'another' {
    const key = keyOf(event, device, header);
    const before = key === undefined ? undefined : this.takenOf(device.id).get(key);
    if (key === undefined || before === undefined) return 'new';
    return before.content === contentOf(key, event) ? 'same' : 'another';
  }

  private takeOnce(device: DeviceModel, event: Event, header: string | undefined, request: IntakeRequest): boolean {
    const key = keyOf(event, device, header);
    if (key === undefined) return this.hear(device, event, request);
    const taken = this.takenOf(device.id);
    taken.add(key, { content: contentOf(key, event), answer: '' });
    const isHeard = this.hear(device, event, request);
    if (!isHeard) taken.drop(key);
    return isHeard;
  }

  /** False when a device does not run at this moment. */
  private hear(device: DeviceModel, event: Event, request: IntakeRequest): boolean {
    const config = device.config as HttpDevice;
    // A CloudEvent says itself when it happened.
    const keys = config.time === undefined && event.key !== undefined ? { ...config, time: OWN_TIME } : config;
    const { ts, isOdd = false } = whenOf(keys, event.root, this.context.clock.now());
    const isDoubted = isDoubtful(config, event.root);
    const readings: RawReading[] = [];
    const made: Made[] = [];
    for (const [point, picked] of Object.entries(config.points)) {
      const raw = readingOf(point, picked, event.root);
      const doubt = doubtOf({ isDoubted, isOdd, isUndated: false });
      if (raw !== undefined)
        readings.push({ ...raw, ...(raw.value === null ? {} : doubt), ...(ts === undefined ? {} : { ts }) });
      made.push(raw === undefined ? { point } : { ...raw, ...(raw.value === null ? {} : doubt) });
    }
    this.show(device.id, request, made);
    return this.context.hear(device.id, { readings, faults: [] });
  }

  private takenOf(device: string): Taken {
    const known = this.taken.get(device);
    if (known !== undefined) return known;
    const made = new Taken(this.context.memory(device), IDS);
    this.taken.set(device, made);
    return made;
  }

  /** Devices of one token are one source: what it sends is for any of them. */
  private bucketOf(devices: readonly DeviceModel[]): Bucket {
    const name = devices.map((d) => d.id).join(' ');
    const known = this.buckets.get(name);
    if (known !== undefined) return known;
    const here = new Set(this.context.devices.map((d) => d.id));
    for (const other of this.buckets.keys())
      if (!other.split(' ').every((id) => here.has(id))) this.buckets.delete(other);
    for (const kept of [this.lasts, this.taken]) for (const id of kept.keys()) if (!here.has(id)) kept.delete(id);
    const made = new Bucket(MOST_EACH.rate, MOST_EACH.burst, this.context.clock.mono());
    this.buckets.set(name, made);
    return made;
  }

  private show(device: string, { method, path, body }: IntakeRequest, made: readonly Made[], refused?: string): void {
    this.lasts.set(device, {
      at: this.context.clock.now().wall,
      where: `${method} ${path}`,
      text: new TextDecoder().decode(body.subarray(0, SHOWN)),
      ...(refused === undefined ? {} : { refused }),
      made,
    });
  }

  private refuse(why: Drop, status: number, error: string, retryAfter?: number): IntakeReply {
    this.drop(why);
    const headers = retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } };
    return { status, json: { error }, ...headers };
  }

  private drop(why: Drop): void {
    this.counts.set(why, (this.counts.get(why) ?? 0) + 1);
  }
}

const OWN_TIME = { at: ['time'], as: 'iso' } as const;

/** An empty one names nothing. */
const keyBeside = ({ headers }: IntakeRequest): string | undefined => headers['idempotency-key'] || undefined;

const BESIDE = 'header\n';

/** What an event says, where only a word beside it makes it itself; the others are what their own ids say they are. */
const contentOf = (key: string, { root }: Event): string =>
  key.startsWith(BESIDE) ? digestOf(JSON.stringify(root)) : '';

/** What makes an event itself: its source and id, what the device's section names, or what the sender put beside it. */
function keyOf({ key, root }: Event, { config }: DeviceModel, header: string | undefined): string | undefined {
  if (key !== undefined) return `event\n${key}`;
  const own = idOf(config as HttpDevice, root);
  if (own !== undefined) return `own\n${own}`;
  return header === undefined ? undefined : `${BESIDE}${header}`;
}
