/**
 * Asks one camera, one question after the other; whoever uses it waits for each answer before the next.
 *
 * How the camera wants to be told who asks is learned from how it refuses a question without that (Core 25.12, 5.9): a digest challenge means HTTP digest,
 * NotAuthorized means WS-UsernameToken; never both in one question, Basic only where the owner allows it. So a wrong password is shown to the camera
 * once for each question and never more often. The time in a token is the camera's, followed on the monotonic clock.
 * Bounds: the answer's size and time are the door's; xml.ts bounds what is made of it.
 */
import { isWeinaoError, WeinaoError } from '../../src/base/errors/index.ts';
import type { Clock, Random } from '../../src/base/ports.ts';
import type { HttpAnswer, HttpDoor } from '../../src/kit/driver.ts';
import type { XmlElement } from '../../src/kit/xml.ts';
import { basicHeader, type Challenge, digestHeader, readChallenges, usernameToken } from './auth.ts';
import { type Answer, readAnswer } from './codec.ts';
import { classify, type FaultClass } from './faults.ts';
import { contentType, envelope, type Question } from './soap.ts';

export const MAX_ANSWER = 1024 * 1024;
export const CALL_MS = 10_000;

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface ClientDeps {
  readonly http: HttpDoor;
  readonly clock: Clock;
  readonly random: Random;
  readonly trust: 'system' | 'any';
  readonly allowBasic: boolean;
  /** undefined: the camera is asked without */
  readonly credentials: () => Promise<Credentials | undefined>;
}

export type Reply =
  | { readonly kind: 'answer'; readonly answer: Exclude<Answer, { type: 'fault' }>; readonly http: HttpAnswer }
  | {
      readonly kind: 'fault';
      readonly is: FaultClass;
      readonly reason: string;
      readonly detail: XmlElement | undefined;
      readonly http: HttpAnswer;
    };

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
  /** asked without saying who asks */
  readonly anonymous?: boolean;
}

type Way = 'none' | 'token' | 'digest' | 'basic';

export class CameraClient {
  /** how the camera wants it; undefined until it was learned */
  way: Way | undefined;
  private readonly deps: ClientDeps;
  private challenge: Challenge | undefined;
  private used = 0;
  /** it was refused with a way that should have been right: the other one is tried next */
  private avoid: Way | undefined;
  /** the camera's time, UTC ms, at a moment of the monotonic clock */
  private cameraClock: { readonly wall: number; readonly mono: number } | undefined;

  constructor(deps: ClientDeps) {
    this.deps = deps;
  }

  /** The camera said what time it has. */
  setTime(wall: number | undefined): void {
    this.cameraClock = wall === undefined ? undefined : { wall, mono: this.deps.clock.mono() };
  }

  /** UTC ms as the camera has it; ours while nothing is known. */
  cameraTime(): number {
    const { wall, mono } = this.deps.clock.now();
    return this.cameraClock === undefined ? wall : this.cameraClock.wall + (mono - this.cameraClock.mono);
  }

  /** Camera minus gateway, ms; undefined when it is not known. */
  skew(): number | undefined {
    return this.cameraClock === undefined ? undefined : this.cameraTime() - this.deps.clock.now().wall;
  }

  /** Whatever was learned of who we are to it may be wrong now. */
  forget(): void {
    this.way = undefined;
    this.challenge = undefined;
  }

  /** Throws http.*, xml.*, link.cancelled, and device.no_camera when something else answers. */
  async ask(url: string, question: Question, options: AskOptions): Promise<Reply> {
    const who = options.anonymous === true ? undefined : await this.deps.credentials();
    if (who === undefined) return this.read(await this.send(url, question, 'none', undefined, options), url);
    if (this.way === undefined) {
      const first = await this.send(url, question, 'none', undefined, options);
      const learned = this.learn(first);
      if (learned === undefined) return this.read(first, url);
    }
    return this.askAs(url, question, who, options);
  }

  private async askAs(url: string, question: Question, who: Credentials, options: AskOptions): Promise<Reply> {
    const way = this.way ?? 'none';
    const isFresh = this.used === 0;
    const http = await this.send(url, question, way, who, options);
    if (way === 'digest' && http.status === 401 && !isFresh) {
      // A nonce grows old; that says nothing of the password.
      this.take(http);
      return this.judge(await this.send(url, question, way, who, options), url, way);
    }
    return this.judge(http, url, way);
  }

  private judge(http: HttpAnswer, url: string, way: Way): Reply {
    const reply = this.read(http, url);
    if (reply.kind === 'fault' && reply.is === 'auth') {
      this.avoid = way;
      this.forget();
    } else this.avoid = undefined;
    return reply;
  }

  /** The way a refusal asks for; undefined when it was none. */
  private learn(http: HttpAnswer): Way | undefined {
    const { digest, basic } = this.take(http);
    const isRefusal = [401, 403].includes(http.status) || this.isAuthFault(http);
    if (!isRefusal) return undefined;
    const ways: Way[] = [];
    if (digest !== undefined) ways.push('digest');
    ways.push('token');
    if (basic && this.deps.allowBasic) ways.unshift(...(digest === undefined ? (['basic'] as const) : []));
    this.way = ways.find((way) => way !== this.avoid) ?? ways[0];
    return this.way;
  }

  private take(http: HttpAnswer): ReturnType<typeof readChallenges> {
    const challenges = readChallenges(http.headers['www-authenticate'] ?? []);
    if (challenges.digest !== undefined) {
      this.challenge = challenges.digest;
      this.used = 0;
    }
    return challenges;
  }

  private isAuthFault({ body, status }: HttpAnswer): boolean {
    try {
      const answer = readAnswer(body);
      return answer?.type === 'fault' && classify(answer.fault, answer.detail) === 'auth';
    } catch {
      // Some say only 400 to who does not say who he is.
      return status === 400;
    }
  }

  private async send(
    url: string,
    question: Question,
    way: Way,
    who: Credentials | undefined,
    { signal, deadlineMs = CALL_MS }: AskOptions,
  ): Promise<HttpAnswer> {
    const { http, random, trust } = this.deps;
    const token =
      way === 'token' && who !== undefined
        ? usernameToken(who.user, who.password, this.cameraTime(), random.bytes(16))
        : '';
    const authorization = this.authorization(url, 'POST', way, who);
    return http.ask(
      {
        url,
        method: 'POST',
        headers: {
          'content-type': contentType(question.action),
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: envelope(question, token, uuid(random.bytes(16))),
      },
      { deadlineMs, maxBytes: MAX_ANSWER, signal, trust },
    );
  }

  private authorization(url: string, method: string, way: Way, who: Credentials | undefined): string | undefined {
    if (who === undefined) return undefined;
    if (way === 'basic') return basicHeader(who.user, who.password);
    if (way !== 'digest' || this.challenge === undefined) return undefined;
    const { pathname, search } = new URL(url);
    this.used++;
    return digestHeader({
      ...who,
      challenge: this.challenge,
      method,
      uri: pathname + search,
      count: this.used,
      clientNonce: this.deps.random.bytes(8),
    });
  }

  private read(http: HttpAnswer, url: string): Reply {
    const { host } = new URL(url);
    // The body is looked at first: some say 200 with a refusal, and some say 500 with an answer.
    const answer = this.parse(http);
    if (answer?.type === 'fault') {
      const { fault, detail } = answer;
      const told = fault.reason === '' ? [fault.code, ...fault.subcodes].join(' ') : fault.reason;
      return { kind: 'fault', is: classify(fault, detail), reason: told.slice(0, 200), detail, http };
    }
    if (answer !== undefined) return { kind: 'answer', answer, http };
    if (http.status === 401 || http.status === 403)
      return { kind: 'fault', is: 'auth', reason: `HTTP ${http.status}`, detail: undefined, http };
    if ([404, 405, 410].includes(http.status))
      return { kind: 'fault', is: 'missing', reason: `HTTP ${http.status}`, detail: undefined, http };
    throw http.cut ?? new WeinaoError('device.no_camera', { host, detail: `HTTP ${http.status}` });
  }

  /** Undefined when it is no SOAP. What is over a bound is an error of its own. */
  private parse({ body }: HttpAnswer): Answer | undefined {
    try {
      return readAnswer(body);
    } catch (error) {
      if (isWeinaoError(error, 'xml.broken')) return undefined;
      throw error;
    }
  }
}

function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
