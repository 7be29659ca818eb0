/**
 * A camera as the ONVIF core specification (25.12) describes it and as the makers build it, for tests, benches and `weinao simulate`. Written from the
 * standard and apart from the client: it shares no parser, no writer and no digest with it.
 *
 * - `handle` takes one HTTP request and says what comes out of the socket, and when; a pull is a real long poll on the given clock.
 * - Who serves it decides what a connection is: simulator/door.ts in the same process on virtual time, src/io/web-server.ts over loopback.
 * - `faults` may be changed at any time. A restart loses subscriptions, nonces and states, as in a real camera.
 * - Every request is counted and the last LOG of them are kept, so that a test can tell leaked subscriptions and parallel calls.
 * Not simulated: video, TLS, base notification (push), filters (they are ignored, as cheap cameras do).
 */
import type { Clock, Random } from '../../src/base/ports.ts';
import type { WebAnswer, WebRequest } from '../../src/base/web.ts';
import { type Credentials, createDoorkeeper, type Doorkeeper } from './simulator/auth.ts';
import { answerProbe } from './simulator/discovery.ts';
import { answerEvent } from './simulator/events.ts';
import { type CameraFaults, faultless } from './simulator/faults.ts';
import {
  type Done,
  type Fault,
  fault,
  faultBody,
  type Ground,
  NOT_AUTHORIZED,
  type Place,
} from './simulator/ground.ts';
import { smallJpeg } from './simulator/jpeg.ts';
import { PERSONAS, type Persona, type PersonaName } from './simulator/personas.ts';
import { createScene } from './simulator/scene.ts';
import { answerService, OPEN } from './simulator/services.ts';
import { createSubscriptions, type Notice, type Subscription } from './simulator/subscriptions.ts';
import { BEFORE, carried, type Plain } from './simulator/transport.ts';
import { createWriter, gbkBytes } from './simulator/writer.ts';
import { child, readXml } from './simulator/xml.ts';

export type { CameraFaults } from './simulator/faults.ts';
export type { Place } from './simulator/ground.ts';
export { PERSONAS, type PersonaName } from './simulator/personas.ts';

const LOG = 1000;
const NOTHING: Plain = { status: 200, headers: [], body: new Uint8Array(0) };
const HUGE_PICTURE = 10 * 1024 * 1024;

export interface CameraOptions {
  readonly persona?: PersonaName;
  readonly user: string;
  readonly password: string;
  readonly place: Place;
  readonly faults?: Partial<CameraFaults>;
  readonly serial?: string;
}

export interface LogEntry {
  /** monotonic ms */
  readonly at: number;
  readonly operation: string;
  readonly port: number;
  readonly path: string;
  readonly auth: Credentials['kind'];
  status?: number;
  fault?: string;
  /** when it was answered */
  ended?: number;
}

export interface Camera {
  readonly faults: CameraFaults;
  readonly place: Place;
  readonly persona: Persona;
  readonly identity: Ground['identity'];
  handle(request: WebRequest, signal: AbortSignal): Promise<WebAnswer>;
  /** a datagram came; these go back */
  discover(datagram: Uint8Array): readonly Uint8Array[];
  /** a property takes this value */
  set(topic: string, source: Readonly<Record<string, string>>, data: Readonly<Record<string, string>>): void;
  /** the first property whose topic ends so goes on or off, in the camera's own words */
  turn(on: boolean, topic?: string): void;
  /** something happened that is no state */
  fire(
    topic: string,
    source: Readonly<Record<string, string>>,
    data: Readonly<Record<string, string>>,
    elements?: Readonly<Record<string, string>>,
  ): void;
  remove(topic: string, source: Readonly<Record<string, string>>): void;
  /** everything it held is gone; for so long nobody answers */
  reboot(downMs?: number): void;
  setPassword(password: string): void;
  /** requests by operation since it was made; `GET` is the snapshot */
  count(operation: string): number;
  readonly log: readonly LogEntry[];
  live(): readonly Subscription[];
  /** SOAP calls at once, at most so far */
  readonly mostParallel: number;
  readonly wrongPasswords: number;
  readonly isDown: boolean;
  /** where it can be asked now: its own port and those of its subscriptions */
  readonly ports: readonly number[];
}

export function createCamera(options: CameraOptions, clock: Clock, random: Random): Camera {
  return new LiveCamera(options, clock, random);
}

class LiveCamera implements Camera {
  readonly faults: CameraFaults;
  readonly place: Place;
  readonly persona: Persona;
  readonly identity: Ground['identity'];
  readonly log: LogEntry[] = [];
  mostParallel = 0;
  private readonly clock: Clock;
  private readonly account: { readonly user: string; password: string };
  private readonly door: Doorkeeper;
  private readonly subscriptions;
  private readonly scene;
  private readonly ground: Ground;
  private readonly counts = new Map<string, number>();
  private readonly zero: number;
  private running = 0;
  private boots = 0;
  private downUntil = Number.NEGATIVE_INFINITY;
  private pictures = 0;

  constructor(
    { persona = 'conforming', user, password, place, faults, serial }: CameraOptions,
    clock: Clock,
    random: Random,
  ) {
    this.clock = clock;
    this.persona = PERSONAS[persona];
    this.faults = { ...faultless(), ...this.persona.faults, ...faults };
    this.place = { ...place };
    this.account = { user, password };
    this.zero = clock.now().wall - clock.mono();
    this.identity = identityOf(random, serial);
    this.door = createDoorkeeper(this.account, this.persona.auth, random);
    this.subscriptions = createSubscriptions(clock, () => this.persona.slots);
    this.scene = createScene(this.persona, this.faults);
    this.ground = {
      persona: this.persona,
      faults: this.faults,
      place: this.place,
      identity: this.identity,
      now: () => this.now(),
      writer: (sloppy = false) =>
        createWriter(this.persona.hand, this.faults.undeclared, sloppy && this.faults.unquoted),
    };
  }

  get isDown(): boolean {
    return this.clock.mono() < this.downUntil;
  }

  get ports(): readonly number[] {
    return [this.place.port, ...this.subscriptions.live().map((s) => s.port)];
  }

  get wrongPasswords(): number {
    return this.door.wrong;
  }

  live(): readonly Subscription[] {
    return this.subscriptions.live();
  }

  count(operation: string): number {
    return this.counts.get(operation) ?? 0;
  }

  setPassword(password: string): void {
    this.account.password = password;
  }

  discover(datagram: Uint8Array): readonly Uint8Array[] {
    return this.isDown ? [] : answerProbe(datagram, this.ground);
  }

  set(topic: string, source: Readonly<Record<string, string>>, data: Readonly<Record<string, string>>): void {
    this.tell(this.scene.set(topic, source, data, {}, this.now()));
  }

  turn(on: boolean, topic?: string): void {
    const named = this.scene.named(topic);
    const [yes, no] = this.persona.booleans;
    if (named !== undefined) this.set(named.topic, named.source, { [named.item]: on ? yes : no });
  }

  fire(
    topic: string,
    source: Readonly<Record<string, string>>,
    data: Readonly<Record<string, string>>,
    elements: Readonly<Record<string, string>> = {},
  ): void {
    this.tell({ topic, operation: undefined, source, key: {}, data, elements, at: this.now() });
  }

  remove(topic: string, source: Readonly<Record<string, string>>): void {
    this.tell(this.scene.remove(topic, source, this.now()));
  }

  reboot(downMs = 20_000): void {
    this.boots++;
    this.downUntil = this.clock.mono() + downMs;
    this.subscriptions.closeAll();
    this.scene.reset();
    this.door.forget();
  }

  async handle(request: WebRequest, signal: AbortSignal): Promise<WebAnswer> {
    if (this.isDown) return { chunks: [], end: 'refuse' };
    const boot = this.boots;
    const isSoap = request.method === 'POST';
    const read = isSoap ? readSoap(request.body) : undefined;
    const entry = this.note(request, isSoap ? (read?.operation ?? '?') : 'GET');
    if (isSoap) this.running++;
    this.mostParallel = Math.max(this.mostParallel, this.running);
    if (this.running > 1 && this.faults.restartsOnParallel) this.reboot();
    try {
      const { transport, transportOn } = this.faults;
      const hit = transportOn.length === 0 || transportOn.includes(entry.operation) ? transport : undefined;
      if (BEFORE.includes(hit)) return carried(NOTHING, hit);
      const answer = isSoap ? await this.soap(request, read, entry, signal) : this.picture(request, entry);
      if (boot !== this.boots) return { chunks: [], end: 'reset' };
      entry.status = answer.status;
      return carried(answer, hit);
    } finally {
      entry.ended = this.clock.mono();
      if (isSoap) this.running--;
    }
  }

  private now(): number {
    return this.zero + this.clock.mono() + this.faults.skewMs;
  }

  private tell(notice: Notice | undefined): void {
    if (notice !== undefined && !this.isDown) this.subscriptions.tell(notice);
  }

  private note({ path, port }: WebRequest, operation: string): LogEntry & { auth: Credentials['kind'] } {
    this.counts.set(operation, this.count(operation) + 1);
    const entry: LogEntry & { auth: Credentials['kind'] } = {
      at: this.clock.mono(),
      operation,
      port,
      path,
      auth: 'none',
    };
    this.log.push(entry);
    if (this.log.length > LOG) this.log.shift();
    return entry;
  }

  private async soap(
    request: WebRequest,
    read: ReturnType<typeof readSoap>,
    entry: LogEntry & { auth: Credentials['kind'] },
    signal: AbortSignal,
  ): Promise<Plain> {
    if (read === undefined) return this.failed(told(fault('Sender', 'not well formed', 'ter:WellFormed')), entry);
    const { operation, header, body } = read;
    if (this.faults.unsupported.includes(operation))
      return this.failed(told(fault('Receiver', 'Optional Action Not Implemented', 'ter:ActionNotSupported')), entry);
    const isOpen = OPEN.has(operation) && !(operation === 'GetSystemDateAndTime' && this.faults.timeNeedsAuth);
    const who = this.ask(request, header, false);
    entry.auth = who.kind;
    if (!who.ok && !isOpen) return this.refused(who, entry);
    const { path, port } = request;
    const call = { operation, request: body, header, path, port, signal };
    const desk = {
      ground: this.ground,
      subscriptions: this.subscriptions,
      properties: (stale: boolean) => this.scene.all(stale),
    };
    const toEvents = path.split('?')[0] !== this.persona.paths.device || this.persona.paths.events === path;
    const done =
      (toEvents ? await answerEvent(call, desk) : undefined) ??
      answerService(operation, body, this.ground) ??
      fault('Receiver', 'Optional Action Not Implemented', 'ter:ActionNotSupported');
    return 'fault' in done ? this.failed(done.fault, entry) : this.plain(200, done.body, `${operation}Response`);
  }

  private ask(request: WebRequest, header: Parameters<Doorkeeper['check']>[0]['header'], basic: boolean): Credentials {
    const { method, path: uri, headers } = request;
    const mono = this.clock.mono();
    return this.door.check({ method, uri, authorization: headers.authorization, header, mono, now: this.now(), basic });
  }

  private refused(who: Credentials, entry: LogEntry): Plain {
    const status = this.persona.auth.digest.length === 0 ? Math.min(this.faults.refusedAs, 400) : this.faults.refusedAs;
    entry.fault = 'ter:NotAuthorized';
    return this.plain(status, faultBody(this.ground, NOT_AUTHORIZED), 'fault', this.challenge(who));
  }

  private challenge(who: Credentials): (readonly [string, string])[] {
    return this.door
      .challenges(this.persona.manufacturer, who.why === 'stale')
      .map((value) => ['WWW-Authenticate', value] as const);
  }

  private failed(what: Fault, entry: LogEntry): Plain {
    entry.fault = what.subcodes[0] ?? '';
    const status = this.faults.faultsAs === 0 ? (what.code === 'Sender' ? 400 : 500) : this.faults.faultsAs;
    return this.plain(status, faultBody(this.ground, what), 'fault');
  }

  private plain(
    status: number,
    body: string,
    action: string,
    more: readonly (readonly [string, string])[] = [],
  ): Plain {
    const text = this.ground.writer().envelope(this.ground.writer().text('wsa:Action', action), body);
    const bytes = this.faults.encoding === 'gbk' ? gbkBytes(text) : Uint8Array.from(Buffer.from(text));
    const date = ['Date', new Date(this.now()).toUTCString()] as const;
    const type = ['Content-Type', 'application/soap+xml; charset=utf-8'] as const;
    return { status, headers: [type, date, ...more], body: bytes };
  }

  private picture(request: WebRequest, entry: LogEntry & { auth: Credentials['kind'] }): Plain {
    const none = (status: number, headers: readonly (readonly [string, string])[] = []): Plain => ({
      status,
      headers,
      body: new Uint8Array(0),
    });
    if (request.path !== this.persona.paths.snapshot) return none(404);
    const { snapshotAuth, snapshot } = this.faults;
    const who = this.ask(request, undefined, snapshotAuth === 'basic');
    entry.auth = who.kind;
    if (snapshotAuth === 'basic' && !who.ok)
      return none(401, [['WWW-Authenticate', `Basic realm="${this.persona.manufacturer}"`]]);
    if (snapshotAuth === 'digest' && !who.ok) return none(401, this.challenge(who));
    if (snapshot === 'empty') return none(200, [['Content-Type', 'image/jpeg']]);
    if (snapshot === 'redirect') return none(302, [['Location', 'http://img.vendor.example/snapshot.jpg']]);
    if (snapshot === 'html')
      return {
        ...none(200, [['Content-Type', 'text/html']]),
        body: Uint8Array.from(Buffer.from('<html>login</html>')),
      };
    const comment = `${this.identity.serial} ${this.pictures++} ${new Date(this.now()).toISOString()}`;
    const jpeg = smallJpeg(comment, snapshot === 'huge' ? HUGE_PICTURE : 0);
    const body = snapshot === 'cut' ? jpeg.subarray(0, jpeg.length / 2) : jpeg;
    return { status: 200, headers: [['Content-Type', 'image/jpeg']], body };
  }
}

const told = (done: Done): Fault => ('fault' in done ? done.fault : NOT_AUTHORIZED);

function readSoap(bytes: Uint8Array) {
  const root = readXml(Buffer.from(bytes).toString('utf8'));
  const body = child(root, 'Body')?.children[0];
  if (root?.local !== 'Envelope' || body === undefined) return undefined;
  return { operation: body.local, header: child(root, 'Header'), body };
}

function identityOf(random: Random, serial: string | undefined): Ground['identity'] {
  const hex = Buffer.from(random.bytes(16)).toString('hex');
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)];
  const mac = (hex.slice(0, 10).match(/../g) ?? []).join(':');
  return {
    serial: serial ?? `SN${hex.slice(0, 12).toUpperCase()}`,
    mac: `02:${mac}`,
    uuid: `urn:uuid:${groups.join('-')}`,
  };
}
