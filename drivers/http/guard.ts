/**
 * Who is asking: bearer tokens, compared in constant time against all there are, and a limit on guesses for each address. Tokens are read from their
 * secrets again every KEPT_MS, so that a changed one needs no restart; only their digests are kept.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Bucket } from '../../src/base/bucket.ts';
import type { DeviceModel } from '../../src/base/model.ts';
import type { IntakeContext } from '../../src/kit/intake.ts';
import type { HttpDevice } from './schema.ts';

const KEPT_MS = 30_000;
const MOST_TOKEN = 512;
/** wrong tokens of one address: ten, then one more every six seconds */
const GUESSES = { rate: 1 / 6, burst: 10 } as const;
const MOST_ADDRESSES = 1000;
const BEARER = 'bearer ';

export class Guard {
  private readonly context: Pick<IntakeContext, 'devices' | 'clock' | 'secret'>;
  private readonly guesses = new Map<string, { readonly bucket: Bucket; isBlocked: boolean }>();
  private digests: readonly (readonly [DeviceModel, Uint8Array])[] = [];
  private of: readonly DeviceModel[] | undefined;
  private until = 0;

  constructor(context: Pick<IntakeContext, 'devices' | 'clock' | 'secret'>) {
    this.context = context;
  }

  /** Too many wrong tokens came from there. */
  isBlocked(from: string): boolean {
    const known = this.guesses.get(from);
    if (known?.isBlocked === true) known.isBlocked = !known.bucket.take(this.context.clock.mono());
    return known?.isBlocked === true;
  }

  /** Devices whose token it is; none = a wrong guess, counted against the address. */
  async devices(authorization: string | undefined, from: string): Promise<readonly DeviceModel[]> {
    await this.refresh();
    const token = tokenIn(authorization);
    const digest = digestOf(token ?? '');
    // Every one is compared, so that the time says nothing of where the right one stands.
    const found = this.digests.flatMap(([device, known]) => (timingSafeEqual(known, digest) ? [device] : []));
    if (token !== undefined && found.length > 0) return found;
    this.failed(from);
    return [];
  }

  private failed(from: string): void {
    const now = this.context.clock.mono();
    const known = this.guesses.get(from) ?? { bucket: new Bucket(GUESSES.rate, GUESSES.burst, now), isBlocked: false };
    this.guesses.delete(from);
    this.guesses.set(from, known);
    known.isBlocked = !known.bucket.take(now);
    for (const oldest of this.guesses.keys()) {
      if (this.guesses.size <= MOST_ADDRESSES) break;
      this.guesses.delete(oldest);
    }
  }

  private async refresh(): Promise<void> {
    const { devices, clock, secret } = this.context;
    if (devices === this.of && clock.mono() < this.until) return;
    const digests: (readonly [DeviceModel, Uint8Array])[] = [];
    for (const device of devices) {
      const token = await secret((device.config as HttpDevice).token);
      if (token !== undefined) digests.push([device, digestOf(token)]);
    }
    this.digests = digests;
    this.of = devices;
    this.until = clock.mono() + KEPT_MS;
  }
}

function tokenIn(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > MOST_TOKEN) return undefined;
  if (authorization.slice(0, BEARER.length).toLowerCase() !== BEARER) return undefined;
  const token = authorization.slice(BEARER.length).trim();
  return token === '' ? undefined : token;
}

const digestOf = (token: string): Uint8Array => createHash('sha256').update(token).digest();
