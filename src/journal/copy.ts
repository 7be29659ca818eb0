/** The journal as one file that can be carried away: a consistent copy beside a running writer, and a look at whether a file is one of ours. */
import { WeinaoError } from '../base/errors/index.ts';
import { replaceDurably } from '../io/files.ts';
import { exists } from '../io/process.ts';
import { openSqliteReadOnly, type Sqlite } from '../io/sqlite.ts';
import { dropFile, sizeOfFile } from '../io/store-files.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** One read transaction, so that the copy is of one moment; the writer is not kept waiting. @returns bytes of the copy */
export async function copyJournal(from: string, to: string): Promise<number> {
  if (!exists(from)) throw new WeinaoError('journal.none', { path: from });
  if (exists(to)) throw new WeinaoError('journal.exists', { path: to });
  const beside = `${to}.weinao-part`;
  // What a copy left that was cut short.
  dropFile(beside);
  try {
    const db = openSqliteReadOnly(from);
    try {
      db.prepare('VACUUM INTO ?').run(beside);
    } finally {
      db.close();
    }
    checkJournal(beside);
    await replaceDurably(beside, to);
  } catch (error) {
    dropFile(beside);
    throw notWritten(error, to);
  }
  return sizeOfFile(to);
}

/** Why a file could not be written, for people. */
export function notWritten(error: unknown, path: string): unknown {
  if (error instanceof WeinaoError) return error;
  const code = String((error as { code?: unknown }).code);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return new WeinaoError('journal.no_room', { path }, error);
  const detail = error instanceof Error ? error.message : String(error);
  const isAboutFiles = code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_IOERR') || code.startsWith('E');
  return isAboutFiles ? new WeinaoError('journal.not_written', { path, detail }, error) : error;
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
