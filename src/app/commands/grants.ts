/** Whether a feed's grants allow a command. Default deny: what no grant names is refused, and the nearest grant says why. */
import { createHash } from 'node:crypto';
import type { Command, CommandAsk, Refusal } from '../../base/command.ts';
import { type FeedCommands, type Grant, type SiteModel, VALUE_TYPE } from '../../base/model.ts';

export interface GrantWorld {
  readonly site: SiteModel;
  /** one of the named times is open */
  readonly isOpen: (names: readonly string[]) => boolean;
  /** the device an open alarm is about; undefined when there is none */
  readonly deviceOf: (aid: string) => string | undefined;
}

export type Judged = { readonly grant: Grant } | { readonly refusal: Refusal };

/** From the vaguest to what only just fails. */
const ORDER: readonly Refusal[] = ['not_granted', 'out_of_range', 'not_signed', 'wrong_time'];

export function judge(commands: FeedCommands | undefined, command: Command, world: GrantWorld): Judged {
  let nearest: Refusal = 'not_granted';
  for (const grant of commands?.grants ?? []) {
    const refusal = refusalOf(grant, command, world);
    if (refusal === undefined) return { grant };
    if (ORDER.indexOf(refusal) > ORDER.indexOf(nearest)) nearest = refusal;
  }
  return { refusal: nearest };
}

function refusalOf(grant: Grant, { ask, signer }: Command, world: GrantWorld): Refusal | undefined {
  if (!grant.allow.includes(ask.do) || !isAbout(grant, ask, world)) return 'not_granted';
  if (ask.do === 'write' && !fits(grant, ask, world.site)) return 'out_of_range';
  if (grant.signed && signer === undefined) return 'not_signed';
  if (grant.only !== undefined && !world.isOpen(grant.only)) return 'wrong_time';
  return undefined;
}

function isAbout({ devices, point, forms }: Grant, ask: CommandAsk, { site, deviceOf }: GrantWorld): boolean {
  const names = (device: string | undefined): boolean =>
    devices === undefined || (device !== undefined && devices.includes(device));
  switch (ask.do) {
    case 'write':
      return devices?.includes(ask.device) === true && point === ask.point;
    case 'snapshot':
      return names(ask.device) && site.devices.has(ask.device);
    case 'form':
      return forms?.includes(ask.form) === true;
    case 'maint':
      return names(ask.what);
    default:
      return names(deviceOf(ask.aid));
  }
}

function fits({ range, values }: Grant, ask: Extract<CommandAsk, { do: 'write' }>, site: SiteModel): boolean {
  const point = site.devices.get(ask.device)?.points.find((p) => p.id === ask.point);
  const { value } = ask;
  if (point === undefined || typeof value !== VALUE_TYPE[point.kind]) return false;
  if (values !== undefined && !values.includes(value)) return false;
  return range === undefined || (typeof value === 'number' && value >= range[0] && value <= range[1]);
}

/** A grant by what it says: the same over a reload and a restart. */
export const grantKey = (feed: string, grant: Grant): string =>
  createHash('sha256')
    .update(JSON.stringify([feed, grant]))
    .digest('base64url')
    .slice(0, 16);

/** A token bucket for each grant. One nobody asked of since the start is as full as what was taken before leaves it. */
export class Rates {
  private readonly left = new Map<string, { tokens: number; at: number }>();

  /**
   * Takes one; false when there is none.
   * @param taken how long ago each one was taken, oldest first, ms
   */
  spend(key: string, rate: Grant['rate'], mono: number, taken: () => readonly number[]): boolean {
    if (!this.left.has(key)) for (const age of taken()) this.take(key, rate, mono - age);
    return this.take(key, rate, mono);
  }

  private take(key: string, { count, perMs }: Grant['rate'], mono: number): boolean {
    const before = this.left.get(key) ?? { tokens: count, at: mono };
    const tokens = Math.min(count, before.tokens + ((mono - before.at) * count) / perMs);
    this.left.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, at: mono });
    return tokens >= 1;
  }
}
