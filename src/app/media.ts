/**
 * Pictures taken by rules and people: kept on the box, for a while, within a budget. They are personal: nobody else may read the files, and none leaves.
 *
 * - A file is `media/<first two of the hash>/<sha256>.<device>.<UTC ms>.jpg`: found by its hash by reading one folder, and by device and time from the
 *   names alone, which is what an erasure needs. There is no second list that could differ.
 * - A picture is on the disk before its hash is told to anybody. A cut leaves it whole or not at all.
 * - The oldest go when they are older than `keep`, when all of them are over the budget, or when the disk is nearly full (RESERVE); what still finds no
 *   room is refused, and the journal's own reserve is never touched. While the clock is not synchronised nothing is thrown away for its age.
 *   What was taken meanwhile says so in its name (`<UTC ms>u`) and counts as taken when the clock became right.
 * - One thing at a time; all of it beside the field side, which never waits for it.
 */
import { createHash } from 'node:crypto';
import { WeinaoError } from '../base/errors/index.ts';
import { isJpeg, type Kept, MOST_PICTURE } from '../base/media.ts';
import type { MediaLimits } from '../base/model.ts';
import type { Clock, Log, MediaFiles, Timer } from '../base/ports.ts';

const SWEEP_EVERY = 3_600_000;
/** of the disk, that pictures leave free */
const RESERVE_SHARE = 0.05;
const RESERVE_LEAST = 64 * 1024 * 1024;
/** what a card's folder and our memory bear */
const MOST_FILES = 20_000;

export interface MediaDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly files: MediaFiles;
  readonly limits: () => MediaLimits;
}

export interface Wanted {
  readonly device?: string;
  readonly sha256?: string;
  /** UTC ms, `until` not included */
  readonly from?: number;
  readonly until?: number;
}

export interface MediaStore {
  start(): void;
  /** Throws media.*; the picture is on the disk when it resolves. */
  keep(device: string, bytes: Uint8Array): Promise<Kept>;
  find(wanted: Wanted): Promise<readonly Kept[]>;
  /** @returns how many went */
  erase(wanted: Wanted): Promise<number>;
  /** for `weinao status`; as of the last look */
  use(): { readonly pictures: number; readonly bytes: number };
  stop(): Promise<void>;
}

export function createMedia(deps: MediaDeps): MediaStore {
  return new LiveMedia(deps);
}

class LiveMedia implements MediaStore {
  private readonly deps: MediaDeps;
  /** oldest first; undefined until the folder was read */
  private held: Kept[] | undefined;
  private total = 0;
  private tail: Promise<unknown> = Promise.resolve();
  private timer: Timer | undefined;
  private stopped = false;

  constructor(deps: MediaDeps) {
    this.deps = deps;
  }

  start(): void {
    const sweep = (): void => {
      void this.alone((held) => this.sweep(held)).catch((error: unknown) =>
        this.deps.log.warn('media.not_swept', { detail: String(error) }),
      );
      if (!this.stopped) this.timer = this.deps.clock.timer('media', SWEEP_EVERY, sweep);
    };
    sweep();
  }

  keep(device: string, bytes: Uint8Array): Promise<Kept> {
    return this.alone(async (held) => {
      if (bytes.length > MOST_PICTURE) throw new WeinaoError('media.too_big', { device, limit: MOST_PICTURE });
      if (!isJpeg(bytes)) throw new WeinaoError('media.no_picture', { device });
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const { wall, synced } = this.deps.clock.now();
      const unsynced = synced ? {} : ({ unsynced: true } as const);
      const kept: Kept = { device, at: Math.round(wall), ...unsynced, sha256, bytes: bytes.length };
      await this.makeRoom(held, kept.bytes);
      await this.deps.files.write(pathOf(kept), bytes).catch((error: unknown) => {
        throw new WeinaoError('media.no_room', { detail: codeOf(error) }, error);
      });
      held.push(kept);
      this.total += kept.bytes;
      return kept;
    });
  }

  find(wanted: Wanted): Promise<readonly Kept[]> {
    return this.alone((held) => Promise.resolve(held.filter((one) => isWanted(one, wanted))));
  }

  erase(wanted: Wanted): Promise<number> {
    return this.alone(async (held) => {
      await this.date(held);
      const gone = held.filter((one) => isWanted(one, wanted));
      for (const one of gone) await this.drop(held, one);
      return gone.length;
    });
  }

  use(): { pictures: number; bytes: number } {
    return { pictures: this.held?.length ?? 0, bytes: this.total };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    await this.tail;
  }

  private alone<T>(work: (held: Kept[]) => Promise<T>): Promise<T> {
    const done = this.tail.then(async () => work(await this.read()));
    this.tail = done.catch(() => {});
    return done;
  }

  private async read(): Promise<Kept[]> {
    if (this.held !== undefined) return this.held;
    const files = await this.deps.files.list();
    this.held = files.flatMap(({ path, bytes }) => keptOf(path, bytes) ?? []).sort((a, b) => a.at - b.at);
    this.total = this.held.reduce((sum, one) => sum + one.bytes, 0);
    return this.held;
  }

  /** Pictures of which nobody knew when they were taken are of now, when now is known. */
  private async date(held: Kept[]): Promise<void> {
    const { wall, synced } = this.deps.clock.now();
    if (!synced) return;
    for (const one of held.filter(({ unsynced }) => unsynced === true)) {
      const { unsynced: _, ...rest } = one;
      const dated: Kept = { ...rest, at: Math.round(wall) };
      await this.deps.files.write(pathOf(dated), await this.deps.files.read(pathOf(one)));
      await this.deps.files.remove(pathOf(one));
      held.splice(held.indexOf(one), 1);
      held.push(dated);
    }
  }

  private async sweep(held: Kept[]): Promise<void> {
    await this.date(held);
    const { wall, synced } = this.deps.clock.now();
    const { keepMs } = this.deps.limits();
    const old = synced ? held.filter((one) => one.at < wall - keepMs) : [];
    for (const one of old) await this.drop(held, one);
    await this.makeRoom(held, 0).catch(() => {});
  }

  private async makeRoom(held: Kept[], bytes: number): Promise<void> {
    const { maxBytes } = this.deps.limits();
    while (held[0] !== undefined && (this.total + bytes > maxBytes || held.length >= MOST_FILES))
      await this.drop(held, held[0]);
    const { free, total } = await this.deps.files.room();
    let missing = Math.max(RESERVE_LEAST, total * RESERVE_SHARE) + bytes - free;
    for (let oldest = held[0]; missing > 0 && oldest !== undefined; oldest = held[0]) {
      missing -= oldest.bytes;
      await this.drop(held, oldest);
    }
    if (missing > 0 || this.total + bytes > maxBytes) throw new WeinaoError('media.no_room', { detail: 'ENOSPC' });
  }

  private async drop(held: Kept[], one: Kept): Promise<void> {
    await this.deps.files.remove(pathOf(one));
    const at = held.indexOf(one);
    if (at >= 0) held.splice(at, 1);
    this.total -= one.bytes;
  }
}

const isWanted = (one: Kept, { device, sha256, from, until }: Wanted): boolean =>
  (device === undefined || one.device === device) &&
  (sha256 === undefined || one.sha256 === sha256) &&
  (from === undefined || one.at >= from) &&
  (until === undefined || one.at < until);

const pathOf = ({ sha256, device, at, unsynced }: Kept): string =>
  `${sha256.slice(0, 2)}/${sha256}.${device}.${at}${unsynced === true ? 'u' : ''}.jpg`;

/** undefined for a file that is none of ours */
function keptOf(path: string, bytes: number): Kept | undefined {
  const [sha256 = '', device = '', time = '', kind] = path.slice(path.indexOf('/') + 1).split('.');
  const isUnsynced = time.endsWith('u');
  const at = Number(isUnsynced ? time.slice(0, -1) : time);
  if (sha256.length !== 64 || device === '' || kind !== 'jpg' || !Number.isSafeInteger(at)) return undefined;
  return { device, at, ...(isUnsynced ? { unsynced: true } : {}), sha256, bytes };
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);
