/**
 * What the gateway writes into every feed so that others can hold it to its word:
 *
 * - `feed.anchor`, at local midnight or at the first start of a day: SHA-256 over the sorted heads of all streams, as their platforms have acknowledged
 *   them. Its content is fixed when it is written; each feed sees the hash and its own heads. Without a synchronised clock, or while nobody holds
 *   anything, there is none.
 * - `feed.key`: the key changed, signed by the old one (io/keys.ts). Event first, then the key: a change that a power cut interrupted is finished at
 *   the next start, with the event told once more.
 * - `config.changed`: hash before and after, which sections, how and by whom; nothing of what they say. Also when the files changed while it was off.
 */
import { createHash } from 'node:crypto';
import { createCalendar } from '../base/calendar.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { EventDraft } from '../base/event.ts';
import type { MemoryRow } from '../base/journal.ts';
import type { JsonObject } from '../base/json.ts';
import type { SiteModel } from '../base/model.ts';
import type { Clock, Log, Timer } from '../base/ports.ts';
import type { KeyChange, Keyring } from '../io/keys.ts';

const DEVICE = '@evidence';
/** a clock that is set, or a day that is no whole one, is noticed within the hour */
const LOOK_EVERY = 3_600_000;

export interface EvidenceDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly keyring: Keyring;
  readonly site: () => SiteModel;
  readonly heads: () => Promise<Readonly<Record<string, readonly string[]>>>;
  /** resolves with whether they are on the disk */
  readonly keep: (events: readonly EventDraft[], memory: readonly MemoryRow[]) => Promise<boolean>;
  /** manifests show another key */
  readonly onKey: () => void;
}

/** Who changed the configuration, and how. */
export interface Hand {
  readonly how: 'start' | 'reload' | 'signal';
  readonly by?: string;
}

interface Configured {
  readonly hash: string;
  /** hash of each section */
  readonly sections: Readonly<Record<string, string>>;
}

export class Evidence {
  private readonly deps: EvidenceDeps;
  private anchored: string | undefined;
  private known: Configured | undefined;
  private timer: Timer | undefined;
  private changing: Promise<unknown> = Promise.resolve();
  private stopped = false;

  constructor(deps: EvidenceDeps, memory: readonly MemoryRow[]) {
    this.deps = deps;
    const mine = new Map(memory.filter((row) => row.device === DEVICE).map((row) => [row.key, row.body]));
    this.anchored = mine.get('anchor') ?? undefined;
    const known = mine.get('config');
    this.known = known === undefined || known === null ? undefined : (JSON.parse(known) as Configured);
  }

  async start(): Promise<void> {
    const { begun } = this.deps.keyring;
    if (begun !== undefined) await this.complete(begun).catch((error: unknown) => this.failed('key', error));
    this.configured({ how: 'start' });
    await this.look();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** Changes the key. Throws uplink.key_not_kept. */
  rotate(): Promise<KeyChange> {
    const run = this.changing.then(async () => {
      const change = this.deps.keyring.begun ?? (await this.deps.keyring.begin());
      await this.complete(change);
      return change;
    });
    this.changing = run.catch(() => {});
    return run;
  }

  /** The site as it is now runs. */
  configured({ how, by }: Hand): void {
    const { clock, keep, site } = this.deps;
    const before = this.known;
    const now = configuredAs(site());
    if (before?.hash === now.hash) return;
    this.known = now;
    const row = { device: DEVICE, key: 'config', body: JSON.stringify(now) };
    const names = [...new Set([...Object.keys(before?.sections ?? {}), ...Object.keys(now.sections)])];
    const changed = names.filter((name) => before?.sections[name] !== now.sections[name]);
    const data: JsonObject = {
      hash: now.hash,
      how,
      ...(by === undefined ? {} : { by }),
      ...(before === undefined ? {} : { old: before.hash, sections: changed.join(' ') }),
    };
    // What a gateway begins with is no change.
    const isChange = before !== undefined || how !== 'start';
    void keep(isChange ? [{ kind: 'config.changed', at: clock.now(), data }] : [], [row]);
  }

  private async complete(change: KeyChange): Promise<void> {
    const { clock, keep, keyring, log, onKey } = this.deps;
    if (!(await keep([{ kind: 'feed.key', at: clock.now(), data: { ...change } }], []))) {
      await keyring.abandon();
      throw new WeinaoError('uplink.key_not_kept');
    }
    await keyring.finish();
    log.info('key.changed', { old: change.old, kid: change.kid });
    onKey();
  }

  /** Writes the day's anchor when there is none, and looks again when the next day begins. */
  private async look(): Promise<void> {
    const { clock, site } = this.deps;
    const { wall, synced } = clock.now();
    const calendar = createCalendar(site().site.timezone);
    const { year, month, day } = calendar.dayOf(wall);
    const name = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
    if (synced && name !== this.anchored)
      await this.anchor(name).catch((error: unknown) => this.failed('anchor', error));
    if (this.stopped) return;
    const midnight = calendar.at({ year, month, day: day + 1 }, 0);
    const wait = Math.max(1, Math.min(LOOK_EVERY, midnight - wall));
    this.timer = clock.timer('anchor', wait, () => void this.look());
  }

  private async anchor(day: string): Promise<void> {
    const { clock, heads, keep } = this.deps;
    const all = await heads();
    const lines = Object.values(all).flat().sort();
    if (lines.length === 0 || this.stopped) return;
    const hash = createHash('sha256').update(lines.join('\n')).digest('hex');
    const row = { device: DEVICE, key: 'anchor', body: day };
    await keep([{ kind: 'feed.anchor', at: clock.now(), data: { day, hash, heads: all } }], [row]);
    this.anchored = day;
  }

  private failed(what: string, error: unknown): void {
    this.deps.log.error('evidence.failed', { what, detail: String(error) });
  }
}

function configuredAs(site: SiteModel): Configured {
  const { hash, ...sections } = site;
  const plain = (_: string, value: unknown): unknown => (value instanceof Map ? [...value] : value);
  const marks = Object.entries(sections).map(([name, value]) => {
    const text = JSON.stringify(value, plain) ?? '';
    return [name, createHash('sha256').update(text).digest('hex').slice(0, 16)] as const;
  });
  return { hash, sections: Object.fromEntries(marks) };
}
