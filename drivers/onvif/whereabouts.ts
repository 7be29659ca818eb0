/**
 * Where a camera is, when DHCP moves it. While it is there its WS-Discovery endpoint is recorded, by asking its own address; when it is gone the network is
 * asked who has that endpoint, and rebind.ts decides whether the new address is taken or proposed. Kept over a restart are the endpoint and the address
 * taken, until the owner writes another one into the configuration.
 */
import type { Clock, Random, UdpDoor } from '../../src/base/ports.ts';
import type { Text } from '../../src/base/text.ts';
import type { Memory } from '../../src/kit/driver.ts';
import { GROUP, makeProbe, readMatches } from './discovery.ts';
import { type Rebinding, rebinding, type Seen } from './rebind.ts';

const ENDPOINT = 'endpoint';
const ADDRESS = 'address';
const RECORD_MS = 1000;
const SEEK_MS = 3000;
/** the network is not called together more often */
const SEEK_EVERY = 30_000;
const RECORD_EVERY = 86_400_000;

export interface WhereaboutsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly udp: UdpDoor;
  readonly memory: Memory;
  /** as the owner wrote it */
  readonly configured: string;
  readonly subnet: string | undefined;
  readonly isDigestOnly: boolean;
}

export class Whereabouts {
  /** where it is asked now */
  host: string;
  proposal: { readonly host: string; readonly why: Text } | undefined;
  /** another camera answers where this one was; nobody but the owner knows whether it stands for it now */
  isStranger = false;
  private readonly deps: WhereaboutsDeps;
  private uuid: string | undefined;
  private recordedAt = Number.NEGATIVE_INFINITY;
  private soughtAt = Number.NEGATIVE_INFINITY;

  constructor(deps: WhereaboutsDeps) {
    this.deps = deps;
    const { memory, configured } = deps;
    this.uuid = memory.get(ENDPOINT);
    const [from, to] = (memory.get(ADDRESS) ?? '').split(' ');
    this.host = from === configured && to !== undefined ? to : configured;
  }

  /** It is there: who is it? True when the recorded one was found elsewhere, and is to be asked there from now on. */
  async record(signal: AbortSignal): Promise<boolean> {
    const { clock, memory } = this.deps;
    if (clock.mono() - this.recordedAt < RECORD_EVERY) return false;
    this.recordedAt = clock.mono();
    const [seen] = await this.ask(this.host, RECORD_MS, signal);
    this.isStranger = seen?.uuid !== undefined && this.uuid !== undefined && seen.uuid !== this.uuid;
    if (this.isStranger) return this.seek(signal);
    if (seen?.uuid === undefined || seen.uuid === this.uuid) return false;
    this.uuid = seen.uuid;
    memory.set(ENDPOINT, seen.uuid);
    return false;
  }

  /** It is gone. True when it is to be asked somewhere else from now on. */
  async seek(signal: AbortSignal): Promise<boolean> {
    const { clock, memory, configured } = this.deps;
    if (this.uuid === undefined || clock.mono() - this.soughtAt < SEEK_EVERY) return false;
    this.soughtAt = clock.mono();
    const seen = await this.ask(GROUP.host, SEEK_MS, signal);
    // Multicast does not reach everybody; the owner's address is worth a question of its own.
    if (this.host !== configured) seen.push(...(await this.ask(configured, RECORD_MS, signal)));
    const decided = this.decide(seen);
    this.proposal = decided.kind === 'propose' ? { host: decided.host, why: decided.why } : undefined;
    if (decided.kind !== 'take') return false;
    this.isStranger = false;
    this.host = decided.host;
    memory.set(ADDRESS, this.host === configured ? null : `${configured} ${this.host}`);
    return true;
  }

  private decide(seen: readonly Seen[]): Rebinding {
    const { subnet, isDigestOnly, configured } = this.deps;
    const decided = rebinding({ host: this.host, uuid: this.uuid, subnet, isDigestOnly }, seen);
    // What the owner wrote needs no subnet.
    if (decided.kind === 'propose' && decided.host === configured) return { ...decided, kind: 'take' };
    return decided;
  }

  private async ask(host: string, forMs: number, signal: AbortSignal): Promise<Seen[]> {
    const { udp, random } = this.deps;
    const probe = makeProbe(random);
    const seen: Seen[] = [];
    const heard = (bytes: Uint8Array, from: { readonly host: string }): void => {
      seen.push(...readMatches(bytes, from.host, probe));
    };
    await udp.ask({ host, port: GROUP.port }, probe.bytes, { forMs, signal }, heard).catch(() => {});
    return seen;
  }
}
