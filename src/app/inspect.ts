/** `weinao probe CAMERA`: what a device on no line is, how it is and what it offers; or a picture of it, for the person who asked and for nobody else. */
import { WeinaoError } from '../base/errors/index.ts';
import { isJpeg } from '../base/media.ts';
import type { Engine } from '../engine/index.ts';
import { writeAtomic } from '../io/files.ts';

export async function inspect(device: string, engine: Engine, signal: AbortSignal): Promise<unknown> {
  const found = await engine.inspect(device, signal);
  if (found === undefined) throw new WeinaoError('cli.bad_probe');
  return { schema: 1, device, camera: found };
}

/** The picture as base64; it is kept nowhere. */
export async function look(device: string, engine: Engine, signal: AbortSignal): Promise<unknown> {
  const picture = await engine.snapshot(device, signal);
  if (picture === undefined) throw new WeinaoError('media.none', { device });
  if (!isJpeg(picture.bytes)) throw new WeinaoError('media.no_picture', { device });
  return { schema: 1, device, picture: Buffer.from(picture.bytes).toString('base64') };
}

/** Only its owner may read it. */
export const savePicture = (path: string, base64: string): Promise<void> =>
  writeAtomic(path, Buffer.from(base64, 'base64'), 0o600);
