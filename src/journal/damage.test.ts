/** Single bits that flipped on the card, in a row of the journal: found, put aside, told; everything else arrives as it was. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEMAND, draft, newPath, noise, open, takeAll, text, work } from '../../test/kit/journal.ts';
import type { OutMessage } from '../base/feed.ts';
import { openSqlite } from '../io/sqlite.ts';
import { createVerifier } from '../uplink/verifier.ts';

const EVERY = process.env.WEINAO_NIGHT === undefined ? 97 : 5;

/** A journal of eight groups and five alarms nobody has taken, and what it would send. */
async function make(path: string): Promise<readonly OutMessage[]> {
  const b = open(path);
  await b.journal.start();
  await b.journal.ledger.open(DEMAND);
  await noise(b, 8);
  for (let n = 0; n < 5; n++) await b.journal.commit(work(draft(n, b.clock)));
  await b.journal.close();
  const c = open(`${path}.copy`);
  writeFileSync(`${path}.copy`, readFileSync(path));
  await c.journal.start();
  const members = [...(await takeAll(c, 'street', 'a')), ...(await takeAll(c, 'street', 't'))];
  await c.journal.close();
  return members;
}

/** Where a body stands in the file; its cell's header is just before it. */
function placeOf(path: string, query: string): { from: number; to: number } {
  const db = openSqlite(path);
  const body = Buffer.from(db.prepare(query).pluck().get() as Uint8Array | string);
  db.close();
  const at = readFileSync(path).indexOf(body);
  if (at < 0) throw new Error('not in one piece');
  return { from: at, to: at + body.length };
}

const told = (m: OutMessage): Record<string, unknown> => JSON.parse(text(m)).data;

describe('a bit that flipped', () => {
  it.each([
    ['a telemetry group', 'SELECT body FROM tel_1 ORDER BY position LIMIT 1 OFFSET 3', 'telemetry', 100],
    ['an alarm', 'SELECT body FROM rows ORDER BY position LIMIT 1 OFFSET 2', 'alarm', 1],
  ])('in %s is found, and told as a gap', { timeout: 120_000 }, async (_, query, kind, count) => {
    const path = newPath();
    const whole = await make(path);
    const good = readFileSync(path);
    const { from, to } = placeOf(path, query);
    const bodies = new Map(whole.map((m) => [m.id, JSON.stringify(told(m))]));
    let flips = 0;
    for (let bit = 8 * from; bit < 8 * to; bit += kind === 'alarm' ? 13 : EVERY) {
      const image = Buffer.from(good);
      image[bit >> 3] = (image[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const hurt = `${path}.${flips++}`;
      writeFileSync(hurt, image);
      const b = open(hurt);
      const facts = await b.journal.start();
      expect(facts.setAside).toBeUndefined();
      const members = [...(await takeAll(b, 'street', 'a')), ...(await takeAll(b, 'street', 't'))];
      const verifier = createVerifier();
      for (const m of members) verifier.take(`wn/1/street/s/up/${m.stream}`, m.payload);
      expect(verifier.summary(), `bit ${bit}`).toMatchObject({ chain: 'ok', gaps: 0, dropped: count });
      const gaps = members.filter((m) => m.type === 'weinao.feed.gap.v1').map(told);
      expect(gaps, `bit ${bit}`).toMatchObject([{ reason: 'damaged', lost: count }]);
      // Nothing else is missing, and nothing says what was never stored.
      const others = members.filter((m) => !m.type.startsWith('weinao.feed.'));
      expect(others.length).toBe(whole.filter((m) => !m.type.startsWith('weinao.feed.')).length - 1);
      for (const m of others) expect(JSON.stringify(told(m))).toBe(bodies.get(m.id));
      expect((await b.journal.facts()).counters.quarantined).toBe(1);
      await b.journal.close();
    }
    expect(flips).toBeGreaterThan(50);
  });
});

describe('pages that were overwritten', () => {
  it('are found when they are read: at boot, too, the file is set aside and the feed goes on', async () => {
    const path = newPath();
    const whole = await make(path);
    const db = openSqlite(path);
    const root = Number(db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'tel_1'").pluck().get());
    db.close();
    const image = readFileSync(path);
    image.fill(0xee, (root - 1) * 4096, root * 4096);
    writeFileSync(path, image);
    const b = open(path);
    await b.journal.start();
    // The alarms nobody had taken are whole in the new file, and so is the feed's place before them: they go out.
    const raised = (all: readonly OutMessage[]) =>
      all.filter((m) => m.type === 'weinao.alarm.raised.v1').map((m) => m.id);
    expect(raised(await takeAll(b, 'street', 'a'))).toEqual(raised(whole));
    expect(raised(whole)).toHaveLength(5);
    const t = await takeAll(b, 'street', 't');
    expect(t.map((m) => m.type)).toContain('weinao.feed.epoch.v1');
    expect((await b.journal.facts()).setAside?.path).toContain('journal.db.damaged-');
    expect((await b.journal.commit(work(draft(9, b.clock)))).durable).toBe(true);
    await b.journal.close();
  });
});
