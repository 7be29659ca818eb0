/**
 * Requests and replies of one device. RTU replies do not say which register they are of: after a reply was given up, the next request has another
 * shape (another length) than those still unanswered. Slaves answer in order, so once its reply is here, none of the old ones can come any more.
 * The line's draining (src/link) covers what arrives soon; this covers what arrives late.
 * Not promised: a slave that answers out of order, or an exception reply so late that it is taken for a newer request's (it makes points bad, never
 * wrong).
 */
import { isWeinaoError } from '../../src/base/errors/index.ts';
import type { Priority } from '../../src/base/line.ts';
import type { LineChannel } from '../../src/base/model.ts';
import type { DriverContext } from '../../src/kit/driver.ts';
import { characterMs } from '../../src/kit/item-plan.ts';
import { fromTcp, replyLength, rtuFramer, tcpFramer, toTcp } from './frame.ts';
import { createPduCodec, type Pending } from './pdu.ts';
import { type Cost, isBits, type Request } from './plan.ts';

const MOST_UNANSWERED = 6;
const REQUEST_BYTES = 8;
/** unit, function, length, CRC */
const REPLY_BYTES = 5;
/** silence before a request, in characters */
const GAP = 3.5;
/** where no speed is known, a register costs next to nothing */
const TCP_REGISTER_MS = 0.01;
const NEW_SHARE = 0.2;
const OUTLIER = 3;
const OUTLIER_MS = 20;
export const USUAL_TURNAROUND = 10;

/** What reads cost on a channel to a device that thinks so long. */
export function costOf(channel: LineChannel, turnaroundMs: number): Cost {
  const character = characterMs(channel);
  return {
    read: (GAP + REQUEST_BYTES + REPLY_BYTES) * character + turnaroundMs,
    register: Math.max(TCP_REGISTER_MS, 2 * character),
  };
}

export class Wire {
  readonly codec = createPduCodec();
  /** the device's thinking time, ms, averaged; undefined before the first reply */
  turnaround: number | undefined;
  private readonly context: DriverContext;
  private readonly unit: number;
  private readonly timeout: number | undefined;
  /** reply lengths of RTU requests given up; their replies may still come */
  private unanswered: number[] = [];
  private transaction = 0;

  constructor(context: DriverContext, unit: number, timeout: number | undefined) {
    this.context = context;
    this.unit = unit;
    this.timeout = timeout;
  }

  async read(
    request: Pick<Request, 'table' | 'address' | 'count'>,
    priority: Priority,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    if (this.unanswered.length > 0) await this.resync(request, priority, signal);
    const { table, address, count } = request;
    return this.exchange(this.codec.readTable(this.unit, table, address, count), priority, signal);
  }

  async exchange(pending: Pending, priority: Priority, signal: AbortSignal): Promise<Uint8Array> {
    const { line, clock } = this.context;
    const tcp = line.channel.carries === 'modbus_tcp';
    const request = tcp ? toTcp(pending.request, this.nextTransaction()) : pending.request;
    const framer = tcp ? tcpFramer(request) : rtuFramer(request);
    const options = this.timeout === undefined ? {} : { deadlineMs: this.timeout };
    try {
      const reply = await line.turn(priority, signal, async (turn) => {
        const from = clock.mono();
        const bytes = await turn.transact(request, framer, options);
        this.thought(clock.mono() - from, request.length + bytes.length);
        return bytes;
      });
      return pending.read(tcp ? fromTcp(reply) : reply);
    } catch (error) {
      const givenUp =
        isWeinaoError(error, 'link.timeout') ||
        isWeinaoError(error, 'link.bad_frame') ||
        isWeinaoError(error, 'link.cancelled');
      if (!tcp && givenUp) this.remember(pending.request);
      throw error;
    }
  }

  /** A question of a shape none of the unanswered ones had. Refused or not, its answer is the newest. */
  private async resync(
    request: Pick<Request, 'table' | 'address'>,
    priority: Priority,
    signal: AbortSignal,
  ): Promise<void> {
    const step = isBits(request.table) ? 8 : 1;
    for (let count = 1; ; count += step) {
      const address = Math.min(request.address, 65_536 - count);
      const pending = this.codec.readTable(this.unit, request.table, address, count);
      if (this.unanswered.includes(replyLength(pending.request) ?? 0)) continue;
      try {
        await this.exchange(pending, priority, signal);
      } catch (error) {
        if (!isWeinaoError(error, 'device.refused')) throw error;
      }
      this.unanswered = [];
      return;
    }
  }

  /** The turn's time without that of its bytes and of the gap before it. */
  private thought(tookMs: number, bytes: number): void {
    const ms = Math.max(0, tookMs - (bytes + GAP) * characterMs(this.context.line.channel));
    const before = this.turnaround ?? ms;
    // A turn that began with draining the line is far off, and says little.
    const share = ms > OUTLIER * before + OUTLIER_MS ? NEW_SHARE / 10 : NEW_SHARE;
    this.turnaround = before + share * (ms - before);
  }

  private remember(request: Uint8Array): void {
    this.unanswered.push(replyLength(request) ?? 0);
    if (this.unanswered.length > MOST_UNANSWERED) this.unanswered.shift();
  }

  private nextTransaction(): number {
    this.transaction = (this.transaction + 1) & 0xffff;
    return this.transaction;
  }
}
