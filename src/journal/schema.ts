/** Tables, and how an older file becomes a newer one: each step only adds. `user_version` is the number of steps done. */
import { WeinaoError } from '../base/errors/index.ts';
import type { Sqlite } from '../io/sqlite.ts';

const STEPS: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE rows (position INTEGER PRIMARY KEY, id TEXT NOT NULL, stream TEXT NOT NULL, kind TEXT NOT NULL,
                      recorded INTEGER NOT NULL, boot TEXT NOT NULL, body TEXT NOT NULL);
   CREATE TABLE segments (n INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, groups INTEGER NOT NULL,
                          samples INTEGER NOT NULL, bytes INTEGER NOT NULL, oldest INTEGER NOT NULL, newest INTEGER NOT NULL);
   CREATE TABLE alarms (key TEXT PRIMARY KEY, aid TEXT NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE states (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE memory (device TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (device, key)) WITHOUT ROWID;
   CREATE TABLE feeds (feed TEXT PRIMARY KEY, contract TEXT NOT NULL, a TEXT NOT NULL, t TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE feed_memory (feed TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (feed, key)) WITHOUT ROWID;`,
  `CREATE TABLE marks (feed TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL, hash TEXT NOT NULL,
                       PRIMARY KEY (feed, stream, seq)) WITHOUT ROWID;`,
  `CREATE TABLE views (feed TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;`,
];

export const SCHEMA_VERSION = STEPS.length;

export function migrate(db: Sqlite, path: string): void {
  const have = Number(db.pragma('user_version', { simple: true }));
  if (have > SCHEMA_VERSION) throw new WeinaoError('journal.newer', { path, have, want: SCHEMA_VERSION });
  if (have === SCHEMA_VERSION) return;
  db.transaction(() => {
    for (const step of STEPS.slice(have)) db.exec(step);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  })();
}

/** Telemetry lies in tables that are dropped whole: deleting single rows of a full card would write more than it frees. */
export const createSegment = (n: number): string =>
  `CREATE TABLE tel_${n} (position INTEGER PRIMARY KEY, id TEXT NOT NULL, recorded INTEGER NOT NULL, oldest INTEGER NOT NULL, newest INTEGER NOT NULL,
   count INTEGER NOT NULL, boot TEXT NOT NULL, mono REAL NOT NULL, synced INTEGER NOT NULL, body BLOB NOT NULL)`;

export type Synchronous = 'FULL' | 'NORMAL' | 'OFF';

/** Opens under WAL and FULL, and makes sure of both: in WAL mode the library quietly falls back to NORMAL. */
export function configure(db: Sqlite, synchronous: Synchronous): void {
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${synchronous}`);
  db.pragma('wal_autocheckpoint = 1000');
  db.pragma('journal_size_limit = 8388608');
  db.pragma('temp_store = MEMORY');
  db.pragma('cache_size = -2000');
  const level = Number(db.pragma('synchronous', { simple: true }));
  if (synchronous === 'FULL' && level !== 2) throw new WeinaoError('journal.not_full');
}
