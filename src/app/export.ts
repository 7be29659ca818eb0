/**
 * Stored readings and events as CSV or NDJSON, for spreadsheets and other programs. What is personal stays out unless it is asked for, and so does
 * what the configuration no longer knows. Rows come in the order they were stored, page by page: a year takes no more memory than a day.
 */
import { WeinaoError } from '../base/errors/index.ts';
import type { EventDraft } from '../base/event.ts';
import { isoTime } from '../base/time.ts';
import { breathe } from '../io/terminal.ts';
import { type PastSample, throughHistory } from '../journal/history.ts';
import { journalFile } from '../journal/path.ts';
import type { CheckedSite } from './check.ts';
import { allPoints } from './made.ts';

export interface ExportAsk {
  readonly what: 'readings' | 'events';
  readonly format: 'csv' | 'ndjson';
  /** UTC ms */
  readonly from: number;
  readonly to: number;
  readonly device?: string;
  readonly isPersonalToo: boolean;
}

export interface Exported {
  readonly rows: number;
  /** rows left out because they are, or may be, personal */
  readonly withheld: number;
  /** somebody ended it before */
  readonly isCut: boolean;
}

/** rows between two looks at whether it shall go on */
const AT_ONCE = 200;
const MOST_NAMED = 20;

const READING = ['time', 'device', 'point', 'value', 'unit', 'quality', 'why'] as const;
const EVENT = ['time', 'kind', 'level', 'subject', 'key', 'name', 'data'] as const;

/** Events whose data may hold what people wrote, or whom it is about. */
const ABOUT_PEOPLE = ['report.created', 'command.result', 'audit.disclosed'];

/** By what the journal keeps beside it: the site may have been another one when it happened. */
const isPersonal = ({ kind, data, classes = {} }: EventDraft): boolean =>
  ABOUT_PEOPLE.includes(kind) || data.by !== undefined || Object.values(classes).some((of) => of !== 'none');

/** Throws journal.none, and cli.unknown_device for one that neither the site nor the rows know. */
export async function exportRows(
  site: CheckedSite,
  ask: ExportAsk,
  out: (line: string) => void,
  stop: AbortSignal,
): Promise<Exported> {
  const points = new Map(allPoints(site.model, site.machine.made));
  const people = new Set([...points].flatMap(([id, p]) => (p.class === 'none' ? [] : [id.slice(0, id.indexOf('.'))])));
  const columns = ask.what === 'readings' ? READING : EVENT;
  const put = (row: Readonly<Record<string, unknown>>): void =>
    out(ask.format === 'csv' ? csvLine(columns.map((c) => row[c])) : `${JSON.stringify(row)}\n`);
  let rows = 0;
  let withheld = 0;
  const told = (of: string | undefined, withholds: boolean, row: () => Readonly<Record<string, unknown>>): void => {
    if (ask.device !== undefined && of !== ask.device) return;
    if (withholds && !ask.isPersonalToo) withheld++;
    else {
      rows++;
      put(row());
    }
  };
  await throughHistory(journalFile(site.model.gateway.data), async (history) => {
    if (ask.format === 'csv') out(csvLine(columns));
    let looked = 0;
    for (const past of history.rows(ask.from, ask.to)) {
      if (++looked % AT_ONCE === 0) await breathe();
      if (stop.aborted) return;
      if (past.kind === 'samples' && ask.what === 'readings')
        for (const sample of past.samples) {
          const point = points.get(`${sample.d}.${sample.p}`);
          told(sample.d, point?.class !== 'none' || people.has(sample.d), () => readingRow(sample, point?.unit));
        }
      if (past.kind === 'event' && ask.what === 'events') {
        const { subject } = past.event;
        const withholds = isPersonal(past.event) || people.has(subject ?? '');
        told(subject, withholds, () => eventRow(past.event, ask.format));
      }
    }
  });
  const { devices, assets } = site.model;
  const { device } = ask;
  if (rows + withheld === 0 && device !== undefined && !devices.has(device) && !assets.has(device))
    throw new WeinaoError('cli.unknown_device', { device, known: [...devices.keys()].slice(0, MOST_NAMED).join(' ') });
  return { rows, withheld, isCut: stop.aborted };
}

function readingRow({ d, p, t, v, q, why }: PastSample, unit: string | undefined): Record<string, unknown> {
  return { time: t, device: d, point: p, value: v, unit, quality: q ?? 'good', why };
}

function eventRow(
  { kind, subject, level, data, at }: EventDraft,
  format: ExportAsk['format'],
): Record<string, unknown> {
  const told = { time: isoTime(at.wall), kind, level, subject, key: data.key, name: data.name };
  return { ...told, data: format === 'csv' ? JSON.stringify(data) : data };
}

/** RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = '=+-@\t\r'.includes(value[0] ?? ' ') ? `'${value}` : value;
  return [...safe].some((c) => c === '"' || c === ',' || c === '\n' || c === '\r')
    ? `"${safe.replaceAll('"', '""')}"`
    : safe;
}
