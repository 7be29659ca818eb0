/**
 * Commands from platforms: from receipt to exactly one result (feed contract, section 8).
 *
 *   received -> refused (denied, expired, duplicate)
 *            -> accepted -> [confirming] -> done | failed | denied | expired
 *
 * - The intent is a row on the disk before anything is done. A command of a known id is never done again: its sender gets the result there is.
 * - What was under way when the process ended is never repeated: it is read back and ends `failed`, reason `ambiguous`. What waited for a yes goes on
 *   waiting while it has time.
 * - Expiry is judged at receipt, at the yes, and again before the wire (perform.ts), on the wall clock and on the monotonic one. Without a
 *   synchronised clock nothing moves and nothing is silenced, but an acknowledgement is taken.
 * - Grants are judged again just before it is done: a reload may have taken them away.
 * - Bounds: MOST_PENDING under way for each feed; ids for DAYS, the newest MOST_KEPT of all feeds (an older one has long expired).
 * - Rates hold over a restart and a reload: what was taken stands in the rows.
 * - Refusals are audited by refusals.ts and otherwise leave nothing behind.
 * Not promised: a command whose intent was not yet on the disk at a power cut has no result; its sender sees it expire.
 */
import type { Arrival, Command, CommandAsk, Refusal } from '../../base/command.ts';
import { WeinaoError } from '../../base/errors/index.ts';
import type { EventDraft } from '../../base/event.ts';
import { isUlid } from '../../base/ids.ts';
import type { MemoryRow } from '../../base/journal.ts';
import type { JsonObject } from '../../base/json.ts';
import type { FeedModel, Grant } from '../../base/model.ts';
import type { Clock, Log, Timer } from '../../base/ports.ts';
import type { Value } from '../../base/reading.ts';
import type { Instant } from '../../base/time.ts';
import { grantKey, type Judged, Rates } from './grants.ts';
import { Refusals } from './refusals.ts';
import { forgetRow, keyOf, memoryRow, type Row, readRows, resultOf, type Told } from './row.ts';

const DAYS = 7 * 86_400_000;
const MOST_KEPT = 10_000;
const MOST_PENDING = 32;
const RECENT = 50;
const SHORT = 6;

export interface Ended {
  readonly outcome: 'done' | 'failed' | 'denied' | 'expired';
  readonly reason?: string;
  readonly value?: Value;
}

export interface DeskDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly feed: (id: string) => FeedModel | undefined;
  readonly judge: (feed: FeedModel | undefined, command: Command) => Judged;
  /** events and rows together; resolves with whether they are on the disk */
  readonly keep: (events: readonly EventDraft[], memory: readonly MemoryRow[]) => Promise<boolean>;
  /** @param until monotonic ms from which it is not begun any more; never rejects */
  readonly carryOut: (feed: string, command: Command, until: number) => Promise<Ended>;
  /** what the device says now; undefined when it says nothing */
  readonly readBack: (device: string, point: string, signal: AbortSignal) => Promise<Value | undefined>;
  /** somebody's yes is asked for */
  readonly ask: (person: string, row: Row) => void;
}

interface Pending {
  /** monotonic ms; infinite without a synchronised clock */
  readonly until: number;
  readonly reply: (result: JsonObject) => void;
  readonly timer?: Timer;
}

export class CommandDesk {
  private readonly deps: DeskDeps;
  private readonly rows = new Map<string, Row>();
  private readonly pending = new Map<string, Pending>();
  private readonly rates = new Rates();
  private readonly refusals: Refusals;
  private readonly stopping = new AbortController();

  constructor(deps: DeskDeps) {
    this.deps = deps;
    this.refusals = new Refusals(deps.clock, (draft) => void deps.keep([draft], []));
  }

  /** What the process before knew; before anything can arrive. */
  restore(memory: readonly MemoryRow[]): void {
    for (const row of readRows(memory)) this.rows.set(keyOf(row.feed, row.command), row);
  }

  /** Ends, or goes on with, what the process before left; when devices can be read. */
  async takeUp(): Promise<void> {
    const left = [...this.rows.values()].filter((row) => row.stage !== 'over');
    await Promise.all(left.map((row) => this.takeUpOne(row)));
  }

  arrive(arrival: Arrival): void {
    if (this.stopping.signal.aborted) return;
    const { feed, reply } = arrival;
    if ('refusal' in arrival) {
      const { refusal, id, source, detail } = arrival;
      return this.refuse(feed, refusal, reply, present({ id, source, detail }));
    }
    const { command } = arrival;
    const known = this.rows.get(keyOf(feed, command));
    if (known !== undefined) return this.again(known, command, reply);
    if (this.isElsewhere(feed, command)) return this.refuse(feed, 'not_for_us', reply, namesOf(command));
    const judged = this.judge(feed, command);
    if ('refusal' in judged) return this.refuse(feed, judged.refusal, reply, namesOf(command));
    void this.take(feed, command, judged.grant, reply);
  }

  /** Somebody says yes or no. Throws commands.nothing_waits. */
  async confirm(id: string, by: string, isYes: boolean): Promise<JsonObject> {
    const waiting = [...this.pending.keys()].filter((key) => this.rows.get(key)?.stage === 'waits');
    const idOf = (key: string): string => this.rows.get(key)?.command.id ?? '';
    const exact = waiting.filter((key) => idOf(key) === id);
    // Nobody's id hides another one by ending with it.
    const called = exact.length > 0 || id.length < SHORT ? exact : waiting.filter((key) => idOf(key).endsWith(id));
    const [key] = called;
    const row = this.rows.get(key ?? '');
    if (key === undefined || row === undefined || called.length > 1)
      throw new WeinaoError('commands.nothing_waits', { id: id.slice(0, 64) });
    const answered = { ...row, confirmedBy: by };
    if (!isYes) return this.finish(key, answered, { outcome: 'denied', reason: 'not_confirmed' });
    // On the disk before the wire: after a cut nobody would know that it went.
    const going: Row = { ...answered, stage: 'goes' };
    this.rows.set(key, going);
    const isKept = await this.deps.keep([], [memoryRow(going)]);
    return this.run(key, going, isKept);
  }

  /** what is under way, and what ended lately, newest first */
  list(): { readonly pending: readonly JsonObject[]; readonly recent: readonly JsonObject[] } {
    const rows = [...this.rows.values()].reverse();
    const shown = (row: Row): JsonObject => ({
      ...(row.result ?? resultOf(row, row.stage === 'waits' ? 'confirming' : 'accepted')),
      at: new Date(row.at).toISOString(),
      expires: new Date(row.command.expires).toISOString(),
      ...(row.confirm === undefined ? {} : { confirm: row.confirm }),
    });
    return {
      pending: rows.filter((row) => row.stage !== 'over').map(shown),
      recent: rows
        .filter((row) => row.stage === 'over')
        .slice(0, RECENT)
        .map(shown),
    };
  }

  /** What is under way is left to the next start. */
  stop(): void {
    this.stopping.abort();
    this.refusals.stop();
    for (const { timer } of this.pending.values()) timer?.cancel();
    this.pending.clear();
  }

  /** A signed command is good once: whoever heard it on one feed cannot have it done again by another. */
  private isElsewhere(feed: string, { id, source, digest, signer }: Command): boolean {
    if (signer === undefined) return false;
    return [...this.rows.values()].some(
      ({ feed: other, command }) =>
        other !== feed && command.id === id && command.source === source && command.digest === digest,
    );
  }

  private judge(feed: string, command: Command): Judged {
    const { clock } = this.deps;
    const model = this.deps.feed(feed);
    const judged = this.deps.judge(model, command);
    if ('refusal' in judged) return judged;
    const refusal = this.untimely(command, model?.commands?.maxTtlMs ?? 0, clock.now());
    if (refusal !== undefined) return { refusal };
    const mine = [...this.pending.keys()].filter((key) => this.rows.get(key)?.feed === feed);
    if (mine.length >= MOST_PENDING) return { refusal: 'busy' };
    const grant = grantKey(feed, judged.grant);
    const { wall, mono } = clock.now();
    const taken = (): number[] =>
      [...this.rows.values()]
        .flatMap((row) => (row.grant === grant ? [Math.max(0, wall - row.at)] : []))
        .sort((a, b) => b - a);
    return this.rates.spend(grant, judged.grant.rate, mono, taken) ? judged : { refusal: 'too_often' };
  }

  private untimely({ ask, expires }: Command, ttl: number, { wall, synced }: Instant): Refusal | undefined {
    if (!synced) return needsClock(ask) ? 'no_clock' : undefined;
    if (expires <= wall) return 'expired';
    return expires - wall > ttl ? 'too_far_ahead' : undefined;
  }

  private async take(feed: string, command: Command, grant: Grant, reply: (result: JsonObject) => void): Promise<void> {
    const { clock } = this.deps;
    const { confirm } = grant;
    const now = clock.now();
    const until = now.synced ? now.mono + command.expires - now.wall : Number.POSITIVE_INFINITY;
    const stage = confirm === undefined ? 'goes' : 'waits';
    const row: Row = {
      feed,
      command,
      at: Math.round(now.wall),
      ...(now.synced ? {} : { unsynced: true }),
      stage,
      grant: grantKey(feed, grant),
      ...(confirm === undefined ? {} : { confirm }),
    };
    const key = keyOf(feed, command);
    this.rows.set(key, row);
    this.wait(key, row, until, reply);
    const told = [resultOf(row, 'accepted'), ...(confirm === undefined ? [] : [resultOf(row, 'confirming')])];
    const isKept = await this.deps.keep(
      told.map((data) => this.draft(data)),
      [memoryRow(row), ...this.tooOld(now)],
    );
    if (this.rows.get(key) === row) for (const data of told) reply(data);
    if (confirm === undefined) await this.run(key, row, isKept);
    else if (this.rows.get(key) === row) this.deps.ask(confirm, row);
  }

  /** Nobody carries out what ran out of time. */
  private wait(key: string, row: Row, until: number, reply: (result: JsonObject) => void): void {
    const { clock } = this.deps;
    const isTimed = row.stage === 'waits' && Number.isFinite(until);
    const timer = clock.timer('command expires', isTimed ? until - clock.mono() : 0, () => {
      const waiting = this.rows.get(key);
      if (waiting?.stage === 'waits') void this.finish(key, waiting, { outcome: 'expired' });
    });
    if (!isTimed) timer.cancel();
    this.pending.set(key, { until, reply, timer });
  }

  private async run(key: string, row: Row, isKept: boolean): Promise<JsonObject> {
    const { clock } = this.deps;
    const { command, feed } = row;
    const until = this.pending.get(key)?.until ?? 0;
    const { wall, mono, synced } = clock.now();
    if (this.stopping.signal.aborted) return resultOf(row, 'accepted');
    if (mono >= until || (synced && wall >= command.expires)) return this.finish(key, row, { outcome: 'expired' });
    // Whoever restarts without this row would do it a second time.
    if (!isKept && command.ask.do !== 'ack') return this.finish(key, row, { outcome: 'failed', reason: 'not_kept' });
    const judged = this.deps.judge(this.deps.feed(feed), command);
    if ('refusal' in judged) return this.finish(key, row, { outcome: 'denied', reason: judged.refusal });
    const ended = await this.deps.carryOut(feed, command, until);
    // Stopped in the middle: the next start tells what is known then.
    if (this.stopping.signal.aborted) return resultOf(row, 'accepted');
    return this.finish(key, row, ended, clock.mono() - mono);
  }

  private async finish(key: string, row: Row, ended: Ended, ms?: number): Promise<JsonObject> {
    const { outcome, reason, value } = ended;
    const told: Told = {
      ...(reason === undefined ? {} : { reason }),
      ...(value === undefined ? {} : { readBack: value }),
      ...(ms === undefined ? {} : { ms }),
    };
    const result = resultOf(row, outcome, told);
    const over: Row = { ...row, stage: 'over', result };
    const pending = this.pending.get(key);
    this.rows.set(key, over);
    this.pending.delete(key);
    pending?.timer?.cancel();
    if (outcome !== 'done') this.deps.log.warn('command.not_done', { feed: row.feed, do: row.command.ask.do, outcome });
    await this.deps.keep([this.draft(result)], [memoryRow(over)]);
    pending?.reply(result);
    return result;
  }

  /** The same command once more: its result as it is, or where it stands. */
  private again(known: Row, command: Command, reply: (result: JsonObject) => void): void {
    if (known.command.digest !== command.digest) return this.refuse(known.feed, 'id_reused', reply, namesOf(command));
    const stands = known.result ?? resultOf(known, known.stage === 'waits' ? 'confirming' : 'accepted');
    reply({ ...stands, duplicate: true });
    const names = { ...namesOf(command), was: String(stands.outcome) };
    this.refusals.add(known.feed, { outcome: 'duplicate', reason: 'duplicate', ...names });
  }

  private refuse(
    feed: string,
    refusal: Refusal,
    reply: (result: JsonObject) => void,
    names: Readonly<Record<string, string>>,
  ): void {
    const data = { outcome: refusal === 'expired' ? 'expired' : 'denied', reason: refusal, ...names };
    reply({ feed, ...data });
    this.refusals.add(feed, data);
  }

  private async takeUpOne(row: Row): Promise<void> {
    const key = keyOf(row.feed, row.command);
    const { wall, mono, synced } = this.deps.clock.now();
    const { ask, expires } = row.command;
    if (row.stage === 'waits' && synced && wall < expires) {
      this.wait(key, row, mono + expires - wall, () => {});
      return this.deps.ask(row.confirm ?? '', row);
    }
    if (row.stage === 'waits') return void (await this.finish(key, row, { outcome: 'expired' }));
    const value =
      ask.do === 'write' ? await this.deps.readBack(ask.device, ask.point, this.stopping.signal) : undefined;
    if (this.stopping.signal.aborted) return;
    await this.finish(key, row, {
      outcome: 'failed',
      reason: 'ambiguous',
      ...(value === undefined ? {} : { value }),
    });
  }

  /** Rows that have been kept long enough, or are too many. */
  private tooOld({ wall, synced }: Instant): MemoryRow[] {
    const gone: MemoryRow[] = [];
    for (const [key, row] of this.rows) {
      if (row.stage !== 'over') continue;
      if (synced && row.unsynced === true) {
        const { unsynced: _, ...timed } = row;
        this.rows.set(key, { ...timed, at: Math.round(wall) });
        if (this.rows.size <= MOST_KEPT) break;
      }
      if ((!synced || wall - row.at <= DAYS) && this.rows.size <= MOST_KEPT) break;
      this.rows.delete(key);
      gone.push(forgetRow(key));
    }
    return gone;
  }

  private draft(data: JsonObject): EventDraft {
    const { device, aid } = data;
    return {
      kind: 'command.result',
      at: this.deps.clock.now(),
      data,
      ...(typeof device === 'string' ? { subject: device } : {}),
      ...(typeof aid === 'string' && isUlid(aid) ? { correlation: aid } : {}),
    };
  }
}

/** What moves something or silences somebody needs to know that it is not an old wish. */
const needsClock = (ask: CommandAsk): boolean => ask.do !== 'ack' && ask.do !== 'unshelve' && ask.do !== 'form';
const namesOf = ({ id, source, ask }: Command): Record<string, string> => ({ id, source, do: ask.do });
const present = (names: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(names).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
