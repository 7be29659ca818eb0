/**
 * The door for commands of a thing-model platform, which say neither when they expire nor who wants them: each is good for TTL from its receipt, never
 * signed, and once only: its id is made of the day, the platform's id and what it asks. The rest is as at the other door (intake.ts): what is kept by
 * the broker is no command, the bucket stands before any parsing, a feed that grants nothing is refused. The platform gets one answer: that all is
 * done, or the first reason why not.
 */
import { createHash } from 'node:crypto';
import { Bucket } from '../base/bucket.ts';
import type { Arrival, Command, Refusal } from '../base/command.ts';
import type { JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import type { Clock } from '../base/ports.ts';
import { isoTime } from '../base/time.ts';
import type { Heard, Packet, PlatformCommand } from './codec.ts';

const PER_SECOND = 10;
const BURST = 20;
const TTL = 30_000;
/** the command goes on: its end comes later */
const UNDER_WAY: readonly unknown[] = ['accepted', 'confirming'];

export interface ThingIntakeDeps {
  readonly feed: FeedModel;
  readonly clock: Clock;
  /** never throws */
  readonly answer: (packet: Packet) => void;
  readonly onCommand: (arrival: Arrival) => void;
}

export class ThingIntake {
  private readonly deps: ThingIntakeDeps;
  private readonly bucket: Bucket;

  constructor(deps: ThingIntakeDeps) {
    this.deps = deps;
    this.bucket = new Bucket(PER_SECOND, BURST, deps.clock.mono());
  }

  take({ read }: Extract<Heard, { kind: 'command' }>, retain: boolean): void {
    const { feed, clock } = this.deps;
    if (retain) return this.refuse('retained');
    if (!this.bucket.take(clock.mono())) return this.refuse('flood');
    const given = read();
    if (given === 'nothing') return;
    if (given === undefined) return this.refuse('malformed');
    if (feed.commands === undefined) return this.refuse('not_granted', given);
    if (given.asks.length === 0) return this.refuse('malformed', given);
    this.pass(given, Math.min(TTL, feed.commands.maxTtlMs));
  }

  private pass({ id, asks, answer }: PlatformCommand, ttl: number): void {
    const { feed, clock, onCommand } = this.deps;
    const { wall } = clock.now();
    let left = asks.length;
    let isAnswered = false;
    const tell = (outcome: string, reason: string): void => {
      if (!isAnswered) this.deps.answer(answer(outcome, reason));
      isAnswered = true;
    };
    for (const [i, ask] of asks.entries()) {
      const digest = createHash('sha256').update(JSON.stringify(ask)).digest('hex').slice(0, 16);
      const command: Command = {
        id: `${isoTime(wall).slice(0, 10)}.${id}.${i}.${digest.slice(0, 8)}`,
        source: `urn:${feed.codec}:${feed.id}`,
        ask,
        by: feed.codec ?? '',
        expires: wall + ttl,
        digest,
      };
      const reply = ({ outcome, reason }: JsonObject): void => {
        if (UNDER_WAY.includes(outcome)) return;
        if (outcome !== 'done') tell(String(outcome), typeof reason === 'string' ? reason : '');
        else if (--left === 0) tell('done', '');
      };
      onCommand({ feed: feed.id, reply, command });
    }
  }

  private refuse(refusal: Refusal, given?: PlatformCommand): void {
    const { feed, onCommand } = this.deps;
    const named = given === undefined ? {} : { id: given.id };
    onCommand({ feed: feed.id, reply: () => {}, refusal, ...named });
    if (given !== undefined) this.deps.answer(given.answer('denied', refusal));
  }
}
