/**
 * The door for a feed's commands: what is kept by the broker is no command, a token bucket stands before any parsing, and a feed that grants nothing
 * has nothing parsed. Answers go to the MQTT 5 response topic when it lies under the feed's own prefix and is none of the contract's own topics;
 * at most MOST_ANSWERS are on their way at once.
 */

import { Bucket } from '../base/bucket.ts';
import type { Arrival, Refusal } from '../base/command.ts';
import type { JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import type { Clock } from '../base/ports.ts';
import { mask } from '../base/scrub.ts';
import type { Beside, BrokerConnection } from '../io/mqtt.ts';
import { readCommand } from './command.ts';

const PER_SECOND = 10;
const BURST = 20;
const MOST_ANSWERS = 16;
const MOST_TOPIC = 256;
const MOST_CORRELATION = 128;

export interface IntakeDeps {
  readonly feed: FeedModel;
  /** `urn:weinao:{site}:{gateway}` */
  readonly source: string;
  readonly clock: Clock;
  readonly connection: () => BrokerConnection | undefined;
  readonly onCommand: (arrival: Arrival) => void;
}

export class CommandIntake {
  private readonly deps: IntakeDeps;
  private readonly bucket: Bucket;
  private answering = 0;

  constructor(deps: IntakeDeps) {
    this.deps = deps;
    this.bucket = new Bucket(PER_SECOND, BURST, deps.clock.mono());
  }

  take(payload: Uint8Array, beside: Beside): void {
    const { feed, clock, source, onCommand } = this.deps;
    const refuse = (refusal: Refusal): void => onCommand({ feed: feed.id, reply: () => {}, refusal });
    if (beside.retain) return refuse('retained');
    if (!this.bucket.take(clock.mono())) return refuse('flood');
    const { commands } = feed;
    if (commands === undefined) return refuse('not_granted');
    const reply = (result: JsonObject): void => this.answer(beside, withoutGuard(result));
    const read = readCommand(payload, { target: source, signers: commands.signers });
    onCommand('refusal' in read ? { feed: feed.id, reply, ...read } : { feed: feed.id, reply, command: read });
  }

  private answer({ responseTopic, correlation }: Beside, result: JsonObject): void {
    const connection = this.deps.connection();
    if (connection === undefined || responseTopic === undefined || !isOurs(responseTopic, this.deps.feed.id)) return;
    if (this.answering >= MOST_ANSWERS) return;
    this.answering++;
    const isShort = correlation !== undefined && correlation.length <= MOST_CORRELATION;
    connection
      .publish(responseTopic, JSON.stringify(result), {
        contentType: 'application/json',
        ...(isShort ? { correlation } : {}),
      })
      // The result stands in the stream; an answer that is lost is only slower.
      .catch(() => {})
      .finally(() => {
        this.answering--;
      });
  }
}

/** Who said yes on site is nobody a platform knows. */
function withoutGuard(result: JsonObject): JsonObject {
  const { confirmed_by: guard } = result;
  return typeof guard === 'string' ? { ...result, confirmed_by: mask(guard) } : result;
}

/** Under the feed's prefix, and not where somebody would take it for the feed itself or for a command. */
function isOurs(topic: string, feed: string): boolean {
  if (topic.length > MOST_TOPIC || topic.includes('+') || topic.includes('#') || topic.includes('\u0000')) return false;
  const [wn, version, id, , kind] = topic.split('/');
  return wn === 'wn' && version === '1' && id === feed && kind !== undefined && kind !== 'up' && kind !== 'dn';
}
