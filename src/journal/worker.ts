/** The journal's half that runs in the worker thread. The entry file brings the outward function, so that journal and uplink never meet. */
import type { Outward } from '../base/feed.ts';
import type { ParentPort } from '../io/worker.ts';
import { movedWith } from './batch.ts';
import { StoreKeeper } from './keeper.ts';
import type { Numbered } from './protocol.ts';

export function runJournalWorker(port: ParentPort, deps: { readonly outward: Outward }): void {
  const keeper = new StoreKeeper(deps.outward, (answer) =>
    port.post(answer, movedWith('value' in answer ? answer.value : undefined)),
  );
  port.onBatch((messages) => {
    const batch = messages as readonly Numbered[];
    keeper.take(batch);
    if (batch.some((request) => request.op === 'close')) port.close();
  });
}
