/** Pictures go with the device that took them, and with them their place in alarms, in memory and in the journal. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { smallJpeg } from '../../drivers/onvif/simulator/jpeg.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { draft, newPath, open, work } from '../../test/kit/journal.ts';
import { tempFolder } from '../../test/kit/site.ts';
import type { Alarm } from '../base/alarm.ts';
import type { EventDraft } from '../base/event.ts';
import { mediaFiles } from '../io/media-files.ts';
import { eraseFrom } from './erase.ts';
import { createMedia } from './media.ts';
import type { Pipeline } from './pipeline.ts';

const GB = 1024 ** 3;

it('erases the pictures of a device within the time, and no other', async () => {
  const { journal, clock } = open(newPath());
  await journal.start();
  const folder = join(tempFolder(), 'media');
  mkdirSync(folder, { recursive: true });
  const files = { ...mediaFiles(folder), room: () => Promise.resolve({ free: GB, total: GB }) };
  const limits = () => ({ keepMs: 30 * 86_400_000, maxBytes: GB });
  const media = createMedia({ clock, log: memoryLog(), files, limits });
  const first = await media.keep('cam_1', smallJpeg('a'));
  const other = await media.keep('cam_2', smallJpeg('b'));
  clock.stepWall(60_000);
  const late = await media.keep('cam_1', smallJpeg('c'));
  // An alarm of a pump, with a picture of each camera.
  const shown = [first, other].map(({ sha256, bytes, device }) => ({
    kind: 'snapshot',
    camera: device,
    sha256,
    bytes,
  }));
  const alarm = { key: 'low/pump_1', aid: 'x', open: true, level: 'red', values: { level: 3 }, media: shown } as never;
  await journal.commit({ ...work(draft(1, clock)), alarms: [alarm] });

  const events: EventDraft[] = [];
  const forgotten: (readonly string[])[] = [];
  const pipeline = {
    forget: (_: unknown, pictures: readonly string[]) => void forgotten.push(pictures),
    settled: () => Promise.resolve(),
    keep: ([event]: [EventDraft]) => Promise.resolve(events.push(event) > 0),
  } as unknown as Pipeline;
  const what = { devices: ['cam_1'], points: [], forms: [], from: 0, to: late.at };
  const counts = await eraseFrom({ journal, media }, pipeline, { what, by: 'a', reason: 'b' }, clock);
  expect(counts).toMatchObject({ pictures: 1, alarms: 1, events: 0, durable: true });
  expect((await media.find({})).map(({ sha256 }) => sha256)).toEqual([other.sha256, late.sha256]);
  expect(forgotten).toEqual([[first.sha256]]);
  expect(events[0]?.data).toMatchObject({ pictures: 1 });
  const [left] = (await journal.restore()).alarms as readonly Alarm[];
  expect(left?.media?.map(({ camera }) => camera)).toEqual(['cam_2']);
  expect(left?.values).toEqual({ level: 3 });
  await media.stop();
  await journal.close();
});
