/** The real store in the same thread, on virtual time; for tests and for the processes they start. */
import { createJournal, type JournalDeps, type JournalFace } from '../../src/journal/index.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import type { VirtualClock } from '../fakes/clock.ts';
import { SECRET } from '../fakes/entitlement.ts';
import { memoryLog } from '../fakes/log.ts';
import { seededRandom } from '../fakes/random.ts';
import { loopbackStore } from '../fakes/store.ts';

/** @param own what differs from a journal of the first seed, with a window of a second, on the disk as it is */
export const virtualJournal = (path: string, clock: VirtualClock, own: Partial<JournalDeps> = {}): JournalFace =>
  createJournal({
    path,
    clock,
    random: seededRandom(1),
    log: memoryLog(),
    windowMs: 1000,
    secret: SECRET,
    onStalled: () => {},
    startWorker: () => loopbackStore(createOutward()),
    ...own,
  });
