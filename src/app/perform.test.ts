import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import type { Alarm } from '../base/alarm.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { EventDraft } from '../base/event.ts';
import type { Media } from '../base/media.ts';
import type { Person } from '../base/model.ts';
import type { Act, RuleInput } from '../base/rules.ts';
import { createPerformer, type PerformDeps } from './perform.ts';

const PEOPLE: Readonly<Record<string, Person>> = {
  duty: { id: 'duty', screen: true },
  robot: { id: 'robot', webhook: { file: 'robot' } },
  lifts: { id: 'lifts', mqtt: { to: 'mqtt://127.0.0.1', topic: 'lift/notice' } },
  street: { id: 'street', feed: 'street' },
};
const alarm = {
  aid: 'A1',
  key: 'r/x',
  rev: 1,
  text: '水位 {level}',
  values: { level: 1.5 },
  raised: 0,
  observed: 1,
} as unknown as Alarm;

function bench(over: Partial<PerformDeps> = {}) {
  const clock = new VirtualClock(0, 4);
  const events: EventDraft[] = [];
  const inputs: RuleInput[] = [];
  const calls: string[] = [];
  const performer = createPerformer({
    clock,
    log: memoryLog(),
    person: (name) => PEOPLE[name],
    isFeedUp: () => true,
    write: (device, point, value) => {
      calls.push(`${device}.${point}=${String(value)} @${clock.mono()}`);
      return Promise.resolve({ done: true, readBack: value });
    },
    snapshot: () => undefined,
    post: (person, body) => {
      calls.push(`${person.id} ${String(body.text)} @${clock.mono()}`);
      return Promise.resolve({});
    },
    publish: (person, body) => {
      calls.push(`${person.id} ${String(body.text)} @${clock.mono()}`);
      return Promise.resolve();
    },
    onEvent: (draft) => void events.push(draft),
    onInput: (input) => void inputs.push(input),
    ...over,
  });
  const write = (key = 'k', leaves = true): Act => ({
    key,
    step: { do: 'write', device: 'siren', point: 'on', value: true },
    leaves,
    at: clock.now().wall,
    alarm,
  });
  const tell = (to: string, key = `A1/escalated/1.${to}`): Act => ({
    key,
    step: { do: 'tell', to },
    leaves: false,
    at: 0,
    alarm,
  });
  const results = () =>
    events.map((e) => `${String(e.data.do)} ${String(e.data.outcome)} ${String(e.data.why ?? '')}`.trim());
  return { clock, performer, events, inputs, calls, write, tell, results };
}

describe('a write', () => {
  it('is done once, read back, and said so', async () => {
    const b = bench();
    void b.performer.perform(b.write());
    await b.clock.advance(10);
    expect(b.calls).toEqual(['siren.on=true @0']);
    expect(b.events[0]).toMatchObject({
      kind: 'command.result',
      subject: 'siren',
      correlation: 'A1',
      data: { outcome: 'done', read_back: true },
    });
    expect(b.inputs).toEqual([{ kind: 'acted', key: 'k', ok: true }]);
  });

  it('is tried three times when it reads back wrong, and fails with what was read', async () => {
    const b = bench({ write: () => Promise.resolve({ done: false, readBack: false }) });
    void b.performer.perform(b.write());
    await b.clock.advance(10_000);
    expect(b.results()).toEqual(['write failed read back false']);
  });

  it('that hangs is given up after two seconds, three times', async () => {
    let tries = 0;
    const b = bench({
      write: (_, __, ___, signal) => {
        tries++;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new WeinaoError('link.timeout', {}))),
        );
      },
    });
    void b.performer.perform(b.write());
    await b.clock.advance(5900);
    expect([tries, b.results()]).toEqual([3, []]);
    await b.clock.advance(200);
    expect(b.results()).toEqual(['write failed link.timeout']);
  });

  it('is tried again although the clock was set in between', async () => {
    let tries = 0;
    const b = bench({
      write: () => {
        b.clock.stepWall(50 * 365 * 86_400_000);
        return Promise.resolve({ done: ++tries === 3, readBack: true });
      },
    });
    void b.performer.perform(b.write());
    await b.clock.advance(10_000);
    expect(b.results()).toEqual(['write done']);
  });

  it('is not begun a minute late when it leaves the safe state; going back to it always is', async () => {
    const b = bench();
    const old = b.write('old');
    const back = b.write('back', false);
    await b.clock.advance(61_000);
    void b.performer.perform(old);
    void b.performer.perform(back);
    await b.clock.advance(10);
    expect(b.results()).toEqual(['write expired too late to begin', 'write done']);
  });

  it('of one device keeps its order; another device does not wait', async () => {
    let release = (): void => {};
    const order: string[] = [];
    const b = bench({
      write: async (device, _, value) => {
        order.push(`${device} ${String(value)}`);
        if (order.length === 1)
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        return { done: true };
      },
    });
    void b.performer.perform(b.write('1'));
    void b.performer.perform({ ...b.write('2'), step: { do: 'write', device: 'siren', point: 'on', value: false } });
    void b.performer.perform({ ...b.write('3'), step: { do: 'write', device: 'lamp', point: 'on', value: true } });
    await b.clock.advance(10);
    expect(order).toEqual(['siren true', 'lamp true']);
    release();
    await b.clock.advance(10);
    expect(order).toEqual(['siren true', 'lamp true', 'siren false']);
  });

  it('to nobody, and a picture nobody can take, fail and are answered for', async () => {
    const b = bench({ write: () => undefined });
    void b.performer.perform(b.write());
    void b.performer.perform({ key: 's', step: { do: 'snapshot', device: 'cam' }, leaves: true, at: 0 });
    await b.clock.advance(10);
    const said = b.results().map((r) => r.split(' ').slice(0, 3).join(' '));
    expect(said.sort()).toEqual(['snapshot failed no', 'write failed no']);
    expect(b.inputs.length).toBe(2);
  });
});

describe('a picture', () => {
  const MEDIA: Media = { kind: 'snapshot', camera: '44030500001320000012', sha256: 'ab', bytes: 9 };
  const snap: Act = { key: 'A1/1.raised/0', step: { do: 'snapshot', device: 'cam' }, leaves: true, at: 0, alarm };

  it('is named by its hash in the result, and handed to the alarm', async () => {
    const b = bench({ snapshot: () => Promise.resolve(MEDIA) });
    void b.performer.perform(snap);
    await b.clock.advance(10);
    expect(b.events[0]).toMatchObject({ subject: 'cam', correlation: 'A1', data: { outcome: 'done', media: [MEDIA] } });
    expect(b.inputs).toEqual([{ kind: 'acted', key: 'A1/1.raised/0', ok: true, media: MEDIA }]);
  });

  it('is asked for twice; a camera that never answers costs 16 s and no other device anything', async () => {
    let tries = 0;
    const b = bench({
      snapshot: (_, signal) => {
        tries++;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new WeinaoError('http.late', {}))),
        );
      },
    });
    void b.performer.perform(snap);
    void b.performer.perform(b.write('w'));
    await b.clock.advance(100);
    expect(b.results()).toEqual(['write done']);
    await b.clock.advance(16_000);
    expect([tries, b.results().at(-1)]).toEqual([2, 'snapshot failed http.late']);
  });

  it('a clip is not made, and said so', async () => {
    const b = bench();
    void b.performer.perform({ ...snap, step: { do: 'clip', device: 'cam' } });
    await b.clock.advance(10);
    expect(b.results()[0]).toMatch(/^clip failed clips are not recorded here/);
  });
});

describe('telling', () => {
  it('a screen makes no event; a webhook and another system get the text', async () => {
    const b = bench();
    void b.performer.perform(b.tell('duty'));
    void b.performer.perform(b.tell('robot'));
    void b.performer.perform(b.tell('lifts'));
    await b.clock.advance(10);
    expect(b.calls).toEqual(['robot 水位 1.5 @0', 'lifts 水位 1.5 @0']);
    expect(b.results()).toEqual(['tell done', 'tell done']);
    expect(b.inputs.length).toBe(3);
  });

  it('a webhook that does not answer is called again with growing pauses for an hour; the ladder hears of it once', async () => {
    let calls = 0;
    const b = bench({
      post: () => {
        calls++;
        return Promise.reject(new Error('HTTP 503'));
      },
    });
    void b.performer.perform(b.tell('robot'));
    await b.clock.advance(7000);
    expect(calls).toBe(3);
    expect(b.inputs).toEqual([{ kind: 'unreachable', aid: 'A1' }]);
    await b.clock.advance(2 * 3_600_000);
    expect(b.results()).toEqual(['tell failed HTTP 503']);
    expect(calls).toBeLessThan(20);
  });

  it('an answer may be a form: the result of a call', async () => {
    const b = bench({ post: () => Promise.resolve({ form: 'call_result', fields: { result: 'red' } }) });
    void b.performer.perform(b.tell('robot'));
    await b.clock.advance(10);
    expect(b.inputs[0]).toEqual({ kind: 'form', form: 'call_result', fields: { result: 'red' }, by: 'robot' });
  });

  it('a feed that is down pulls the next step forward; the alarm waits in its buffer', async () => {
    const b = bench({ isFeedUp: () => false });
    void b.performer.perform(b.tell('street'));
    await b.clock.advance(10);
    expect(b.inputs).toEqual([
      { kind: 'unreachable', aid: 'A1' },
      { kind: 'acted', key: 'A1/escalated/1.street', ok: true },
    ]);
  });

  it('more than two hundred for one person at once is bounded, and the rest said to have failed', async () => {
    const b = bench({ post: () => new Promise(() => {}) });
    for (let i = 0; i < 210; i++) void b.performer.perform(b.tell('robot', `k${i}`));
    await b.clock.advance(10);
    expect(b.results().filter((r) => r === 'tell failed queue full').length).toBe(10);
  });
});

it('stopped in the middle it says nothing: the row stays for the next start', async () => {
  const b = bench({ post: () => Promise.reject(new Error('away')) });
  void b.performer.perform(b.tell('robot'));
  await b.clock.advance(10);
  b.performer.stop();
  await b.clock.advance(10_000);
  expect(b.events).toEqual([]);
  expect(b.inputs.filter((i) => i.kind === 'acted')).toEqual([]);
});

it('given out again while it is on its way it is done once', async () => {
  let release = (): void => {};
  let writes = 0;
  const b = bench({
    write: async () => {
      writes++;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { done: true };
    },
  });
  const act = b.write();
  void b.performer.perform(act);
  void b.performer.perform(act);
  await b.clock.advance(10);
  release();
  await b.clock.advance(10);
  expect([writes, b.results()]).toEqual([1, ['write done']]);
});
