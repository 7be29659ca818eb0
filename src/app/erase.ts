/**
 * `POST /v1/erase`: takes a person, a device, a form or an asset out of everything the gateway keeps: journal and series, alarms, rule states in memory
 * and on the disk, the copies of the configuration that ran. What it cannot reach is named in the answer: the configuration itself, and files that
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

export type Erasing = Promise<EraseCounts>;

/** Out of memory first: what is written from then on holds it no more. That it was done is an event; whom it concerned is not told. */
export async function eraseFrom(pipeline: Pipeline, journal: JournalFace, ask: EraseAsk, clock: Clock): Erasing {
  const { what, by, reason } = ask;
  pipeline.forget((key, body) => mentions(key, body, what));
  await pipeline.settled();
  await journal.flush();
  const counts = await journal.erase(what);
  const without = (text: string): string => (what.person === undefined ? text : text.replaceAll(what.person, '…'));
  const data = { by: without(by), reason: without(reason), events: counts.events, samples: counts.samples };
  pipeline.event({ kind: 'audit.erased', at: clock.now(), data, classes: { by: 'personal', reason: 'personal' } });
  return counts;
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
