/**
 * `keep_days`: what a device, point, type or form may be kept for, and no longer (the journal's expiry.ts says how it goes). Once a local day, at its
 * beginning or at the start, and when the configuration changed: everything stored before the midnight that many days ago is erased, so that it is
 * there for `keep_days` and at most a day more.
 *
 * - A point's own `keep_days` stands before its type's, a device's before its type's; of a device's and its point's the shorter counts. A point's covers
 *   its samples and those events of its device that hold something personal; a device's also its other events and the pictures it took.
 * - What went is one event for each class and day, with counts and nothing of whom it told. A run that a cut interrupted goes on at the next start, and
 *   has its events then (`resumed`), also when nothing was left to take; they count what went after the cut.
 * - Without a synchronised clock nothing goes: a clock that is wrong once would take everything.
 */
import { createCalendar } from '../base/calendar.ts';
import type { EventDraft } from '../base/event.ts';
import type { EraseWhat, KeepClass, KeptCounts } from '../base/feed.ts';
import type { MemoryRow } from '../base/journal.ts';
import type { SiteModel } from '../base/model.ts';
import type { Clock, Log, Timer } from '../base/ports.ts';
import type { JournalFace } from '../journal/index.ts';
import { formsOf } from '../rules/index.ts';
import type { MediaStore } from './media.ts';

const LOOK_EVERY = 3_600_000;
/** stands where a device's id stands in the journal's memory: a run has begun and its events are not stored */
const DEVICE = '@keep_days';
const RUNNING = 'running';

export interface KeepDaysDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly site: () => SiteModel;
  readonly expire: (classes: readonly KeepClass[], signal: AbortSignal) => Promise<readonly KeptCounts[]>;
  readonly media: Pick<MediaStore, 'erase'>;
  readonly keep: (events: readonly EventDraft[], memory: readonly MemoryRow[]) => Promise<boolean>;
  /** the last life ended in the middle of a run */
  readonly isInterrupted: boolean;
}

export function createKeepDays(
  { clock, log }: Pick<KeepDaysDeps, 'clock' | 'log'>,
  house: { readonly journal: JournalFace; readonly media: MediaStore; model(): SiteModel },
  memory: readonly MemoryRow[],
  keep: KeepDaysDeps['keep'],
): KeepDays {
  const { journal, media } = house;
  const expire: KeepDaysDeps['expire'] = (classes, signal) => journal.expire(classes, signal);
  const isInterrupted = memory.some(({ device }) => device === DEVICE);
  return new KeepDays({ clock, log, media, expire, keep, isInterrupted, site: () => house.model() });
}

export class KeepDays {
  private readonly deps: KeepDaysDeps;
  private seen = '';
  private isInterrupted: boolean;
  private timer: Timer | undefined;
  private running: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();

  constructor(deps: KeepDaysDeps) {
    this.deps = deps;
    this.isInterrupted = deps.isInterrupted;
  }

  start(): void {
    this.look();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.timer?.cancel();
    await this.running;
  }

  /** Now, when there is a new day or other classes; and again when the next day begins. */
  look(): void {
    if (this.stopping.signal.aborted) return;
    this.timer?.cancel();
    const { clock, log } = this.deps;
    this.running = this.running
      .then(() => this.daily())
      .catch((error: unknown) => {
        if (!this.stopping.signal.aborted) log.error('keep_days.failed', { detail: String(error) });
      });
    this.timer = clock.timer('keep days', Math.max(1, Math.min(LOOK_EVERY, this.untilMidnight())), () => this.look());
  }

  private untilMidnight(): number {
    const { wall } = this.deps.clock.now();
    return this.midnight(wall, 1) - wall;
  }

  /** the beginning of the local day so many days from now, UTC ms */
  private midnight(wall: number, days: number): number {
    const calendar = createCalendar(this.deps.site().site.timezone);
    const { year, month, day } = calendar.dayOf(wall);
    return calendar.at({ year, month, day: day + days }, 0);
  }

  private async daily(): Promise<void> {
    const { clock, expire, keep, site } = this.deps;
    const { wall, synced } = clock.now();
    const kinds = keptKinds(site());
    if (this.stopping.signal.aborted || !synced || kinds.size === 0) return;
    const classes = [...kinds].map(([days, what]) => ({ days, what, before: this.midnight(wall, -days) }));
    const mark = JSON.stringify(classes);
    if (mark === this.seen) return;
    await keep([], [{ device: DEVICE, key: RUNNING, body: '1' }]);
    const gone = await expire(classes, this.stopping.signal);
    const told: EventDraft[] = [];
    for (const { days, what, before } of classes) {
      let pictures = 0;
      for (const device of what.devices) pictures += await this.deps.media.erase({ device, until: before });
      told.push(...this.drafts(days, pictures, gone));
    }
    await keep(told, [{ device: DEVICE, key: RUNNING, body: null }]);
    this.isInterrupted = false;
    this.seen = mark;
  }

  private drafts(days: number, pictures: number, gone: readonly KeptCounts[]): readonly EventDraft[] {
    const { events = 0, samples = 0, alarms = 0 } = gone.find((counts) => counts.days === days) ?? {};
    if (events + samples + alarms + pictures === 0 && !this.isInterrupted) return [];
    const resumed = this.isInterrupted ? { resumed: true } : {};
    const data = { by: 'keep_days', reason: `${days}d`, events, samples, pictures, ...resumed };
    const classes = { by: 'none', reason: 'none' } as const;
    return [{ kind: 'audit.erased', at: this.deps.clock.now(), data, classes }];
  }
}

/** What is kept for so many days, by days. */
export function keptKinds(site: SiteModel): ReadonlyMap<number, EraseWhat> {
  const kinds = new Map<number, { devices: string[]; points: string[]; forms: string[] }>();
  const add = (days: number | undefined, list: 'devices' | 'points' | 'forms', id: string): void => {
    if (days === undefined) return;
    const kind = kinds.get(days) ?? { devices: [], points: [], forms: [] };
    kind[list].push(id);
    kinds.set(days, kind);
  };
  for (const { id, keepDays, points } of site.devices.values()) {
    add(keepDays, 'devices', id);
    for (const point of points) add(point.keepDays, 'points', `${id}.${point.id}`);
  }
  for (const { id, keepDays } of site.assets.values()) add(keepDays, 'devices', id);
  for (const { id, keepDays } of formsOf(site)) add(keepDays, 'forms', id);
  return new Map([...kinds].map(([days, kind]) => [days, { ...kind, from: 0, to: Number.MAX_SAFE_INTEGER }]));
}
