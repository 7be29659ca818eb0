/** Files of the store beside SQLite's own doing. Synchronous: it runs in the store's thread. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Renames a database with its write-ahead log. */
export function renameDatabase(from: string, to: string): void {
  for (const end of ['', '-wal', '-shm']) if (existsSync(from + end)) renameSync(from + end, to + end);
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
