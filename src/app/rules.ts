/** Rules off line: their tests, and history replayed through them. */

import { join } from 'node:path';
import { driverFaces } from '../../drivers/index.ts';
import type { SiteModel } from '../base/model.ts';
import type { LocatedProblem } from '../base/problem.ts';
import type { Reading } from '../base/reading.ts';
import { isoTime } from '../base/time.ts';
import { readSecret, systemFiles } from '../io/files.ts';
import { exists } from '../io/process.ts';
import { type PastSample, withHistory } from '../journal/history.ts';
import { journalFile } from '../journal/path.ts';
import { BUILT_IN, compileRules, patient, runTests, SmallGateway, type TestResult } from '../rules/index.ts';
import type { Env } from './check.ts';
import { shippedConfig, shippedProfiles } from './shipped.ts';

export interface Tested {
  readonly problems: readonly LocatedProblem[];
  readonly results: readonly (TestResult & { readonly line: number })[];
}

/** The tests of a configuration, or of a rule pack (a folder with rules.yaml and the estate it was written for, example.yaml). */
export async function testRules(folder: string, env: Env): Promise<Tested> {
  const { loadConfig, locate } = await import('../config/index.ts');
  const files = systemFiles();
  const isPack = exists(join(folder, 'example.yaml')) && !exists(join(folder, 'weinao.yaml'));
  const loaded = await loadConfig(folder, {
    files: isPack ? packFiles(folder, files) : files,
    drivers: await driverFaces(),
    // What tests need no secret for, they need not be able to read.
    readSecret: async (ref) => (isPack ? { value: 'none' } : readSecret(ref, { folder, env })),
    shipped: shippedConfig(),
    profiles: shippedProfiles,
  });
  if (loaded.model === undefined) return { problems: loaded.problems, results: [] };
  const { results, problems } = runTests(loaded.model);
  const all = [...loaded.problems, ...problems.map((p) => locate(loaded.sources, p))];
  const lineOf = (r: TestResult): number =>
    locate(loaded.sources, {
      code: 'rules.missing',
      params: {},
      file: r.file,
      doc: r.doc,
      path: ['tests'],
      severity: 'error',
    }).line;
  return { problems: all, results: results.map((r) => ({ ...r, line: lineOf(r) })) };
}

/** A pack's folder, seen as a configuration folder. */
function packFiles(folder: string, files: ReturnType<typeof systemFiles>): ReturnType<typeof systemFiles> {
  return {
    list: (path) => (path === join(folder, 'rules') ? Promise.resolve(['rules.yaml']) : files.list(path)),
    read: (path, most) => {
      if (path === join(folder, 'weinao.yaml')) return files.read(join(folder, 'example.yaml'), most);
      if (path === join(folder, 'rules', 'rules.yaml')) return files.read(join(folder, 'rules.yaml'), most);
      return files.read(path, most);
    },
  };
}

export interface Raise {
  readonly key: string;
  readonly at: string;
  readonly level: string;
  readonly name: string;
}

export interface Replayed {
  readonly from: string;
  readonly to: string;
  readonly samples: number;
  /** raised by these rules and live, only by these rules, only live */
  readonly both: readonly Raise[];
  readonly only_now: readonly Raise[];
  readonly only_then: readonly Raise[];
}

/** how far apart the two may be: stored values are those that were news */
const TOLERANCE = 2000;
/** telemetry tells of changes and, at the latest, of heartbeats */
const HEARTBEATS = 2;

/** Stored history through the rules as they stand, held against what was raised then. */
export function replayRules(model: SiteModel, from: number, to: number, rule: string | undefined): Replayed {
  const { machine } = compileRules(patient(model, (point) => HEARTBEATS * point.heartbeatMs));
  const span = { from: isoTime(from), to: isoTime(to) };
  if (machine === undefined) return { ...span, samples: 0, both: [], only_now: [], only_then: [] };
  const at = (wall: number) => ({ wall, mono: wall - from, synced: true });
  const gateway = new SmallGateway(machine, at(from));
  const then: Raise[] = [];
  let samples = 0;
  withHistory(journalFile(model.gateway.data), (history) => {
    for (const row of history.rows(from, to)) {
      gateway.tick(row.recorded - from, (mono) => at(from + mono));
      if (row.kind === 'samples') {
        samples += row.samples.length;
        for (const sample of row.samples)
          gateway.input({ kind: 'readings', readings: [readingOf(sample, at(row.recorded))] }, at(row.recorded));
      } else if (row.event.kind === 'alarm.raised') {
        const { key, level, name, rule: of } = row.event.data as Record<string, string>;
        if (isMine(of ?? '', rule))
          then.push({ key: key ?? '', at: isoTime(row.event.at.wall), level: level ?? '', name: name ?? '' });
      }
    }
  });
  gateway.tick(to - from, (mono) => at(from + mono));
  const now = gateway.happened
    .filter((h) => h.transition === 'raised' && isMine(h.alarm.rule, rule))
    .map(
      (h): Raise => ({ key: h.alarm.key, at: isoTime(Math.round(h.wall)), level: h.alarm.level, name: h.alarm.name }),
    );
  return { ...span, samples, ...compared(now, then) };
}

const isMine = (of: string, rule: string | undefined): boolean =>
  !of.startsWith('sys.') && !BUILT_IN.includes(of) && (rule === undefined || of === rule);

function compared(now: readonly Raise[], then: readonly Raise[]): Pick<Replayed, 'both' | 'only_now' | 'only_then'> {
  const left = [...then];
  const both: Raise[] = [];
  const onlyNow: Raise[] = [];
  for (const raise of now) {
    const i = left.findIndex(
      (r) => r.key === raise.key && Math.abs(Date.parse(r.at) - Date.parse(raise.at)) <= TOLERANCE,
    );
    if (i < 0) onlyNow.push(raise);
    else both.push(...left.splice(i, 1));
  }
  return { both, only_now: onlyNow, only_then: left };
}

function readingOf({ d, p, t, v, q }: PastSample, at: Reading['at']): Reading {
  const bad = q === 'bad' || v === undefined;
  return {
    device: d,
    point: p,
    value: bad ? null : v,
    quality: bad ? 'bad' : (q ?? 'good'),
    ...(bad ? { why: 'stale' as const } : {}),
    ts: Date.parse(t),
    at,
  };
}
