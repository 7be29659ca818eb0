/**
 * Stored readings and events as CSV or NDJSON, for spreadsheets and other programs. What is personal stays out unless it is asked for, and so does
 * what the configuration no longer knows. Rows come in the order they were stored, page by page: a year takes no more memory than a day.
 */
import { join } from 'node:path';
import type { PointModel } from '../base/model.ts';
import { isoTime } from '../base/time.ts';
import { openHistory, type PastSample } from '../journal/history.ts';
import type { CheckedSite } from './check.ts';

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
}

const READING = ['time', 'device', 'point', 'value', 'unit', 'quality', 'why'] as const;
const EVENT = ['time', 'kind', 'level', 'subject', 'key', 'name', 'data'] as const;

/** Events whose data may hold what people wrote, or who did what. */
const ABOUT_PEOPLE = ['report.created', 'alarm.acked', 'alarm.shelved', 'alarm.closed'];

export function exportRows(site: CheckedSite, ask: ExportAsk, out: (line: string) => void): Exported {
  const history = openHistory(join(site.model.gateway.data, 'journal.db'));
  const points = pointsOf(site);
  const columns = ask.what === 'readings' ? READING : EVENT;
  const put = (row: Readonly<Record<string, unknown>>): void =>
    out(ask.format === 'csv' ? csvLine(columns.map((c) => row[c])) : `${JSON.stringify(row)}\n`);
  let rows = 0;
  let withheld = 0;
  try {
    if (ask.format === 'csv') out(csvLine(columns));
    for (const past of history.rows(ask.from, ask.to)) {
      if (past.kind === 'samples' && ask.what === 'readings')
        for (const sample of past.samples) {
          if (ask.device !== undefined && sample.d !== ask.device) continue;
          const point = points.get(`${sample.d}.${sample.p}`);
          if (!ask.isPersonalToo && point?.class !== 'none') withheld++;
          else {
            rows++;
            put(readingRow(sample, point?.unit));
          }
        }
      if (past.kind !== 'event' || ask.what !== 'events') continue;
      const { kind, subject, level, data, at } = past.event;
      if (ask.device !== undefined && subject !== ask.device) continue;
      if (!ask.isPersonalToo && (ABOUT_PEOPLE.includes(kind) || touchesPersonal(subject, points))) withheld++;
      else {
        rows++;
        const told = { time: isoTime(at.wall), kind, level, subject, key: data.key, name: data.name };
        put(ask.format === 'csv' ? { ...told, data: JSON.stringify(data) } : { ...told, data });
      }
    }
  } finally {
    history.close();
  }
  return { rows, withheld };
}

interface KnownPoint {
  readonly class: string;
  readonly unit: string | undefined;
}

function pointsOf({ model, machine }: CheckedSite): Map<string, KnownPoint> {
  const all: (readonly [string, readonly PointModel[]])[] = [
    ...[...model.devices.values()].map((d) => [d.id, d.points] as const),
    ...machine.made,
  ];
  const points = new Map<string, KnownPoint>();
  for (const [device, list] of all)
    for (const point of list) points.set(`${device}.${point.id}`, { class: point.class, unit: point.unit });
  return points;
}

function touchesPersonal(subject: string | undefined, points: ReadonlyMap<string, KnownPoint>): boolean {
  if (subject === undefined) return false;
  for (const [key, point] of points) if (key.startsWith(`${subject}.`) && point.class !== 'none') return true;
  return false;
}

function readingRow({ d, p, t, v, q, why }: PastSample, unit: string | undefined): Record<string, unknown> {
  return { time: t, device: d, point: p, value: v, unit, quality: q ?? 'good', why };
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
