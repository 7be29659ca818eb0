/** Entry of the store's worker thread: the journal, with the feeds' outgoing streams computed where the rows are. */
import { parentPort } from '../io/worker.ts';
import { runJournalWorker } from '../journal/worker.ts';
import { createOutward } from '../uplink/outward.ts';

runJournalWorker(parentPort(), { outward: createOutward() });
