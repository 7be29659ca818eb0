/** Secrets a configuration names: whether they can be read, and nothing of what they say. */
import type { SecretRef } from '../base/model.ts';
import type { Report } from './report.ts';

/** A secret's outcome; `why` never holds any of it. */
export interface SecretOutcome {
  readonly value?: string | undefined;
  readonly why?: string;
  readonly place?: string;
}
export type ReadSecret = (ref: SecretRef) => Promise<SecretOutcome>;
const WHY: Readonly<Record<string, readonly [string, string]>> = {
  missing: ['不存在', 'it does not exist'],
  'open to others': ['其他用户可读', 'other users may read it'],
  'too big': ['文件过大', 'it is too big'],
  empty: ['内容为空', 'it is empty'],
  unreadable: ['没有读取权限', 'no permission to read it'],
};

export async function checkSecret(
  path: readonly string[],
  ref: SecretRef | undefined,
  report: Report,
  readSecret: ReadSecret,
): Promise<void> {
  if (ref === undefined) return;
  const outcome = await readSecret(ref);
  if (outcome.value !== undefined) return;
  const [zh, en] = WHY[outcome.why ?? ''] ?? ['无法读取', 'it cannot be read'];
  report.add('config.no_secret', path, {
    name: ref.file ?? ref.env ?? '',
    zh,
    en,
    place: outcome.place ?? '',
  });
}

export function definedOnly<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}
