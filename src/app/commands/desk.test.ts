import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/fakes/clock.ts';
import { memoryLog } from '../../../test/fakes/log.ts';
import type { Command } from '../../base/command.ts';
import type { EventDraft } from '../../base/event.ts';
import type { MemoryRow } from '../../base/journal.ts';
import type { JsonObject } from '../../base/json.ts';
import type { FeedModel, Grant } from '../../base/model.ts';
import { CommandDesk } from './desk.ts';
import { keyOf } from './row.ts';

const S = 1000;
const FINAL = ['done', 'failed', 'denied', 'expired'];
const grant = (more: Partial<Grant> = {}): Grant => ({
  allow: ['write', 'ack'],
  rate: { count: 1000, perMs: 60_000 },
  signed: false,
  ...more,
});

/** A gateway's life with a disk that takes its time, and a process that may end at any moment. */
class Life {
  readonly clock = new VirtualClock();
  readonly disk = new Map<string, MemoryRow>();
  readonly events: JsonObject[] = [];
  readonly writes: { readonly id: string; readonly at: number; readonly stage: string }[] = [];
  readonly replies: JsonObject[] = [];
  readonly asked: string[] = [];
  desk!: CommandDesk;
  grants: Grant[] = [grant()];
  diskMs = 20;
  wireMs = 50;
  durable = true;
  private epoch = 0;

  constructor() {
    this.boot();
  }

  /** what was not on the disk is gone */
  boot(): void {
    this.desk?.stop();
    const epoch = ++this.epoch;
    this.desk = new CommandDesk({
      clock: this.clock,
      log: memoryLog(),
      feed: () => ({ commands: { grants: this.grants, signers: {}, maxTtlMs: 300 * S } }) as unknown as FeedModel,
      judge: () => (this.grants[0] === undefined ? { refusal: 'not_granted' } : { grant: this.grants[0] }),
      keep: async (events, memory) => {
        await this.clock.sleep('disk', this.diskMs);
        if (epoch !== this.epoch) return new Promise(() => {});
        this.store(events, memory);
        return this.durable;
      },
      carryOut: async (feed, command, until) => {
        const row = this.disk.get(keyOf(feed, command))?.body ?? '{}';
        if (this.clock.mono() >= until) return { outcome: 'expired' };
        this.writes.push({
          id: command.id,
          at: this.clock.now().wall,
          stage: (JSON.parse(row) as { stage: string }).stage,
        });
        await this.clock.sleep('wire', this.wireMs);
        return { outcome: 'done', value: 80 };
      },
      readBack: () => Promise.resolve(80),
      ask: (person, { command }) => void this.asked.push(`${person} ${command.id}`),
    });
    this.desk.restore([...this.disk.values()]);
    void this.desk.takeUp();
  }

  receive(id: string, ttl = 30 * S, more: Partial<Command> = {}, feed = 'street'): void {
    const command: Command = {
      id,
      source: 'urn:street',
      ask: { do: 'write', device: 'lamp', point: 'dim', value: 80 },
      by: '张三',
      expires: this.clock.now().wall + ttl,
      digest: id,
      ...more,
    };
    this.desk.arrive({ feed, command, reply: (result) => void this.replies.push(result) });
  }

  outcomes(id: string): string[] {
    return this.events.filter((e) => e.id === id).map((e) => String(e.outcome));
  }

  private store(events: readonly EventDraft[], memory: readonly MemoryRow[]): void {
    this.events.push(...events.map((e) => e.data));
    for (const row of memory) {
      if (row.body === null) this.disk.delete(row.key);
      else this.disk.set(row.key, row);
    }
  }
}

describe('a command', () => {
  it('is accepted on the disk, done once, and its repeat gets the result', async () => {
    const life = new Life();
    life.receive('c1');
    await life.clock.advance(S);
    life.receive('c1');
    await life.clock.advance(S);
    expect(life.outcomes('c1')).toEqual(['accepted', 'done', 'duplicate']);
    expect(life.writes).toEqual([{ id: 'c1', at: expect.any(Number), stage: 'goes' }]);
    expect(life.replies.at(-1)).toMatchObject({ id: 'c1', outcome: 'done', read_back: 80, duplicate: true });
    expect(life.events[1]).toMatchObject({
      feed: 'street',
      device: 'lamp',
      point: 'dim',
      value: 80,
      by: '张三',
      ms: 50,
    });
  });

  it('of a known id with other content is refused, and the first one stands', async () => {
    const life = new Life();
    life.receive('c1');
    life.receive('c1', 30 * S, { digest: 'other' });
    await life.clock.advance(S);
    expect(life.outcomes('c1').sort()).toEqual(['accepted', 'denied', 'done']);
    expect(life.writes.length).toBe(1);
  });

  it('too old, too far ahead, or without a clock is not taken; an acknowledgement is', async () => {
    const life = new Life();
    life.receive('old', 0);
    life.receive('far', 301 * S);
    life.clock.synced = false;
    life.receive('dark');
    life.receive('ack', -1000 * S, { ask: { do: 'ack', aid: 'a', rev: 1 } });
    await life.clock.advance(S);
    const reasons = life.events.map((e) => `${e.id} ${e.outcome} ${e.reason ?? ''}`.trim());
    expect(reasons.sort()).toEqual([
      'ack accepted',
      'ack done',
      'dark denied no_clock',
      'far denied too_far_ahead',
      'old expired expired',
    ]);
  });

  it('that waits for a slow disk too long is not begun', async () => {
    const life = new Life();
    life.diskMs = 3 * S;
    life.receive('c1', 2 * S);
    await life.clock.advance(60 * S);
    expect(life.outcomes('c1')).toEqual(['accepted', 'expired']);
    expect(life.writes).toEqual([]);
  });

  it('whose intent is only in memory moves nothing', async () => {
    const life = new Life();
    life.durable = false;
    life.receive('c1');
    await life.clock.advance(S);
    expect(life.events.at(-1)).toMatchObject({ outcome: 'failed', reason: 'not_kept' });
    expect(life.writes).toEqual([]);
  });

  it('under way when the process ends is read back, ends ambiguous, and is never done again', async () => {
    const life = new Life();
    life.wireMs = 10 * S;
    life.receive('c1');
    await life.clock.advance(S);
    life.boot();
    await life.clock.advance(S);
    life.receive('c1');
    await life.clock.advance(S);
    expect(life.outcomes('c1')).toEqual(['accepted', 'failed', 'duplicate']);
    expect(life.events[1]).toMatchObject({ reason: 'ambiguous', read_back: 80 });
    expect(life.writes.length).toBe(1);
  });

  it('loses its grant before it is done', async () => {
    const life = new Life();
    life.receive('c1');
    life.grants = [];
    await life.clock.advance(S);
    expect(life.events.at(-1)).toMatchObject({ outcome: 'denied', reason: 'not_granted' });
  });

  it('is kept for seven days', async () => {
    const life = new Life();
    life.receive('c1');
    await life.clock.advance(8 * 86_400_000);
    life.receive('c2');
    await life.clock.advance(S);
    expect([...life.disk.keys()]).toEqual([keyOf('street', { source: 'urn:street', id: 'c2' })]);
  });

  it('that came while nobody knew the time is kept for seven days from when the clock was set', async () => {
    const life = new Life();
    life.clock.synced = false;
    const ask = { do: 'ack', aid: 'a', rev: 1 } as const;
    life.receive('early', 0, { ask });
    await life.clock.advance(S);
    life.boot();
    life.clock.stepWall(50 * 365 * 86_400_000);
    life.clock.synced = true;
    life.receive('c2');
    await life.clock.advance(S);
    life.receive('early', 30 * S, { ask });
    await life.clock.advance(S);
    expect(life.outcomes('early')).toEqual(['accepted', 'done', 'duplicate']);
    await life.clock.advance(8 * 86_400_000);
    life.receive('c3');
    await life.clock.advance(S);
    expect([...life.disk.keys()]).toEqual([keyOf('street', { source: 'urn:street', id: 'c3' })]);
  });
});

describe('a rate', () => {
  it('holds over a restart and a reload, and comes back with time', async () => {
    const life = new Life();
    const twice = () => [grant({ rate: { count: 2, perMs: 60 * S } })];
    life.grants = twice();
    const receive = async (...ids: string[]): Promise<void> => {
      for (const id of ids) life.receive(id);
      await life.clock.advance(S);
    };
    await receive('c1', 'c2', 'c3');
    // As a reload makes it: the same words, another object.
    life.grants = twice();
    await receive('c4');
    life.boot();
    await receive('c5');
    await life.clock.advance(28 * S);
    life.boot();
    await receive('c6', 'c7');
    expect(life.writes.map((w) => w.id)).toEqual(['c1', 'c2', 'c6']);
    life.grants = [grant({ rate: { count: 3, perMs: 60 * S } })];
    await receive('c8');
    expect(life.writes.at(-1)?.id).toBe('c8');
  });
});

describe('a signed command', () => {
  it('is not done once more by a feed that heard it elsewhere; an unsigned one of that name is another', async () => {
    const life = new Life();
    life.receive('c1', 30 * S, { signer: 'k1' });
    await life.clock.advance(S);
    life.receive('c1', 30 * S, { signer: 'k1' }, 'police');
    await life.clock.advance(S);
    life.boot();
    life.receive('c1', 30 * S, { signer: 'k1' }, 'police');
    await life.clock.advance(S);
    expect(life.writes.length).toBe(1);
    expect(life.replies.at(-1)).toMatchObject({ feed: 'police', outcome: 'denied', reason: 'not_for_us' });
    life.receive('c1', 30 * S, { digest: 'other' }, 'police');
    await life.clock.advance(S);
    expect(life.writes.length).toBe(2);
  });
});

describe('a yes', () => {
  const waiting = (): Life => {
    const life = new Life();
    life.grants = [grant({ confirm: 'duty' })];
    return life;
  };

  it('is asked for, given by its end, and stands in the result', async () => {
    const life = waiting();
    life.receive('command-77');
    await life.clock.advance(S);
    expect(life.asked).toEqual(['duty command-77']);
    expect(life.writes).toEqual([]);
    expect(life.desk.list().pending).toMatchObject([{ id: 'command-77', outcome: 'confirming', confirm: 'duty' }]);
    const confirmed = life.desk.confirm('and-77', '李四', true);
    await life.clock.advance(S);
    expect(await confirmed).toMatchObject({ outcome: 'done', confirmed_by: '李四' });
    expect(life.outcomes('command-77')).toEqual(['accepted', 'confirming', 'done']);
    await expect(life.desk.confirm('command-77', '李四', true)).rejects.toThrow('no command');
  });

  it('is for the one whose whole id it names, whatever others end with it', async () => {
    const life = waiting();
    life.receive('command-77');
    life.receive('x-command-77');
    await life.clock.advance(S);
    await expect(life.desk.confirm('mand-77', '李四', true)).rejects.toThrow('no command');
    void life.desk.confirm('command-77', '李四', true);
    await life.clock.advance(S);
    expect(life.writes.map((w) => w.id)).toEqual(['command-77']);
  });

  it('that is a no, or does not come, ends it; after a restart it may still come', async () => {
    const life = waiting();
    life.receive('c-deny');
    life.receive('c-late');
    life.receive('c-over');
    await life.clock.advance(S);
    void life.desk.confirm('c-deny', '李四', false);
    await life.clock.advance(S);
    life.boot();
    void life.desk.confirm('c-over', '李四', true);
    await life.clock.advance(40 * S);
    expect(life.outcomes('c-deny')).toEqual(['accepted', 'confirming', 'denied']);
    expect(life.outcomes('c-late')).toEqual(['accepted', 'confirming', 'expired']);
    expect(life.outcomes('c-over')).toEqual(['accepted', 'confirming', 'done']);
    expect(life.writes.map((w) => w.id)).toEqual(['c-over']);
  });
});

describe('whatever happens in whatever order', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('receive' as const),
        id: fc.nat(3),
        ttl: fc.constantFrom(0, 1, 5, 30, 400),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 15, 25, 60, 900, 7000) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('confirm' as const), id: fc.nat(3), isYes: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clock' as const), synced: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('grant' as const), confirm: fc.boolean() }) },
  );

  it('no id is done twice, each is on the disk before it is done and in time, and each accepted one ends once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const life = new Life();
        const expires = new Map<string, number>();
        for (const s of steps) {
          if (s.do === 'receive') {
            const id = `command-${s.id}`;
            const wall = expires.get(id) ?? life.clock.now().wall + s.ttl * S;
            expires.set(id, wall);
            life.receive(id, wall - life.clock.now().wall);
          } else if (s.do === 'wait') await life.clock.advance(s.ms);
          else if (s.do === 'confirm') life.desk.confirm(`command-${s.id}`, '李四', s.isYes).catch(() => {});
          else if (s.do === 'crash') life.boot();
          else if (s.do === 'clock') life.clock.synced = s.synced;
          else life.grants = [grant(s.confirm ? { confirm: 'duty' } : {})];
        }
        await life.clock.advance(10 * 60 * S);
        for (const [id, wall] of expires) {
          const told = life.outcomes(id);
          const accepted = told.filter((o) => o === 'accepted').length;
          expect(accepted).toBeLessThanOrEqual(1);
          const final = life.events.filter(
            (e) => e.id === id && FINAL.includes(String(e.outcome)) && e.by !== undefined,
          );
          expect(final.length, told.join(' ')).toBe(accepted);
          const writes = life.writes.filter((w) => w.id === id);
          expect(writes.length).toBeLessThanOrEqual(1);
          for (const w of writes) expect([w.stage, w.at < wall]).toEqual(['goes', true]);
        }
        expect(life.clock.timers()).toEqual([]);
      }),
      { numRuns: process.env.WEINAO_NIGHT === '1' ? 3000 : 150 },
    );
  });
});

describe('refusals', () => {
  it('a flood leaves ten rows and one that counts, each minute', async () => {
    const life = new Life();
    const bad = { feed: 'street', refusal: 'malformed', reply: () => {} } as const;
    for (let i = 0; i < 10_000; i++) life.desk.arrive(bad);
    life.desk.arrive({ ...bad, feed: 'police' });
    await life.clock.advance(59 * S);
    expect(life.events.length).toBe(11);
    await life.clock.advance(2 * S);
    expect(life.events.length).toBe(12);
    expect(life.events.at(-1)).toMatchObject({
      feed: 'street',
      outcome: 'denied',
      count: 9990,
      reasons: { malformed: 9990 },
    });
    expect(life.disk.size).toBe(0);
    expect(life.clock.timers()).toEqual([]);
  });

  it('what was only counted is told at the end', async () => {
    const life = new Life();
    for (let i = 0; i < 12; i++) life.desk.arrive({ feed: 'street', refusal: 'flood', reply: () => {} });
    life.desk.stop();
    await life.clock.advance(S);
    expect(life.events.at(-1)).toMatchObject({ count: 2 });
  });
});
