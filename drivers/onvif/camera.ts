/**
 * One camera's questions and answers: what the session (session.ts) wants done, done over HTTP, and what came of it told back. It keeps what only a
 * conversation teaches: addresses, who the camera says it is, the path of its pictures.
 */
import { isWeinaoError, WeinaoError } from '../../src/base/errors/index.ts';
import type { Clock } from '../../src/base/ports.ts';
import { childOf, childrenOf, findIn, textOf, type XmlElement } from '../../src/kit/xml.ts';
import { type Base, readPlace, urlAt } from './addresses.ts';
import type { AskOptions, CameraClient, Reply } from './client.ts';
import type { Notification } from './codec.ts';
import { pullLimits } from './faults.ts';
import { LIFE } from './lease.ts';
import { eventPropertiesQuestion, type OfferedTopic, topicsOf } from './offers.ts';
import { type Look, lookAt } from './oneshot.ts';
import type { Outcome, Step, Subscription } from './session.ts';
import {
  createQuestion,
  pullQuestion,
  QUESTIONS,
  type Question,
  referencesOf,
  renewQuestion,
  snapshotUriQuestion,
  syncQuestion,
  unsubscribeQuestion,
} from './soap.ts';
import { timeMs } from './times.ts';
import { utcOf } from './timezone.ts';
import type { TopicTable } from './topics.ts';

/** a pull is given so much longer than it may take */
const PULL_GRACE = 10_000;
const UNSUBSCRIBE_MS = 3000;
/** paths of event services, most frequent first */
const USUAL = ['/onvif/event_service', '/onvif/events_service', '/onvif/Events', '/onvif/event'];

export interface About {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly serial: string;
}

export interface Offers extends Look {
  /** undefined: it does not tell which */
  readonly topics?: readonly OfferedTopic[];
}

export class Camera {
  about: About | undefined;
  /** as the camera named it; undefined: it was not asked, or has none */
  snapshotUri: string | undefined;
  /** what went wrong last; undefined when the last question was answered */
  error: WeinaoError | undefined;
  private readonly client: CameraClient;
  private readonly base: Base;
  private readonly clock: Clock;
  /** undefined: the camera names none */
  private eventPath: string | undefined;
  private mediaPath: string;
  /** a port that the camera named and nobody answers at */
  private deadPort: number | undefined;
  private isRefused = false;

  constructor(client: CameraClient, base: Base, clock: Clock) {
    this.client = client;
    this.base = base;
    this.clock = clock;
    this.mediaPath = base.path;
  }

  /** @param heard what a pull brought, also of one that broke off; returns ms to wait before the next */
  async perform(
    step: Exclude<Step, { do: 'wait' }>,
    heard: (messages: readonly Notification[]) => number,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const began = this.clock.mono();
    try {
      const outcome = await this.one(step, heard, signal);
      if (outcome.kind !== 'fault') this.error = undefined;
      return outcome;
    } catch (error) {
      if (!isWeinaoError(error)) throw error;
      this.error = error;
      if (error.code === 'http.reset') return { kind: 'reset', tookMs: this.clock.mono() - began };
      return { kind: 'error' };
    }
  }

  private one(
    step: Exclude<Step, { do: 'wait' }>,
    heard: (messages: readonly Notification[]) => number,
    signal: AbortSignal,
  ): Promise<Outcome> {
    switch (step.do) {
      case 'time':
        return this.time(signal);
      case 'check':
        return this.check(signal);
      case 'capabilities':
        return this.capabilities(signal);
      case 'media':
        return this.media(signal);
      case 'create':
        return this.create(step.isAbsolute, signal);
      case 'pull':
        return this.pull(step, heard, signal);
      case 'sync':
        return this.simple(step.subscription, syncQuestion(step.subscription), { signal });
      case 'renew':
        return this.simple(step.subscription, renewQuestion(step.subscription, LIFE), { signal });
      case 'unsubscribe':
        return this.unsubscribe(step.subscription, signal);
    }
  }

  /** Also when everything is to end: then it has a signal of its own, and little time. */
  unsubscribe(subscription: Subscription, signal: AbortSignal): Promise<Outcome> {
    return this.simple(subscription, unsubscribeQuestion(subscription), { signal, deadlineMs: UNSUBSCRIBE_MS });
  }

  private async time(signal: AbortSignal): Promise<Outcome> {
    const url = urlAt(this.base, this.base.path);
    let reply = await this.client.ask(url, QUESTIONS.time, { signal, anonymous: true });
    // A few want to know who asks. One that has refused us is not shown the password for this.
    if (reply.kind === 'fault' && reply.is === 'auth' && !this.isRefused)
      reply = await this.client.ask(url, QUESTIONS.time, { signal });
    const told = reply.kind === 'answer' && reply.answer.type === 'other' ? utcOf(reply.answer.body) : undefined;
    this.client.setTime(told ?? headerTime(reply));
    return this.outcome(reply);
  }

  private async check(signal: AbortSignal): Promise<Outcome> {
    const reply = await this.client.ask(urlAt(this.base, this.base.path), QUESTIONS.information, { signal });
    this.isRefused = reply.kind === 'fault' && reply.is === 'auth';
    if (reply.kind === 'answer' && reply.answer.type === 'other') {
      const { body } = reply.answer;
      const text = (name: string): string => (textOf(body, name) ?? '').slice(0, 64);
      this.about = {
        manufacturer: text('Manufacturer'),
        model: text('Model'),
        firmware: text('FirmwareVersion'),
        serial: text('SerialNumber'),
      };
    }
    return this.outcome(reply);
  }

  private async capabilities(signal: AbortSignal): Promise<Outcome> {
    const url = urlAt(this.base, this.base.path);
    const reply = await this.client.ask(url, QUESTIONS.capabilities, { signal });
    const found = this.takeServices(reply, (body) => [
      textOf(findIn(body, 'Events'), 'XAddr'),
      textOf(findIn(body, 'Media'), 'XAddr'),
    ]);
    if (found) return this.outcome(reply);
    return this.outcome(await this.services(url, signal));
  }

  private async services(url: string, signal: AbortSignal): Promise<Reply> {
    const reply = await this.client.ask(url, QUESTIONS.services, { signal });
    this.takeServices(reply, (body) => {
      const at = (part: string): string | undefined =>
        childrenOf(body, 'Service').flatMap((s) =>
          textOf(s, 'Namespace')?.includes(part) === true ? (textOf(s, 'XAddr') ?? []) : [],
        )[0];
      return [at('/events/'), at('ver10/media/')];
    });
    return reply;
  }

  /** False when the place of events is not among them. */
  private takeServices(
    reply: Reply,
    read: (body: XmlElement) => readonly [string | undefined, string | undefined],
  ): boolean {
    if (reply.kind !== 'answer' || reply.answer.type !== 'other') return false;
    const [events, media] = read(reply.answer.body).map((address) => readPlace(address)?.path);
    this.eventPath = events;
    this.mediaPath = media ?? this.base.path;
    return events !== undefined;
  }

  private async media(signal: AbortSignal): Promise<Outcome> {
    const url = urlAt(this.base, this.mediaPath);
    const profiles = await this.client.ask(url, QUESTIONS.profiles, { signal });
    if (profiles.kind !== 'answer' || profiles.answer.type !== 'other') return this.quiet(profiles);
    const token = childOf(profiles.answer.body, 'Profiles')?.attributes.get('token');
    if (token === undefined) return { kind: 'done' };
    const reply = await this.client.ask(url, snapshotUriQuestion(token), { signal });
    if (reply.kind === 'answer' && reply.answer.type === 'other')
      this.snapshotUri = findIn(reply.answer.body, 'Uri')?.text.trim();
    return { kind: 'done' };
  }

  /** For a person who asks; a camera that refuses any of it is none the worse. Nothing else may be asked meanwhile. */
  async offers(table: TopicTable, signal: AbortSignal): Promise<Offers> {
    const { base, client, clock } = this;
    const url = urlAt(base, this.eventPath ?? base.path);
    const reply = await client.ask(url, eventPropertiesQuestion(url), { signal }).catch(() => undefined);
    const events = reply?.kind === 'answer' && reply.answer.type === 'other' ? reply.answer.body : undefined;
    const at = (service: string | undefined): string => urlAt(base, service === undefined ? base.path : this.mediaPath);
    const isRefused = reply?.kind === 'fault' && reply.is === 'auth';
    const look = isRefused || signal.aborted ? {} : await lookAt({ client, clock, host: base.host, at }, signal);
    return { ...(events === undefined ? {} : { topics: topicsOf(events, table) }), ...look };
  }

  private async create(isAbsolute: boolean, signal: AbortSignal): Promise<Outcome> {
    const end = isAbsolute ? new Date(this.client.cameraTime() + LIFE) : LIFE;
    const { url, reply } = await this.createAt(end, signal);
    if (reply.kind !== 'answer' || reply.answer.type !== 'other') return this.outcome(reply);
    const { body, isWhole } = reply.answer;
    if (!isWhole) throw reply.http.cut ?? new WeinaoError('device.no_camera', { host: this.base.host, detail: '…' });
    const address = findIn(body, 'Address')?.text.trim() ?? '';
    const place = readPlace(address);
    const [ends, now] = ['TerminationTime', 'CurrentTime'].map((name) => timeMs(textOf(body, name)));
    const reference = {
      url: place === undefined ? url : urlAt(this.base, place.path, this.portOf(place.port)),
      to: place === undefined ? url : address,
      references: referencesOf(findIn(body, 'ReferenceParameters')),
    };
    return {
      kind: 'created',
      reference,
      ...(ends === undefined || now === undefined ? {} : { lifeMs: ends - now }),
    };
  }

  /** Where the camera names; where it names none, at the usual places, the first that knows the question. */
  private async createAt(end: number | Date, signal: AbortSignal): Promise<{ url: string; reply: Reply }> {
    const paths = this.eventPath === undefined ? [this.base.path, ...USUAL] : [this.eventPath];
    for (const [i, path] of paths.entries()) {
      const url = urlAt(this.base, path);
      const reply = await this.client.ask(url, createQuestion(url, end), { signal });
      const isElsewhere = reply.kind === 'fault' && (reply.is === 'missing' || reply.is === 'unsupported');
      if (!isElsewhere || i === paths.length - 1) return { url, reply };
    }
    throw this.nonsense('…');
  }

  private portOf(port: number | undefined): number {
    return port === undefined || port === this.deadPort ? this.base.port : port;
  }

  private async pull(
    step: Extract<Step, { do: 'pull' }>,
    heard: (messages: readonly Notification[]) => number,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { subscription, timeoutMs, messages } = step;
    const began = this.clock.mono();
    const question = pullQuestion(subscription, timeoutMs, messages);
    const reply = await this.at(subscription, question, { signal, deadlineMs: timeoutMs + PULL_GRACE });
    if (reply.kind === 'fault') return this.outcome(reply);
    const { answer, http } = reply;
    if (answer.type !== 'pull') throw this.nonsense(answer.type);
    // What came whole counts, however the answer ended: the camera says it only once.
    const pauseMs = heard(answer.messages);
    if (!answer.isWhole) throw http.cut ?? this.nonsense('…');
    return {
      kind: 'pulled',
      messages: answer.messages.length,
      initialized: answer.messages.filter((m) => m.operation === 'Initialized').length,
      tookMs: this.clock.mono() - began,
      ends: timeMs(answer.terminationTime ?? undefined),
      now: timeMs(answer.currentTime ?? undefined),
      pauseMs,
    };
  }

  private nonsense(detail: string): WeinaoError {
    return new WeinaoError('device.no_camera', { host: this.base.host, detail });
  }

  private async simple(subscription: Subscription, question: Question, options: AskOptions): Promise<Outcome> {
    return this.quiet(await this.at(subscription, question, options));
  }

  /** At the port the camera named, and where nobody answers there, at the configured one. */
  private async at({ url }: Subscription, question: Question, options: AskOptions): Promise<Reply> {
    const target = new URL(url);
    const port = Number(target.port === '' ? this.base.port : target.port);
    const configured = urlAt(this.base, target.pathname + target.search);
    if (port === this.deadPort) return this.client.ask(configured, question, options);
    try {
      return await this.client.ask(url, question, options);
    } catch (error) {
      const isShut = isWeinaoError(error, 'http.refused') || isWeinaoError(error, 'http.unreachable');
      if (!isShut || port === this.base.port) throw error;
    }
    const reply = await this.client.ask(configured, question, options);
    this.deadPort = port;
    return reply;
  }

  /** Of what nobody needs: a camera that refuses it is none the worse. */
  private quiet(reply: Reply): Outcome {
    return reply.kind === 'answer' ? { kind: 'done' } : { kind: 'fault', is: reply.is };
  }

  private outcome(reply: Reply): Outcome {
    if (reply.kind === 'answer') return { kind: 'done' };
    const { is, reason, detail } = reply;
    const { host } = this.base;
    this.error =
      is === 'auth'
        ? new WeinaoError('device.not_authorized', { host })
        : new WeinaoError(is === 'unsupported' || is === 'missing' ? 'device.no_events' : 'device.camera_fault', {
            host,
            detail: reason,
          });
    return { kind: 'fault', is, ...(is === 'limits' ? { limits: pullLimits(detail) } : {}) };
  }
}

function headerTime({ http }: Reply): number | undefined {
  const date = Date.parse(http.headers.date?.[0] ?? '');
  return Number.isNaN(date) ? undefined : date;
}
