/**
 * Polls of one device by a plan that gets better: what the device refuses is cut in two, in the same poll, until the register it refuses or the length it
 * does not take is known. So one bad register costs its neighbours one detour and never again.
 *
 * - A read refused as a whole whose halves are answered: the registers between them may not be bridged, or, where they touch, the read was too long.
 * - A point refused by itself is asked for alone from then on, and only every ALONE_EVERY-th poll.
 * - A read that gets no or a damaged answer STRANGE times in a row is tried in shorter ones: some devices keep silent, or send less, when asked for
 *   too much. A single value that is never answered while others are, is left alone like a refused one.
 * - After a timeout the rest of the poll is not tried: the device is silent, and its silence costs the line one deadline, not ten.
 * - The plan is made anew when something was learned, and when the device's thinking time turned out to be far from what was assumed.
 */
import { isWeinaoError, WeinaoError } from '../../src/base/errors/index.ts';
import { PRIORITY, type Priority } from '../../src/base/line.ts';
import type { DriverContext } from '../../src/kit/driver.ts';
import { type Learned, limitsOf, longEnough, readLearned, tooLong, withAlone, withHole, written } from './learned.ts';
import { type Cost, type Limits, plan, type Request, requestOf, type Wanted } from './plan.ts';
import { costOf, USUAL_TURNAROUND, type Wire } from './wire.ts';

/** key in the device's memory */
export const LEARNED = 'learned';
const ALONE_EVERY = 20;
const STRANGE = 2;
/** Modbus Application Protocol V1.1b3, 7: 1 to 3 speak of the request, the others of the device's state */
const ILLEGAL_VALUE = 3;
/** plan anew when the thinking time is off by this factor and so many ms */
const FAR = 2;
const FAR_MS = 5;

/** Bytes that came for a request, or why its points have none. */
export interface Taken {
  readonly request: Request;
  readonly bytes?: Uint8Array;
  readonly error?: WeinaoError;
}

type Verdict = 'answered' | 'refused' | 'strange' | 'silent';

export class Reader {
  private readonly context: DriverContext;
  private readonly wire: Wire;
  private readonly wanted: ReadonlyMap<string, Wanted>;
  private readonly standard: Limits;
  private learned: Learned;
  private plans = new WeakMap<readonly string[], readonly Request[]>();
  private assumed: number;
  private polls = 0;
  /** why a point that is asked for alone was refused the last time */
  private readonly refusals = new Map<string, WeinaoError>();
  private readonly strange = new Map<string, number>();

  constructor(context: DriverContext, wire: Wire, wanted: ReadonlyMap<string, Wanted>, standard: Limits) {
    this.context = context;
    this.wire = wire;
    this.wanted = wanted;
    this.standard = standard;
    this.learned = readLearned(context.memory.get(LEARNED), context.device.config);
    this.assumed = this.learned.turnaround ?? USUAL_TURNAROUND;
  }

  async poll(ids: readonly string[], signal: AbortSignal): Promise<readonly Taken[]> {
    this.polls++;
    const taken: Taken[] = [];
    let silent: WeinaoError | undefined;
    for (const request of this.planOf(ids)) {
      const isAlive = taken.some((t) => t.bytes !== undefined);
      const known = silent ?? (isAlive ? this.resting(request) : undefined);
      if (known !== undefined) taken.push({ request, error: known });
      else silent = await this.take(request, signal, taken);
    }
    this.settle();
    return taken;
  }

  /** A point refused by itself is left in peace most of the time, as long as others show that the device is there. */
  private resting({ points }: Request): WeinaoError | undefined {
    const [only, ...others] = points;
    if (only === undefined || others.length > 0 || this.polls % ALONE_EVERY === 0) return undefined;
    return this.learned.alone.includes(only) ? this.refusals.get(only) : undefined;
  }

  /** Gives the error that ends the poll, when the device is silent. */
  private async take(request: Request, signal: AbortSignal, taken: Taken[]): Promise<WeinaoError | undefined> {
    const key = `${request.table} ${request.address} ${request.count}`;
    const [first = '', ...others] = request.points;
    const times = this.strange.get(key) ?? 0;
    if (times >= STRANGE && others.length > 0) {
      this.strange.set(key, -ALONE_EVERY);
      return this.shorten(request, signal, taken);
    }
    const { verdict, error } = await this.ask(request, signal, taken);
    if (verdict === 'answered') this.strange.delete(key);
    if (verdict === 'answered' || error === undefined) return undefined;
    if (verdict === 'refused' && others.length > 0) return (await this.halves(request, signal, taken)).silent;
    taken.push({ request, error });
    if (verdict === 'refused') {
      this.refuse(first, error);
      return undefined;
    }
    this.strange.set(key, times + 1);
    const isAlive = taken.some((t) => t.bytes !== undefined);
    if (others.length === 0 && times + 1 >= STRANGE && isAlive)
      this.leave(first, new WeinaoError('device.mute', { what: key }));
    return verdict === 'silent' ? error : undefined;
  }

  /**
   * A read that gets no answer again and again: shorter ones from its beginning, down to one value. What is answered shows that the device is there,
   * and the rest is read in reads as short. No answer at all means a dead device, and teaches nothing.
   */
  private async shorten(request: Request, signal: AbortSignal, taken: Taken[]): Promise<WeinaoError | undefined> {
    const points = this.sorted(request);
    let failed = request.count;
    for (let n = Math.ceil(points.length / 2); ; n = Math.ceil(n / 2)) {
      const part = requestOf(points.slice(0, n));
      const { verdict, error } = await this.ask(part, signal, taken);
      if (verdict === 'answered') {
        this.learn(tooLong(this.learned, request.table, failed, part.count));
        return this.remainder(points.slice(n), signal, taken);
      }
      failed = part.count;
      if (n > 1 && verdict !== 'refused') continue;
      if (error !== undefined) taken.push({ request, error });
      return verdict === 'silent' ? error : undefined;
    }
  }

  private async remainder(
    points: readonly Wanted[],
    signal: AbortSignal,
    taken: Taken[],
  ): Promise<WeinaoError | undefined> {
    let silent: WeinaoError | undefined;
    for (const request of plan(points, limitsOf(this.learned, this.standard), this.cost())) {
      const { verdict, error } =
        silent === undefined ? await this.ask(request, signal, taken) : { verdict: 'silent', error: silent };
      if (verdict !== 'answered' && error !== undefined) taken.push({ request, error });
      if (verdict === 'silent') silent = error;
    }
    return silent;
  }

  private async ask(
    request: Request,
    signal: AbortSignal,
    taken: Taken[],
  ): Promise<{ verdict: Verdict; error?: WeinaoError }> {
    try {
      const bytes = await this.wire.read(request, priorityOf(request, this.context), signal);
      taken.push({ request, bytes });
      this.learn(longEnough(this.learned, request.table, request.count));
      return { verdict: 'answered' };
    } catch (error) {
      if (!isWeinaoError(error)) throw error;
      if (error.code === 'device.refused') return { verdict: 'refused', error };
      return {
        verdict: error.code === 'link.bad_frame' || error.code === 'device.nonsense' ? 'strange' : 'silent',
        error,
      };
    }
  }

  /** Both halves of a read that was refused; what their answers say about the whole is learned. */
  private async halves(
    request: Request,
    signal: AbortSignal,
    taken: Taken[],
  ): Promise<{ isClean: boolean; silent?: WeinaoError | undefined }> {
    const points = this.sorted(request);
    const cut = cutOf(points);
    const [left, right] = [points.slice(0, cut), points.slice(cut)].map(requestOf) as [Request, Request];
    let isClean = true;
    for (const half of [left, right]) {
      const { verdict, error } = await this.ask(half, signal, taken);
      if (verdict === 'answered') continue;
      if (verdict === 'refused' && half.points.length > 1) {
        const inner = await this.halves(half, signal, taken);
        if (inner.silent !== undefined)
          return { isClean: false, silent: this.rest(half, left, right, inner.silent, taken) };
        isClean &&= inner.isClean;
        continue;
      }
      isClean = false;
      taken.push({ request: half, ...(error === undefined ? {} : { error }) });
      if (verdict === 'refused' && error !== undefined) this.refuse(half.points[0] ?? '', error);
      if (verdict === 'silent') return { isClean, silent: this.rest(half, left, right, error, taken) };
    }
    if (isClean) this.understand(left, right);
    return { isClean };
  }

  /** The device fell silent in the first half: the second is not tried. */
  private rest(
    half: Request,
    left: Request,
    right: Request,
    error: WeinaoError | undefined,
    taken: Taken[],
  ): WeinaoError | undefined {
    if (half === left && error !== undefined) taken.push({ request: right, error });
    return error;
  }

  private understand(left: Request, right: Request): void {
    const end = left.address + left.count;
    const { table } = left;
    if (right.address > end) this.learn(withHole(this.learned, { table, from: end, to: right.address - 1 }));
    else {
      const length = right.address + right.count - left.address;
      this.learn(tooLong(this.learned, table, length, Math.max(left.count, right.count)));
    }
  }

  private refuse(point: string, error: WeinaoError): void {
    // Busy, or broken for now: nothing that stays so.
    if (Number(error.params.exception) <= ILLEGAL_VALUE) this.leave(point, error);
  }

  /** The point is asked for by itself from now on, and seldom. */
  private leave(point: string, error: WeinaoError): void {
    const wanted = this.wanted.get(point);
    if (wanted === undefined) return;
    this.refusals.set(point, error);
    const { table, address, count } = wanted;
    this.learn(withHole(withAlone(this.learned, point), { table, from: address, to: address + count - 1 }));
  }

  private learn(learned: Learned): void {
    if (learned === this.learned) return;
    this.learned = learned;
    this.plans = new WeakMap();
    this.context.memory.set(LEARNED, written(learned, this.context.device.config));
    const { reach, holes, alone } = learned;
    this.context.log.info('modbus.learned', {
      device: this.context.device.id,
      detail: JSON.stringify({ reach, holes: holes.length, alone }),
    });
  }

  private settle(): void {
    const { turnaround } = this.wire;
    if (turnaround === undefined) return;
    const isFar = Math.max(turnaround, 1) > FAR * this.assumed || this.assumed > FAR * Math.max(turnaround, 1);
    if (!isFar || Math.abs(turnaround - this.assumed) < FAR_MS) return;
    this.assumed = Math.max(turnaround, 1);
    this.learn({ ...this.learned, turnaround: Math.round(this.assumed) });
  }

  private sorted(request: Request): Wanted[] {
    return request.points.flatMap((id) => this.wanted.get(id) ?? []).sort((a, b) => a.address - b.address);
  }

  private cost(): Cost {
    return costOf(this.context.line.channel, this.assumed);
  }

  private planOf(ids: readonly string[]): readonly Request[] {
    const known = this.plans.get(ids);
    if (known !== undefined) return known;
    const wanted = ids.flatMap((id) => {
      const point = this.wanted.get(id);
      return point === undefined ? [] : [{ ...point, alone: this.learned.alone.includes(id) }];
    });
    const made = plan(wanted, limitsOf(this.learned, this.standard), this.cost());
    this.plans.set(ids, made);
    return made;
  }
}

/** Where to cut: at the gap nearest to the middle, or in the middle where all touch. */
export function cutOf(points: readonly Wanted[]): number {
  const middle = points.length / 2;
  let cut = Math.ceil(middle);
  let nearest = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const [i, point] of points.entries()) {
    if (i > 0 && point.address > end && Math.abs(i - middle) < nearest) {
      nearest = Math.abs(i - middle);
      cut = i;
    }
    end = Math.max(end, point.address + point.count);
  }
  return cut;
}

function priorityOf(request: Request, context: DriverContext): Priority {
  let best: Priority = 'scan';
  for (const id of request.points) {
    const wanted = context.priority(id);
    if (PRIORITY[wanted] > PRIORITY[best]) best = wanted;
  }
  return best === 'scan' ? 'poll' : best;
}
