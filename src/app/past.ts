/** Alarms of the past, out of the journal's file. */
import { renderTemplate } from '../base/alarm-text.ts';
import type { JsonObject } from '../base/json.ts';
import { isoTime } from '../base/time.ts';
import { peekData } from '../config/index.ts';
import { type PastEvent, withHistory } from '../journal/history.ts';
import { journalFile } from '../journal/path.ts';
import type { Env } from './check.ts';
import { type AlarmReport, reportOf } from './kpi.ts';

export interface PastAlarm {
  readonly at: string;
  readonly transition: string;
  readonly aid: string;
  readonly key: string;
  readonly level: string;
  readonly name: string;
  readonly text: string;
}

/** Newest first. */
export async function pastAlarms(
  configFolder: string,
  env: Env,
  last: number,
  rule: string | undefined,
): Promise<readonly PastAlarm[]> {
  return withHistory(await journalOf(configFolder, env), (history) =>
    history.alarms(last, (event) => rule === undefined || event.data.rule === rule).map(alarmOf),
  );
}

/** @param from, to: UTC ms */
export async function alarmReport(configFolder: string, env: Env, from: number, to: number): Promise<AlarmReport> {
  return withHistory(await journalOf(configFolder, env), (history) => reportOf(history, from, to));
}

/** The journal of the gateway of this configuration, whether or not the rest of it is right. */
export async function journalOf(configFolder: string, env: Env): Promise<string> {
  return journalFile(await peekData(configFolder, env));
}

function alarmOf({ event }: PastEvent): PastAlarm {
  const { aid, key, level, name, text, values } = event.data;
  return {
    at: isoTime(event.at.wall),
    transition: event.kind.slice('alarm.'.length),
    aid: String(aid),
    key: String(key),
    level: String(level),
    name: String(name),
    text: renderTemplate(String(text), (values ?? {}) as JsonObject),
  };
}
