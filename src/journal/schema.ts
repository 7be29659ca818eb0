/** Tables, and how an older file becomes a newer one: each step only adds. `user_version` is the number of steps done. */
import { WeinaoError } from '../base/errors/index.ts';
import type { Sqlite } from '../io/sqlite.ts';
import { tallyAll } from './tally.ts';

/** What left before this version is not known: everything may have. */
const OLD_STANDING = `{"keepMs":2592000000,"priority":5,"since":0,"sent":{"a":${Number.MAX_SAFE_INTEGER},"t":${Number.MAX_SAFE_INTEGER}},"dropped":{}}`;

/** A step as text, or as work that depends on what the file holds. */
type Step = string | ((db: Sqlite) => void);

const STEPS: readonly Step[] = [
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
  `CREATE TABLE gaps (feed TEXT NOT NULL, stream TEXT NOT NULL, position INTEGER NOT NULL, body TEXT NOT NULL,
                      PRIMARY KEY (feed, stream, position)) WITHOUT ROWID;
   CREATE TABLE quarantine (position INTEGER PRIMARY KEY, place TEXT NOT NULL, at INTEGER NOT NULL, why TEXT NOT NULL, body BLOB);
   ALTER TABLE feeds ADD COLUMN standing TEXT NOT NULL DEFAULT '${OLD_STANDING}';
   ALTER TABLE rows ADD COLUMN crc INTEGER;`,
  (db) => {
    for (const n of db.prepare('SELECT n FROM segments').pluck().all() as number[])
      db.exec(`ALTER TABLE tel_${n} ADD COLUMN crc INTEGER`);
  },
  `CREATE TABLE erased (position INTEGER PRIMARY KEY, body TEXT NOT NULL);`,
  `CREATE TABLE tallies (block INTEGER NOT NULL, kind TEXT NOT NULL, rows INTEGER NOT NULL, samples INTEGER NOT NULL, bytes INTEGER NOT NULL,
                         PRIMARY KEY (block, kind)) WITHOUT ROWID;`,
  tallyAll,
];

export const SCHEMA_VERSION = STEPS.length;

/** @param want an older version than this one's, for files that an older one would have made */
export function migrate(db: Sqlite, path: string, want = SCHEMA_VERSION): void {
  const have = Number(db.pragma('user_version', { simple: true }));
  if (have > want) throw new WeinaoError('journal.newer', { path, have, want });
  if (have === want) return;
  db.transaction(() => {
    for (const step of STEPS.slice(have, want)) typeof step === 'string' ? db.exec(step) : step(db);
    db.pragma(`user_version = ${want}`);
  })();
}

/** Telemetry lies in tables that are dropped whole: deleting single rows of a full card would write more than it frees. */
export const createSegment = (n: number): string =>
  `CREATE TABLE tel_${n} (position INTEGER PRIMARY KEY, id TEXT NOT NULL, recorded INTEGER NOT NULL, oldest INTEGER NOT NULL, newest INTEGER NOT NULL,
   count INTEGER NOT NULL, boot TEXT NOT NULL, mono REAL NOT NULL, synced INTEGER NOT NULL, body BLOB NOT NULL, crc INTEGER)`;

export type Synchronous = 'FULL' | 'NORMAL' | 'OFF';

/** Opens under WAL and FULL, and makes sure of both: in WAL mode the library quietly falls back to NORMAL. */
export function configure(db: Sqlite, synchronous: Synchronous): void {
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${synchronous}`);
  db.pragma('wal_autocheckpoint = 0');
  db.pragma('journal_size_limit = 8388608');
  db.pragma('temp_store = MEMORY');
  db.pragma('cache_size = -2000');
  db.pragma('cell_size_check = ON');
  db.pragma('secure_delete = FAST');
  const level = Number(db.pragma('synchronous', { simple: true }));
  if (synchronous === 'FULL' && level !== 2) throw new WeinaoError('journal.not_full');
}
