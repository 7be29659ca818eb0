import { expect, it } from 'vitest';
import { DEMAND, draft, members, newPath, open, work } from '../../test/kit/journal.ts';

it('acknowledgements that come together are told as one, before whatever is asked next, and never back', async () => {
  const bench = open(newPath());
  const { journal, clock } = bench;
  await journal.start();
  const { epoch } = (await journal.ledger.open(DEMAND)).contract;
  for (let n = 1; n <= 9; n++) await journal.commit(work(draft(n, clock)));
  expect(await members(journal, 'a', 0)).toHaveLength(10);
  const told: unknown[] = [];
  const { store } = bench;
  const { post } = store;
  store.post = (message) => {
    told.push(message);
    post(message);
  };
  const ack = (seq: number): void => journal.ledger.ack('street', 'a', { epoch, seq });
  for (const seq of [1, 2, 3, 2]) ack(seq);
  expect(told).toEqual([]);
  await clock.advance(50);
  expect(told).toMatchObject([{ op: 'ack', upTo: { epoch, seq: 3 } }]);
  ack(7);
  ack(6);
  expect((await journal.ledger.open(DEMAND)).acked.a.seq).toBe(7);
  expect(told.slice(1)).toMatchObject([{ op: 'ack', upTo: { seq: 7 } }, { op: 'feed' }]);
  // What was said last before the end counts, too.
  ack(10);
  await journal.close();
  expect(told.at(-2)).toMatchObject({ op: 'ack', upTo: { seq: 10 } });
  expect(clock.timers()).toEqual([]);
});
