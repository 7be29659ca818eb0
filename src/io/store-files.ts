/** Files of the store beside SQLite's own doing. Synchronous: it runs in the store's thread. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const PARTS = ['', '-wal', '-shm'];
/** more than a log ever holds that is written back every thousand pages */
const MOST_LOG = 256 * 1024 * 1024;

/** Renames a database with its write-ahead log. */
export function renameDatabase(from: string, to: string): void {
  for (const end of PARTS) if (existsSync(from + end)) renameSync(from + end, to + end);
}

export function dropDatabase(path: string): void {
  for (const end of PARTS) rmSync(path + end, { force: true });
}

/** What was renamed in the folder of a file stays so. */
export function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** The write-ahead log of a database; undefined when there is none. */
export function readLog(database: string): Buffer | undefined {
  const log = `${database}-wal`;
  if (!existsSync(log)) return undefined;
  if (statSync(log).size > MOST_LOG) throw new RangeError(`${log}: over ${MOST_LOG} bytes`);
  return readFileSync(log);
}

/** Gives a database this log, or none. */
export function writeLog(database: string, log: Uint8Array | undefined): void {
  for (const end of ['-wal', '-shm']) rmSync(database + end, { force: true });
  if (log !== undefined) writeFileSync(`${database}-wal`, log, { mode: 0o600 });
}

/** 0 when it is not there */
export const sizeOfFile = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The first bytes of a file, zeros behind its end. */
export function readStart(path: string, bytes: number): Buffer {
  const start = Buffer.alloc(bytes);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, bytes, 0);
  } finally {
    closeSync(file);
  }
  return start;
}

/** The same file once more, without its log; a copy where the disk knows no second names, or the file is shorter than `least` bytes. */
export function secondName(from: string, to: string, least: number): void {
  if (sizeOfFile(from) >= least) {
    try {
      return linkSync(from, to);
    } catch {
      return copyFileSync(from, to);
    }
  }
  if (existsSync(from)) copyFileSync(from, to);
  else writeFileSync(to, '', { mode: 0o600 });
  truncateSync(to, least);
}

/** Makes the size of a file last: SQLite empties its log without a sync. The database itself must not be opened so, closing it would drop its locks. */
export function syncLog(database: string): void {
  const file = openSync(`${database}-wal`, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Bytes the disk of a file has left for us; unlimited when it cannot tell. */
export const freeBytes = (path: string): number => disk(dirname(path))?.free ?? Number.POSITIVE_INFINITY;

/** Bytes the disk of a folder has in all; undefined when it cannot tell. */
export const diskBytes = (folder: string): number | undefined => disk(folder)?.size;

function disk(folder: string): { readonly free: number; readonly size: number } | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch {
    return undefined;
  }
}

/** Whether a disk takes a file beside this one. */
export function takesWrites(path: string): boolean {
  const probe = `${path}.probe`;
  try {
    const file = openSync(probe, 'w', 0o600);
    try {
      writeSync(file, Buffer.alloc(4096));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return true;
  } catch {
    return false;
  } finally {
    dropFile(probe);
  }
}

/** A file of so many bytes that are really taken on the disk; nothing when it is there, or the disk refuses. */
export function reserveFile(path: string, bytes: number): void {
  if (existsSync(path)) return;
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      const block = Buffer.alloc(64 * 1024, 0xb5);
      for (let written = 0; written < bytes; written += block.length) writeSync(file, block);
    } finally {
      closeSync(file);
    }
  } catch {
    rmSync(path, { force: true });
  }
}

/** @returns whether it was there */
export function dropFile(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    rmSync(path);
    return true;
  } catch {
    return false;
  }
}
