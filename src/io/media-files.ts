/** Pictures as files of one folder, closed to everybody else: written whole or not at all, and on the disk before they are there. */
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MediaFile, MediaFiles } from '../base/ports.ts';
import { writeAtomic } from './files.ts';

const MODE = 0o700;

export function mediaFiles(folder: string): MediaFiles {
  const found = async (shard: string): Promise<MediaFile[]> => {
    const files: MediaFile[] = [];
    for (const name of await readdir(join(folder, shard))) {
      const path = `${shard}/${name}`;
      // What a power cut left half written.
      if (name.endsWith('.new')) await rm(join(folder, path), { force: true });
      else files.push({ path, bytes: (await stat(join(folder, path))).size });
    }
    return files;
  };
  return {
    list: async () => {
      const shards = await readdir(folder, { withFileTypes: true }).catch(() => []);
      const files: MediaFile[] = [];
      for (const shard of shards) if (shard.isDirectory()) files.push(...(await found(shard.name)));
      return files;
    },
    write: async (path, bytes) => {
      const full = join(folder, path);
      if ((await mkdir(dirname(full), { recursive: true, mode: MODE })) !== undefined) {
        await synced(folder);
        await synced(dirname(folder));
      }
      await writeAtomic(full, bytes, 0o600).catch(async (error: unknown) => {
        await rm(`${full}.new`, { force: true });
        throw error;
      });
    },
    read: (path) => readFile(join(folder, path)),
    remove: (path) => rm(join(folder, path), { force: true }),
    room: async () => {
      const disk = await statfs(dirname(folder));
      return { free: disk.bavail * disk.bsize, total: disk.blocks * disk.bsize };
    },
  };
}

/** A new folder's name is on the disk. */
async function synced(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
