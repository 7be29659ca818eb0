/** The process itself: signals, memory, folders of its own. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Calls back on a signal until the returned function is called. */
export function onSignal(signal: Signal, listener: () => void): () => void {
  process.on(signal, listener);
  return () => void process.off(signal, listener);
}

export function temporaryFolder(prefix: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function ensureFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o750 });
}

/** In bytes; `rss` of the whole process, the others of the calling thread. */
export function memoryUse(): Readonly<Record<'rss' | 'heap' | 'heap_total' | 'external', number>> {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return { rss, heap: heapUsed, heap_total: heapTotal, external };
}

export const exists = (path: string): boolean => existsSync(path);
