import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { smallJpeg } from '../../drivers/onvif/simulator/jpeg.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { tempFolder } from '../../test/kit/site.ts';
import type { MediaFiles } from '../base/ports.ts';
import { mediaFiles } from '../io/media-files.ts';
import { createMedia } from './media.ts';

const DAY = 86_400_000;
const GB = 1024 ** 3;
const PICTURE = smallJpeg('x').length;

function bench(over: Partial<MediaFiles> = {}, limits = { keepMs: 30 * DAY, maxBytes: 100 * PICTURE }) {
  const clock = new VirtualClock(Date.UTC(2026, 10, 1), 6);
  const folder = join(tempFolder(), 'data', 'media');
  mkdirSync(join(folder, '..'), { recursive: true });
  const files: MediaFiles = { ...mediaFiles(folder), room: () => Promise.resolve({ free: GB, total: GB }), ...over };
  const open = () => createMedia({ clock, log: memoryLog(), files, limits: () => limits });
  return { clock, folder, files, open, media: open() };
}

describe('pictures', () => {
  it('are kept under their hash, for the owner only, and found by hash, device and time also after a restart', async () => {
    const { clock, folder, open, media } = bench();
    const one = await media.keep('cam_1', smallJpeg('a'));
    await clock.advance(5000);
    const two = await media.keep('cam_2', smallJpeg('b'));
    const path = join(folder, one.sha256.slice(0, 2));
    expect(readdirSync(path)).toEqual([`${one.sha256}.cam_1.${Date.UTC(2026, 10, 1)}.jpg`]);
    const modes = [folder, path, join(path, readdirSync(path)[0] ?? '')].map((p) => statSync(p).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700, 0o600]);
    writeFileSync(join(path, 'half.jpg.new'), 'x');
    writeFileSync(join(path, 'stranger.txt'), 'x');
    const again = open();
    expect(await again.find({ sha256: two.sha256 })).toEqual([two]);
    expect(await again.find({ device: 'cam_1', from: one.at, until: one.at + 1 })).toEqual([one]);
    expect(readdirSync(path).sort()).toEqual([`${one.sha256}.cam_1.${one.at}.jpg`, 'stranger.txt']);
    expect(await again.erase({ device: 'cam_1' })).toBe(1);
    expect([readdirSync(path), again.use().pictures]).toEqual([['stranger.txt'], 1]);
  });

  it('that are none are refused: a login page, half a picture, one too big', async () => {
    const { media } = bench();
    const jpeg = smallJpeg('a');
    for (const bytes of [new Uint8Array(0), Buffer.from('<html></html>'), jpeg.subarray(0, jpeg.length / 2)])
      await expect(media.keep('c', bytes)).rejects.toMatchObject({ code: 'media.no_picture' });
    await expect(media.keep('c', smallJpeg('a', 6_000_000))).rejects.toMatchObject({ code: 'media.too_big' });
    expect((await media.keep('c', Buffer.concat([jpeg, new Uint8Array(20)]))).bytes).toBe(jpeg.length + 20);
  });

  it('go when they are old, unless nobody knows the time', async () => {
    const { clock, media } = bench();
    media.start();
    await media.keep('c', smallJpeg('a'));
    clock.synced = false;
    clock.stepWall(40 * DAY);
    await clock.advance(3_600_000);
    expect(media.use().pictures).toBe(1);
    clock.synced = true;
    await clock.advance(3_600_000);
    await media.stop();
    expect([media.use(), clock.timers()]).toEqual([{ pictures: 0, bytes: 0 }, []]);
  });

  it('taken while nobody knew the time are of the day the clock was set', async () => {
    const { clock, folder, open, media } = bench();
    clock.synced = false;
    const kept = await media.keep('c', smallJpeg('a'));
    expect(readdirSync(join(folder, kept.sha256.slice(0, 2)))).toEqual([`${kept.sha256}.c.${kept.at}u.jpg`]);
    clock.stepWall(50 * 365 * DAY);
    clock.synced = true;
    const later = open();
    expect(await later.erase({ device: 'c', until: clock.now().wall - 7 * DAY })).toBe(0);
    const at = clock.now().wall;
    expect(await later.find({ sha256: kept.sha256 })).toEqual([
      { device: 'c', at, sha256: kept.sha256, bytes: PICTURE },
    ]);
    expect(readdirSync(join(folder, kept.sha256.slice(0, 2)))).toEqual([`${kept.sha256}.c.${at}.jpg`]);
    clock.stepWall(8 * DAY);
    expect(await later.erase({ device: 'c', until: clock.now().wall - 7 * DAY })).toBe(1);
  });

  it('stay within the budget: the oldest go', async () => {
    const { clock, media } = bench({}, { keepMs: 30 * DAY, maxBytes: 3 * PICTURE + 10 });
    const kept = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      kept.push(await media.keep('c', smallJpeg(name)));
      await clock.advance(1);
    }
    expect(await media.find({})).toEqual(kept.slice(1));
    expect(media.use().bytes).toBe(3 * PICTURE);
    await expect(media.keep('c', smallJpeg('e', 100_000))).rejects.toMatchObject({ code: 'media.no_room' });
  });

  it('leave the disk its reserve: the oldest go, and what still has no room is refused', async () => {
    let free = 0.0625 * GB + 2.5 * PICTURE;
    const { clock, media } = bench({ room: () => Promise.resolve({ free, total: GB }) });
    const kept = [];
    for (const name of ['a', 'b', 'c']) {
      kept.push(await media.keep('c', smallJpeg(name)));
      await clock.advance(1);
      if (name !== 'c') free -= PICTURE;
    }
    expect(await media.find({})).toEqual(kept.slice(1));
    free = 1000;
    await expect(media.keep('c', smallJpeg('d'))).rejects.toMatchObject({ code: 'media.no_room' });
    expect(media.use()).toEqual({ pictures: 0, bytes: 0 });
  });

  it('the disk refuses in the middle: nothing is left, nothing is told, and the next one may work', async () => {
    let full = true;
    const { clock, folder, open, files } = bench();
    const write = files.write;
    Object.assign(files, {
      write: (path: string, bytes: Uint8Array) =>
        full ? Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })) : write(path, bytes),
    });
    const media = open();
    await expect(media.keep('c', smallJpeg('a'))).rejects.toMatchObject({
      code: 'media.no_room',
      params: { detail: 'ENOSPC' },
    });
    expect(media.use()).toEqual({ pictures: 0, bytes: 0 });
    full = false;
    await media.keep('c', smallJpeg('a'));
    await clock.advance(1);
    expect([media.use().pictures, readdirSync(folder).length]).toEqual([1, 1]);
  });
});
