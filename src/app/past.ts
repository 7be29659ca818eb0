/** Alarms of the past, out of the journal's file. */
import { join } from 'node:path';
import { renderTemplate } from '../base/alarm-text.ts';
import type { JsonObject } from '../base/json.ts';
import { isoTime } from '../base/time.ts';
import { peekData } from '../config/index.ts';
import { openHistory, type PastEvent } from '../journal/history.ts';
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
  const history = openHistory(join(await peekData(configFolder, env), 'journal.db'));
  try {
    return history.alarms(last, (event) => rule === undefined || event.data.rule === rule).map(alarmOf);
  } finally {
    history.close();
  }
}

/** @param from, to: UTC ms */
export async function alarmReport(configFolder: string, env: Env, from: number, to: number): Promise<AlarmReport> {
  const history = openHistory(join(await peekData(configFolder, env), 'journal.db'));
  try {
    return reportOf(history, from, to);
  } finally {
    history.close();
  }
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
