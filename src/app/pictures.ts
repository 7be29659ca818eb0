/** A picture wanted by a rule: taken by the device's driver, kept, and named by what keeps it. */
import { join } from 'node:path';
import type { Media } from '../base/media.ts';
import type { SiteModel } from '../base/model.ts';
import type { Clock, Log } from '../base/ports.ts';
import type { Engine } from '../engine/index.ts';
import { createMedia, type MediaStore } from './media.ts';
import type { Doors } from './ports.ts';

export function openMedia(
  { clock, log, doors }: { readonly clock: Clock; readonly log: Log; readonly doors: Doors },
  model: () => SiteModel,
): MediaStore {
  const { gateway } = model();
  return createMedia({
    clock,
    log,
    files: doors.media(join(gateway.data, 'media')),
    limits: () => model().gateway.media,
  });
}

export interface Album {
  readonly engine: Engine;
  readonly media: MediaStore;
  model(): SiteModel;
}

/** Undefined when there is no such device, or it takes no pictures. */
export function picture(device: string, album: Album, signal: AbortSignal): Promise<Media> | undefined {
  return album.engine.snapshot(device, signal)?.then(async ({ bytes }) => {
    const kept = await album.media.keep(device, bytes);
    return { kind: 'snapshot', camera: codeOf(device, album.model()), sha256: kept.sha256, bytes: kept.bytes };
  });
}

/** What the outside world calls a camera. */
function codeOf(device: string, site: SiteModel): string {
  const { code } = (site.devices.get(device)?.config ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : device;
}
