/** Files: the configuration's reader, secrets, and writes that survive a power cut. */
import { constants } from 'node:fs';
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SecretRef } from '../base/model.ts';
import type { FileReader } from '../base/ports.ts';

const MAX_SECRET = 64 * 1024;

const missing = (error: unknown): boolean => {
  const code = (error as { code?: string }).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
};

export function systemFiles(): FileReader {
  return {
    list: async (folder) => {
      try {
        return (await readdir(folder)).sort();
      } catch (error) {
        if (missing(error)) return [];
        throw error;
      }
    },
    read: async (path, maxBytes) => {
      try {
        if ((await stat(path)).size > maxBytes) throw new RangeError(`over ${maxBytes} bytes`);
        return await readFile(path, 'utf8');
      } catch (error) {
        if (missing(error)) return undefined;
        throw error;
      }
    },
  };
}

/** A secret, or why there is none; the reason never holds any of it. */
export type Secret =
  | { readonly value: string }
  | {
      readonly value?: undefined;
      readonly why: 'missing' | 'open to others' | 'too big' | 'empty' | 'unreadable';
      readonly place: string;
    };

export interface SecretPlaces {
  /** configuration folder; files stand under its `secrets/` */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `{env: NAME}` from the environment; `{file: name}` from systemd's credentials, else from `secrets/`, where nobody else may read it. */
export async function readSecret(ref: SecretRef, places: SecretPlaces): Promise<Secret> {
  if (ref.env !== undefined) {
    const value = places.env[ref.env];
    return value === undefined || value === '' ? { why: 'missing', place: `$${ref.env}` } : { value };
  }
  const name = ref.file ?? '';
  const credentials = places.env.CREDENTIALS_DIRECTORY;
  if (credentials !== undefined) {
    const given = await secretFile(join(credentials, name), false);
    if (given.value !== undefined || given.why !== 'missing') return given;
  }
  return secretFile(join(places.folder, 'secrets', name), true);
}

async function secretFile(place: string, closed: boolean): Promise<Secret> {
  try {
    const facts = await stat(place);
    if (closed && (facts.mode & 0o077) !== 0) return { why: 'open to others', place };
    if (facts.size > MAX_SECRET) return { why: 'too big', place };
    const value = (await readFile(place, 'utf8')).trimEnd();
    return value === '' ? { why: 'empty', place } : { value };
  } catch (error) {
    return { why: missing(error) ? 'missing' : 'unreadable', place };
  }
}

/** The file is either the old one or the new one, whatever happens: written beside, synced, renamed, folder synced. */
export async function writeAtomic(path: string, content: string | Uint8Array, mode = 0o640): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, 'w', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncFolder(dirname(path));
}

/** Gives a finished file its name; afterwards both are on the disk. Only its owner may read it. */
export async function replaceDurably(from: string, to: string): Promise<void> {
  await chmod(from, 0o600);
  const file = await open(from, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Copies a file into a folder, as its folder's owner would have made it; nothing is left of a copy that fails. */
export async function copyDurably(from: string, to: string): Promise<void> {
  const beside = `${to}.new`;
  try {
    await copyFile(from, beside);
    const { uid, gid } = await stat(dirname(to));
    // Whoever restores with sudo must not leave a file the gateway cannot write.
    if (process.getuid?.() === 0) await chown(beside, uid, gid);
    await replaceDurably(beside, to);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Copies the named files and folders (YAML of two levels) of a folder, whole or not at all. The copy's name is a link to one of two folders: it
 * changes over in one step, so that there is a whole copy at every instant.
 */
export async function copyFolder(from: string, to: string, names: readonly string[]): Promise<void> {
  const current = await readlink(to).catch(() => '');
  const fresh = `${to}.${current.endsWith('.a') ? 'b' : 'a'}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o750 });
  for (const name of names) await copyOne(join(from, name), join(fresh, name));
  await rm(`${to}.new`, { force: true });
  await symlink(basename(fresh), `${to}.new`);
  // Older versions kept a folder of this name; a link cannot take its place.
  if (current === '') await rm(to, { recursive: true, force: true });
  await rename(`${to}.new`, to);
  await syncFolder(dirname(to));
}

async function copyOne(from: string, to: string, levels = 2): Promise<void> {
  try {
    if (!(await stat(from)).isDirectory()) return await copyFile(from, to);
    if (levels === 0) return;
    await mkdir(to, { mode: 0o750 });
    for (const entry of await readdir(from))
      if (entry.endsWith('.yaml') || !entry.includes('.'))
        await copyOne(join(from, entry), join(to, entry), levels - 1);
  } catch (error) {
    if (!missing(error)) throw error;
  }
}

/** A small file's text; undefined when there is none. */
export async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (missing(error)) return undefined;
    throw error;
  });
}

/** Neither a file nor what a cut left of writing it. */
export async function removeFile(path: string): Promise<void> {
  for (const one of [path, `${path}.new`]) await rm(one, { force: true });
}

/** Names of what lies in a folder; none when there is no such folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

/** The copy that `copyFolder` replaced last goes. */
export async function dropOldCopy(to: string): Promise<void> {
  const current = await readlink(to).catch(() => '');
  if (current !== '') await rm(`${to}.${current.endsWith('.a') ? 'b' : 'a'}`, { recursive: true, force: true });
}

/** Files of a folder of configuration that hold a text. */
export async function filesHolding(folder: string, text: string, levels = 2): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const isFolder = await stat(path).then(
      (s) => s.isDirectory(),
      () => undefined,
    );
    if (isFolder === true && levels > 0) found.push(...(await filesHolding(path, text, levels - 1)));
    if (isFolder === false && name.endsWith('.yaml') && (await readFile(path, 'utf8')).includes(text)) found.push(path);
  }
  return found;
}
