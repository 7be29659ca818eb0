/** What `weinao watch` sees: readings, device changes and alarms as they happen, as plain lines. Costs nothing while nobody watches. */
import { renderAlarmText } from '../base/alarm-text.ts';
import type { SiteModel } from '../base/model.ts';
import type { Reading } from '../base/reading.ts';
import { isoTime } from '../base/time.ts';
import type { BoardLine } from './board.ts';

export type WatchLine =
  | {
      readonly kind: 'reading';
      readonly device: string;
      readonly point: string;
      readonly name?: string;
      readonly value: boolean | number | string | null;
      readonly unit?: string;
      readonly quality: string;
      readonly why?: string;
      readonly at: string;
    }
  | {
      readonly kind: 'device';
      readonly device: string;
      readonly name?: string;
      readonly online: boolean;
      readonly at: string;
    }
  | ({
      readonly kind: 'alarm';
      readonly text: string /** a rule on trial: nobody is told and nothing is done */;
      readonly shadow?: true;
    } & BoardLine);

export interface WatchFilter {
  readonly readings: boolean;
  readonly alarms: boolean;
  readonly device?: string;
}

export interface WatchHub {
  readings(readings: readonly Reading[]): void;
  device(change: { device: string; online: boolean; wall: number }): void;
  alarm(line: BoardLine): void;
  shadow(line: BoardLine): void;
  model(model: SiteModel): void;
  listen(filter: WatchFilter, push: (line: WatchLine) => void, signal: AbortSignal): void;
}

interface Watcher {
  readonly filter: WatchFilter;
  readonly push: (line: WatchLine) => void;
}

export function createWatchHub(): WatchHub {
  const watchers = new Set<Watcher>();
  let site: SiteModel | undefined;
  const nameOf = (device: string): { name?: string } => {
    const name = site?.devices.get(device)?.name;
    return name === undefined ? {} : { name };
  };
  const wants = (w: Watcher, device: string): boolean =>
    w.filter.readings && (w.filter.device === undefined || w.filter.device === device);
  return {
    model: (model) => {
      site = model;
    },
    readings: (readings) => {
      if (watchers.size === 0) return;
      for (const reading of readings) {
        const line = readingLine(reading, site);
        for (const w of watchers) if (wants(w, reading.device)) w.push(line);
      }
    },
    device: ({ device, online, wall }) => {
      const line = { kind: 'device', device, ...nameOf(device), online, at: isoTime(wall) } as const;
      for (const w of watchers) if (wants(w, device)) w.push(line);
    },
    alarm: (line) => {
      if (watchers.size === 0) return;
      const shown = { kind: 'alarm', text: renderAlarmText(line.alarm), ...line } as const;
      for (const w of watchers) if (w.filter.alarms) w.push(shown);
    },
    shadow: (line) => {
      const shown = { kind: 'alarm', text: renderAlarmText(line.alarm), shadow: true, ...line } as const;
      for (const w of watchers) if (w.filter.alarms) w.push(shown);
    },
    listen: (filter, push, signal) => {
      const watcher = { filter, push };
      watchers.add(watcher);
      signal.addEventListener('abort', () => watchers.delete(watcher), { once: true });
    },
  };
}

function readingLine(reading: Reading, site: SiteModel | undefined): WatchLine {
  const device = site?.devices.get(reading.device);
  const point = device?.points.find((p) => p.id === reading.point);
  const name = [device?.name, point?.name].filter((n) => n !== undefined).join(' ');
  return {
    kind: 'reading',
    device: reading.device,
    point: reading.point,
    ...(name === '' ? {} : { name }),
    value: reading.value,
    ...(point?.unit === undefined ? {} : { unit: point.unit }),
    quality: reading.quality,
    ...(reading.why === undefined ? {} : { why: reading.why }),
    at: isoTime(reading.ts),
  };
}
