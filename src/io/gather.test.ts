import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gather } from './gather.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function gathered(): { readonly stream: Duplex; readonly writes: Buffer[] } {
  const writes: Buffer[] = [];
  const stream = new Duplex({
    read: () => {},
    write: (bytes: Buffer, _, done) => {
      writes.push(Buffer.from(bytes));
      done();
    },
  });
  gather(stream);
  return { stream, writes };
}

it('what one turn writes goes out as one piece', async () => {
  const { stream, writes } = gathered();
  for (const piece of [Buffer.from([0x32, 7]), 'wn/1/street', Buffer.alloc(300, 1), '水位 🚒', '']) stream.write(piece);
  expect(writes).toEqual([]);
  await turn();
  expect(writes).toEqual([
    Buffer.concat([Buffer.from([0x32, 7]), Buffer.from('wn/1/street'), Buffer.alloc(300, 1), Buffer.from('水位 🚒')]),
  ]);
  stream.write('next');
  await turn();
  expect(writes.slice(1)).toEqual([Buffer.from('next')]);
});

it('any pieces in any turns come out as they went in', async () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 100 }),
    fc.uint8Array({ maxLength: 100 }),
    fc.integer({ min: 1, max: 70_000 }).map((length) => new Uint8Array(length).fill(length)),
    fc.integer({ min: 1, max: 9000 }).map((length) => '字'.repeat(length)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 4 }), async (turns) => {
      const { stream, writes } = gathered();
      for (const pieces of turns) {
        for (const one of pieces) stream.write(one);
        await turn();
      }
      expect(Buffer.concat(writes).equals(Buffer.concat(turns.flat().map((one) => Buffer.from(one as string))))).toBe(
        true,
      );
    }),
    { numRuns: 40 },
  );
});

it('the last words go before the end, and none after it', async () => {
  const { stream, writes } = gathered();
  stream.write('goodbye');
  stream.end();
  await turn();
  expect(writes).toEqual([Buffer.from('goodbye')]);
  const broken = gathered();
  const errors: unknown[] = [];
  broken.stream.on('error', (error) => errors.push(error));
  broken.stream.write('lost');
  broken.stream.destroy();
  await turn();
  expect(broken.writes).toEqual([]);
  expect(errors).toEqual([]);
});
