/**
 * `POST /v1/erase`: takes a person, a device, a form or an asset out of everything the gateway keeps: journal and series, alarms, rule states in memory
 * and on the disk, pictures a device took, the copies of the configuration that ran. A picture's hash stays in the events that told of it. What it cannot reach is named in the answer: the configuration itself, and files that
 * were set aside. That it was done, by whom and why, is an event; whom it concerned is not told.
 */
import { join } from 'node:path';
import { WeinaoError } from '../base/errors/index.ts';
import type { EraseCounts, EraseWhat } from '../base/feed.ts';
import type { SiteModel } from '../base/model.ts';
import type { Clock } from '../base/ports.ts';
import { dropOldCopy, filesHolding, namesIn } from '../io/files.ts';
import type { JournalFace } from '../journal/index.ts';
import { mentions } from '../journal/matching.ts';
import type { MediaStore } from './media.ts';
import type { Pipeline } from './pipeline.ts';

const MOST = 200;
/** a shorter name would be found inside words that mean nobody */
const SHORTEST_NAME = 2;

export interface EraseAsk {
  readonly what: EraseWhat;
  readonly by: string;
  readonly reason: string;
}

export interface Erased extends EraseCounts {
  readonly pictures: number;
  /** false: the card took nothing; it is done once more when it does */
  readonly durable: boolean;
  /** files that still hold it, or may */
  readonly left: readonly string[];
}

/** Throws cli.bad_operation. */
export function readErase(body: unknown, model: SiteModel): EraseAsk {
  const given = (body ?? {}) as Record<string, unknown>;
  const text = (field: string): string => {
    const value = given[field];
    if (typeof value === 'string' && value.trim() !== '' && value.length <= MOST) return value.trim();
    throw new WeinaoError('cli.bad_operation', { field });
  };
  const ids = (field: string): readonly string[] => {
    const value = given[field] ?? [];
    if (Array.isArray(value) && value.length <= MOST && value.every((v) => typeof v === 'string' && v !== ''))
      return value;
    throw new WeinaoError('cli.bad_operation', { field });
  };
  const ms = (field: string, otherwise: number): number => {
    const value = given[field] ?? otherwise;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new WeinaoError('cli.bad_operation', { field });
  };
  const assets = ids('assets');
  const members = assets.flatMap((id) => Object.values(model.assets.get(id)?.members ?? {}));
  const person = given.person === undefined ? undefined : text('person');
  const what: EraseWhat = {
    devices: [...new Set([...ids('devices'), ...assets, ...members])],
    points: ids('points'),
    forms: ids('forms'),
    ...(person === undefined ? {} : { person }),
    from: ms('from', 0),
    to: ms('to', Number.MAX_SAFE_INTEGER),
  };
  const isNothing = what.devices.length + what.points.length + what.forms.length === 0 && person === undefined;
  if (isNothing) throw new WeinaoError('cli.bad_operation', { field: 'what' });
  if (person !== undefined && [...person].length < SHORTEST_NAME)
    throw new WeinaoError('cli.bad_operation', { field: 'person' });
  return { what, by: text('by'), reason: text('reason') };
}

export type Erasing = Promise<Omit<Erased, 'left'>>;

/** What holds what is to go. */
export interface Holding {
  readonly journal: JournalFace;
  readonly media: MediaStore;
}

/** Out of memory first: what is written from then on holds it no more. That it was done is an event; whom it concerned is not told. */
export async function eraseFrom({ journal, media }: Holding, pipeline: Pipeline, ask: EraseAsk, clock: Clock): Erasing {
  const { by, reason } = ask;
  const gone = await erasePictures(media, ask.what);
  const what = { ...ask.what, pictures: gone };
  pipeline.forget((key, body) => mentions(key, body, what), gone);
  await pipeline.settled();
  await journal.flush();
  const counts = { ...(await journal.erase(what)), pictures: gone.length };
  const without = (text: string): string => (what.person === undefined ? text : text.replaceAll(what.person, '…'));
  const { events, samples, pictures } = counts;
  const data = { by: without(by), reason: without(reason), events, samples, pictures };
  const classes = { by: 'personal', reason: 'personal' } as const;
  const durable = await pipeline.keep([{ kind: 'audit.erased', at: clock.now(), data, classes }], []);
  return { ...counts, durable };
}

/** Pictures that a device took, and their hashes. Whom a picture shows nobody here knows: none goes by a person's name. */
async function erasePictures(media: MediaStore, { devices, from, to }: EraseWhat): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const device of devices) {
    const wanted = { device, from, until: to };
    gone.push(...(await media.find(wanted)).map(({ sha256 }) => sha256));
    await media.erase(wanted);
  }
  return gone;
}

/** Copies of older configurations go; what still holds the name is told. */
export async function eraseCopies(
  data: string,
  lastGood: string,
  config: string,
  { person }: EraseWhat,
): Promise<readonly string[]> {
  await dropOldCopy(join(data, lastGood));
  const aside = (await namesIn(data)).filter(
    (name) => name.startsWith('journal.db.damaged-') || name.startsWith('journal.db.before-'),
  );
  const held =
    person === undefined
      ? []
      : [...(await filesHolding(config, person)), ...(await filesHolding(join(data, lastGood), person))];
  return [...aside.map((name) => join(data, name)), ...held];
}
