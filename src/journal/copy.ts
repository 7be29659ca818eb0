/** The journal as one file that can be carried away: a consistent copy beside a running writer, and a look at whether a file is one of ours. */
import { WeinaoError } from '../base/errors/index.ts';
import { replaceDurably } from '../io/files.ts';
import { exists, sizeOf } from '../io/process.ts';
import { openSqliteReadOnly, type Sqlite } from '../io/sqlite.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** One read transaction, so that the copy is of one moment; the writer is not kept waiting. @returns bytes of the copy */
export async function copyJournal(from: string, to: string): Promise<number> {
  if (!exists(from)) throw new WeinaoError('journal.none', { path: from });
  const beside = `${to}.new`;
  if (exists(to) || exists(beside)) throw new WeinaoError('journal.exists', { path: exists(to) ? to : beside });
  const db = openSqliteReadOnly(from);
  try {
    db.prepare('VACUUM INTO ?').run(beside);
  } finally {
    db.close();
  }
  checkJournal(beside);
  await replaceDurably(beside, to);
  return sizeOf(to);
}

/** Throws journal.none, journal.not_ours and journal.newer. */
export function checkJournal(path: string): void {
  if (!exists(path)) throw new WeinaoError('journal.none', { path });
  let db: Sqlite | undefined;
  try {
    db = openSqliteReadOnly(path);
    const version = Number(db.pragma('user_version', { simple: true }));
    const isSound = db.pragma('quick_check', { simple: true }) === 'ok';
    if (version > SCHEMA_VERSION) throw new WeinaoError('journal.newer', { path, have: version, want: SCHEMA_VERSION });
    if (!isSound || version === 0) throw new WeinaoError('journal.not_ours', { path });
    db.prepare('SELECT value FROM meta WHERE key = ?').get('epoch');
  } catch (error) {
    if (error instanceof WeinaoError) throw error;
    throw new WeinaoError('journal.not_ours', { path }, error);
  } finally {
    db?.close();
  }
}
