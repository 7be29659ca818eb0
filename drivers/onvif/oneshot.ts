/**
 * One-shot questions for a person who sets a camera up: capabilities, profiles, addresses of stream and picture. The only file that knows the `onvif` package.
 *
 * The package knows the questions of both media services and reads their trees. Left to itself it also opens sockets without an end and without a cap, signs with
 * a clock it reads once, writes tokens unescaped, and takes namespaces out with a pattern whose time grows with the square of what a camera sends. So its one
 * entry (`_request`, of the version package.json pins) is ours: what it asks goes through client.ts (deadline, cap, abort, one question at a time, host and port of
 * the configuration, HTTP digest or token by the camera's clock), and what it reads was parsed by kit/xml.ts. It never learns user or password.
 * A new Cam each time. LOOK_MS is over all of it, on the injected clock: what was found until then is told. After one refusal of who we are nothing more is asked.
 *
 * Ours stay, because the package does them worse: time (read again and again, local time, HTTP Date), device information (serial and firmware to the letter; it makes 1 of
 * "1.0"), tokens (it makes a number of "20240404040405120001"), services in session order, topics, events, and discovery (it dies of a bad XAddr and of two
 * matches in one answer, and does not look whose question was answered).
 * Whoever calls it sees to it that nothing else is being asked: the driver does so between two pulls.
 */
import type { Cam, RequestCallback } from 'onvif';
import { isWeinaoError, WeinaoError } from '../../src/base/errors/index.ts';
import type { Clock } from '../../src/base/ports.ts';
import { childrenOf, parseXml, type XmlElement } from '../../src/kit/xml.ts';
import type { CameraClient } from './client.ts';
import { shownAddress } from './shown.ts';
import { escapeXml } from './soap.ts';

export const LOOK_MS = 25_000;
const MOST_PROFILES = 32;
const LONGEST = 64;

/** An alias, so that it is JSON. */
export type Profile = {
  readonly token: string;
  readonly name: string;
  /** `H264 2560x1440`; absent where the camera does not say */
  readonly video?: string;
};

export interface Look {
  /** services it has: events, media, ptz ... */
  readonly services?: readonly string[];
  readonly profiles?: readonly Profile[];
  /** of the first profile, on the configured host, without what tells who may see it */
  readonly stream?: string;
  readonly snapshot?: string;
}

export interface LookDeps {
  readonly client: CameraClient;
  readonly clock: Clock;
  readonly host: string;
  /** where a service is asked; undefined is the device itself */
  readonly at: (service: string | undefined) => string;
}

type Found = { -readonly [K in keyof Look]: Look[K] };

/** Never rejects: what a camera refuses is simply not found. */
export async function lookAt(deps: LookDeps, signal: AbortSignal): Promise<Look> {
  const over = new AbortController();
  const found: Found = {};
  const asking = ask(deps, found, AbortSignal.any([signal, over.signal])).catch(() => {});
  await Promise.race([asking, deps.clock.sleep('camera look', LOOK_MS, over.signal).catch(() => {})]);
  over.abort();
  // Nothing may be asked beside what comes next.
  await asking;
  return { ...found };
}

async function ask(deps: LookDeps, found: Found, signal: AbortSignal): Promise<void> {
  const { host } = deps;
  const door = new Door(deps, signal);
  const cam = await camOn(door, host);
  const told = door.told(cam);
  const capabilities = await told<object>((done) => cam.getCapabilities(done as RequestCallback));
  if (capabilities !== undefined) found.services = servicesOf(capabilities);
  const profiles = await told<readonly unknown[]>((done) => cam.getProfiles(done));
  if (profiles === undefined) return;
  found.profiles = profilesOf(profiles, childrenOf(door.answer, 'Profiles'));
  const token = found.profiles[0]?.token;
  if (token === undefined) return;
  const profileToken = escapeXml(token);
  const stream = await told<{ uri?: unknown }>((done) => cam.getStreamUri({ profileToken }, done));
  const streamAt = shownAddress(stream?.uri, host);
  if (streamAt !== undefined) found.stream = streamAt;
  const picture = await told<{ uri?: unknown }>((done) => cam.getSnapshotUri({ profileToken }, done));
  const pictureAt = shownAddress(picture?.uri, host);
  if (pictureAt !== undefined) found.snapshot = pictureAt;
}

interface Asked {
  readonly service?: string;
  readonly body: string;
}

/** A Cam whose questions go through the door. Loaded when somebody looks: a running gateway has no use for it. */
async function camOn(door: Door, hostname: string): Promise<Cam> {
  const { Cam: Package } = await import('onvif');
  class BoundCam extends Package {
    _envelopeHeader(): string {
      return '';
    }
    _envelopeFooter(): string {
      return '';
    }
    _request(asked: Asked, done: RequestCallback): void {
      door.carry(asked, done);
    }
  }
  const cam = new BoundCam({ hostname, autoconnect: false });
  for (const event of ['error', 'warning', 'eventsError']) cam.on(event, () => {});
  return cam;
}

class Door {
  /** of the last question, to the letter */
  answer: XmlElement | undefined;
  private readonly deps: LookDeps;
  private readonly signal: AbortSignal;
  private isRefused = false;
  private stumble: () => void = () => {};

  constructor(deps: LookDeps, signal: AbortSignal) {
    this.deps = deps;
    this.signal = signal;
  }

  /** What one of its calls brings; undefined when it is refused, or is not what the package can read. */
  told(cam: Cam): <T>(call: (done: (error: unknown, data?: T) => void) => void) => Promise<T | undefined> {
    return (call) =>
      new Promise((resolve) => {
        this.stumble = () => resolve(undefined);
        this.signal.addEventListener('abort', this.stumble, { once: true });
        call.call(cam, (error, data) => resolve(error ? undefined : data));
      });
  }

  carry({ service, body }: Asked, done: RequestCallback): void {
    void this.send(service, body)
      .then(
        (answer) => done(null, [{ [packageName(answer.name)]: [shape(answer)] }], ''),
        (error: unknown) =>
          done(isWeinaoError(error) ? error : new WeinaoError('link.cancelled', { channel: '' }), null, ''),
      )
      // The package trips over trees it did not expect, wherever that is.
      .catch(() => this.stumble());
  }

  private async send(service: string | undefined, body: string): Promise<XmlElement> {
    const { client, at, host } = this.deps;
    this.answer = undefined;
    if (this.isRefused || this.signal.aborted) throw new WeinaoError('device.not_authorized', { host });
    const { root } = parseXml(new TextEncoder().encode(body));
    const question = { action: `${root.uri ?? ''}/${root.name}`, body };
    const reply = await client.ask(at(service), question, { signal: this.signal });
    if (reply.kind === 'fault') {
      this.isRefused = reply.is === 'auth';
      throw new WeinaoError('device.camera_fault', { host, detail: reply.reason });
    }
    const { answer } = reply;
    if (answer.type !== 'other' || !answer.isWhole) throw new WeinaoError('device.no_camera', { host, detail: '' });
    this.answer = answer.body;
    return answer.body;
  }
}

/** Names as the package writes them: the first letter small, unless the second is a capital. */
function packageName(name: string): string {
  const second = name.charAt(1);
  return second !== '' && second.toUpperCase() !== second ? name.charAt(0).toLowerCase() + name.slice(1) : name;
}

/** A tree as the package reads it: text, or attributes under `$` and lists of children by name. */
function shape({ attributes, children, text }: XmlElement): unknown {
  const own = text.trim();
  if (attributes.size === 0 && children.length === 0) return own;
  const tree = new Map<string, unknown>();
  if (attributes.size > 0) tree.set('$', Object.fromEntries(attributes));
  if (own !== '') tree.set('_', own);
  for (const child of children) {
    const name = packageName(child.name);
    const list = tree.get(name);
    if (Array.isArray(list)) list.push(shape(child));
    else tree.set(name, [shape(child)]);
  }
  return Object.fromEntries(tree);
}

function servicesOf(capabilities: object): string[] {
  const { extension, ...own } = capabilities as Record<string, unknown>;
  const more = typeof extension === 'object' && extension !== null ? extension : {};
  const named = Object.entries({ ...own, ...more }).filter(
    ([, one]) => typeof one === 'object' && one !== null && 'XAddr' in one,
  );
  return named.map(([name]) => name.slice(0, LONGEST)).slice(0, MOST_PROFILES);
}

/** @param exact the same in the answer: tokens and names are texts */
function profilesOf(read: readonly unknown[], exact: readonly XmlElement[]): Profile[] {
  return read.slice(0, MOST_PROFILES).flatMap((one, i) => {
    const token = exact[i]?.attributes.get('token');
    if (token === undefined) return [];
    const name = exact[i]?.children.find((child) => child.name === 'Name')?.text.trim() ?? '';
    const video = videoOf((one as { videoEncoderConfiguration?: unknown }).videoEncoderConfiguration);
    return [{ token, name: name.slice(0, LONGEST), ...(video === undefined ? {} : { video }) }];
  });
}

function videoOf(encoder: unknown): string | undefined {
  const { encoding, resolution } = (encoder ?? {}) as {
    encoding?: unknown;
    resolution?: { width?: unknown; height?: unknown };
  };
  if (typeof encoding !== 'string') return undefined;
  const { width, height } = resolution ?? {};
  const size = typeof width === 'number' && typeof height === 'number' ? ` ${width}x${height}` : '';
  return `${encoding.slice(0, LONGEST)}${size}`;
}
