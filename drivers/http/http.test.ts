import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WeinaoError } from '../../src/base/errors/index.ts';
import type { IntakeContext, IntakeReply } from '../../src/kit/intake.ts';
import { bytes, type IntakeBench, intakeBench, intakeDevice } from '../../test/kit/intake.ts';
import { eventsIn } from './codec.ts';
import { face } from './face.ts';
import { http } from './index.ts';
import { deviceSchema } from './schema.ts';
import { cloudEvent, plain, type Sent, sent, sentTogether } from './simulator.ts';

interface Case {
  readonly id: string;
  readonly type?: string;
  readonly body: string;
  readonly events?: number;
  readonly status?: number;
}

const cases = readFileSync(join(import.meta.dirname, 'cases/requests.ndjson'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const SECRETS: Readonly<Record<string, string>> = { weather: 'right', flats: 'other', front: 'desk' };

async function bench(more: Partial<IntakeContext> = {}, rows = new Map<string, string>()): Promise<IntakeBench> {
  const section = (name: string, extra: object) =>
    intakeDevice(http, name, { token: { file: name.split('_')[0] }, ...extra });
  const devices = [
    await section('weather', { profile: 'json_climate' }),
    await section('flats_1', { profile: 'cloudevents_climate', match: [{ at: 'subject', is: 'a' }] }),
    await section('flats_2', { profile: 'cloudevents_climate', match: [{ at: 'subject', is: 'b' }] }),
    await section('front', { forms: ['report'] }),
  ];
  return intakeBench(http, devices, { secret: ({ file = '' }) => Promise.resolve(SECRETS[file]), ...more }, rows);
}

async function post(
  b: IntakeBench,
  { body, contentType }: Sent,
  token: string | undefined,
  { path = '/v1/events', from = '10.0.0.1', method = 'POST', ...headers }: Record<string, string> = {},
): Promise<IntakeReply> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const reply = await b.intake.request?.({
    method,
    path,
    headers: { 'content-type': contentType, ...authorization, ...headers },
    body: bytes(body),
    from,
  });
  if (reply === undefined) throw new Error('no reply');
  return reply;
}

describe('bodies', () => {
  it.each(cases.map((c) => [c.id, c] as const))('%s', (_, { type, body, events, status }) => {
    const read = eventsIn(type, bytes(body));
    expect('status' in read ? read.status : read.events.length).toBe(status ?? events);
  });

  it('of a hundred events are the most', () => {
    const many = (n: number) => bytes(JSON.stringify(Array.from({ length: n }, () => ({ a: 1 }))));
    expect(eventsIn('application/json', many(100))).toMatchObject({ events: { length: 100 } });
    expect(eventsIn('application/json', many(101))).toMatchObject({ status: 413 });
    expect(eventsIn('application/json', bytes(`"${'x'.repeat(65_536)}"`))).toMatchObject({ status: 413 });
  });
});

describe('events', () => {
  it('become readings of the devices whose token it is, and of no other', async () => {
    const b = await bench();
    expect(await post(b, plain({ temperature: 21.5, humidity: 'damp' }), 'right')).toEqual({
      status: 202,
      json: { accepted: 1, duplicates: 0, ignored: 0 },
    });
    expect(b.said()).toEqual({ temperature: 21.5, humidity: 'bad frame' });
    expect(new Set(b.heard.map((h) => h.device))).toEqual(new Set(['weather']));
    const time = '2026-11-25T01:59:00.000Z';
    const event = cloudEvent('/flats', '1', { temperature: 3 }, { subject: 'b', time });
    expect((await post(b, sent(event), 'other')).status).toBe(202);
    expect(b.heard.at(-1)).toMatchObject({
      device: 'flats_2',
      result: { readings: [{ value: 3, ts: Date.parse(time) }] },
    });
    expect((await post(b, sent(cloudEvent('/flats', '2', {}, { subject: 'c' })), 'other')).status).toBe(422);
    expect((await post(b, plain({ temperature: 1 }), 'desk')).status).toBe(422);
    expect(b.heard).toHaveLength(2);
  });

  it('count once, and their answer is the same the second time', async () => {
    const b = await bench();
    const one = cloudEvent('/flats', '1', { temperature: 3 }, { subject: 'a' });
    const two = cloudEvent('/flats', '2', { temperature: 4 }, { subject: 'a' });
    await post(b, sent(one), 'other');
    expect((await post(b, sentTogether([one, two, two]), 'other')).json).toEqual({
      accepted: 1,
      duplicates: 2,
      ignored: 0,
    });
    // The same id of another source is another event.
    await post(b, sent(cloudEvent('/other', '2', { temperature: 5 }, { subject: 'a' })), 'other');
    const key = { 'idempotency-key': 'k1' };
    await post(b, plain({ temperature: 1 }), 'right', key);
    expect((await post(b, plain({ temperature: 1 }), 'right', key)).json).toMatchObject({ duplicates: 1 });
    expect(b.heard.map((h) => h.result.readings[0]?.value)).toEqual([3, 4, 5, 1]);
    for (let n = 0; n < 600; n++) {
      if (n % 20 === 0) await b.clock.advance(1000);
      expect((await post(b, sent(cloudEvent('/flats', `n${n}`, {}, { subject: 'a' })), 'other')).status).toBe(202);
    }
    // Forgotten after so many others: memory is bounded, and README says so.
    expect(b.rows.size).toBe(512 + 1);
    expect((await post(b, sent(one), 'other')).json).toMatchObject({ accepted: 1 });
  });

  it('count once over a restart, each for its own devices', async () => {
    const b = await bench();
    const one = sent(cloudEvent('/flats', '1', { temperature: 3 }, { subject: 'a' }));
    const key = { 'idempotency-key': 'k1' };
    await post(b, one, 'other');
    await post(b, plain({ temperature: 1 }), 'right', key);
    for (let n = 0; n < 520; n++) {
      if (n % 20 === 0) await b.clock.advance(1000);
      await post(b, sent(cloudEvent('/flats', `n${n}`, {}, { subject: 'b' })), 'other');
    }
    const after = await bench({}, b.rows);
    expect((await post(after, one, 'other')).json).toMatchObject({ accepted: 0, duplicates: 1 });
    expect((await post(after, plain({ temperature: 1 }), 'right', key)).json).toMatchObject({ duplicates: 1 });
    expect((await post(after, sent(cloudEvent('/flats', 'n519', {}, { subject: 'b' })), 'other')).json).toMatchObject({
      duplicates: 1,
    });
    expect(after.heard).toEqual([]);
    expect([...b.rows.values()].join('')).not.toMatch(/flats|k1/);
    // Rows nobody can read are no rows, and cost nothing else.
    const odd = new Map([...b.rows].map(([at, body], n) => [at, n % 2 === 0 ? body : body.slice(n % 9)]));
    expect((await post(await bench({}, odd), one, 'other')).status).toBe(202);
  });

  it('under a key that was used for another are refused; an empty key is none', async () => {
    const b = await bench();
    const key = { 'idempotency-key': 'k1' };
    expect((await post(b, plain({ temperature: 1 }), 'right', key)).status).toBe(202);
    expect((await post(b, plain({ temperature: 2 }), 'right', key)).status).toBe(409);
    const empty = { 'idempotency-key': '' };
    for (const temperature of [3, 4]) expect((await post(b, plain({ temperature }), 'right', empty)).status).toBe(202);
    expect(b.heard.map((h) => h.result.readings[0]?.value)).toEqual([1, 3, 4]);
    expect(b.intake.dropped()).toEqual({ key_reused: 1 });
  });

  it('are written down before anybody acts on them, and taken back when nobody could', async () => {
    const order: string[] = [];
    let runs = true;
    const b = await bench({
      memory: () => ({ get: () => undefined, set: (_, body) => void order.push(body === null ? 'dropped' : 'kept') }),
      hear: () => runs && order.push('heard') > 0,
      submit: (_, __, ___, id) => {
        order.push('entered');
        return id ?? '';
      },
    });
    await post(b, sent(cloudEvent('/flats', '1', { temperature: 3 }, { subject: 'a' })), 'other');
    expect(order.splice(0)).toEqual(['kept', 'heard']);
    await post(b, plain({ form: 'report', id: '1', fields: {} }), 'desk', { path: '/v1/forms' });
    expect(order.splice(0)).toEqual(['kept', 'entered', 'heard']);
    runs = false;
    await post(b, sent(cloudEvent('/flats', '2', { temperature: 3 }, { subject: 'a' })), 'other');
    expect(order).toEqual(['kept', 'dropped']);
  });

  it('are not said to be taken before they are safe, and are not taken twice because of it', async () => {
    let isSafe = false;
    const b = await bench({ settled: () => Promise.resolve(isSafe) });
    const event = sent(cloudEvent('/flats', '1', { temperature: 3 }, { subject: 'a' }));
    expect(await post(b, event, 'other')).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    isSafe = true;
    expect((await post(b, event, 'other')).json).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(b.heard).toHaveLength(1);
  });

  it('of a device that is just being changed are to be sent again', async () => {
    let runs = false;
    const b = await bench({ hear: () => runs });
    const event = sent(cloudEvent('/flats', '1', { temperature: 3 }, { subject: 'a' }));
    expect((await post(b, event, 'other')).status).toBe(503);
    runs = true;
    expect((await post(b, event, 'other')).json).toMatchObject({ accepted: 1 });
  });

  it('are rationed for each token', async () => {
    const b = await bench();
    const flood = async (token: string) => {
      let taken = 0;
      for (let n = 0; n < 150; n++) if ((await post(b, plain({ temperature: n }), token)).status === 202) taken++;
      return taken;
    };
    expect(await flood('right')).toBe(100);
    expect(await post(b, plain({ temperature: 1 }), 'right')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '5' },
    });
    expect((await post(b, sent(cloudEvent('/flats', '1', {}, { subject: 'a' })), 'other')).status).toBe(202);
    await b.clock.advance(1000);
    expect((await post(b, plain({ temperature: 1 }), 'right')).status).toBe(202);
    expect(b.intake.dropped()).toEqual({ flood: 51 });
  });
});

describe('who may', () => {
  it('nobody without a token; guessing is slow, and costs only the guesser', async () => {
    const b = await bench();
    const body = plain({ temperature: 1 });
    for (const token of [undefined, '', 'wrong', 'right2', 'x'.repeat(600)])
      expect(await post(b, body, token)).toMatchObject({
        status: 401,
        json: { error: 'unauthorized' },
        headers: { 'www-authenticate': 'Bearer' },
      });
    for (let n = 0; n < 6; n++) await post(b, body, `wrong${n}`);
    expect(await post(b, body, 'right')).toMatchObject({ status: 429, headers: { 'retry-after': '60' } });
    expect((await post(b, body, 'right', { from: '10.0.0.2' })).status).toBe(202);
    await b.clock.advance(6000);
    expect((await post(b, body, 'right')).status).toBe(202);
    expect(b.heard).toHaveLength(2);
  });

  it('a changed token counts without a restart', async () => {
    let token = 'first';
    const b = await bench({ secret: () => Promise.resolve(token) });
    expect((await post(b, plain({ temperature: 1 }), 'first')).status).toBe(202);
    token = 'second';
    await b.clock.advance(31_000);
    expect((await post(b, plain({ temperature: 1 }), 'first')).status).toBe(401);
    expect((await post(b, plain({ temperature: 1 }), 'second')).status).toBe(202);
  });

  it('only what there is', async () => {
    const b = await bench();
    expect((await post(b, plain({}), 'right', { path: '/' })).status).toBe(404);
    expect(await post(b, plain({}), 'right', { method: 'PUT' })).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    });
  });
});

describe('forms', () => {
  const form = (body: object) => plain({ form: 'report', ...body });
  const path = { path: '/v1/forms' };

  it('are entered in the name of their source, once', async () => {
    const entries: unknown[] = [];
    const b = await bench({
      submit: (device, name, fields, id) => {
        entries.push([device, name, fields]);
        return id ?? `r${entries.length}`;
      },
    });
    const body = form({ id: 'page-1', fields: { text: '楼道灯坏了', kind: '灯坏' } });
    const first = await post(b, body, 'desk', path);
    expect(first).toMatchObject({ status: 202, json: { id: expect.stringMatching(/^[0-9A-Z]{26}$/) as unknown } });
    const again = form({ id: 'page-1', fields: { kind: '灯坏', text: '楼道灯坏了' } });
    expect(await post(b, again, 'desk', path)).toEqual(first);
    expect(await post(await bench({}, b.rows), body, 'desk', path)).toEqual(first);
    expect(entries).toEqual([['front', 'report', { text: '楼道灯坏了', kind: '灯坏' }]]);
    expect(b.heard).toEqual(Array(2).fill({ device: 'front', result: { readings: [], faults: [] } }));
    // What people told does not lie about for whoever looks for a fault.
    expect(b.intake.last('front')?.text).toBe('');
  });

  it('of a known id that say something else are refused, and nothing of them is taken', async () => {
    const entries: unknown[] = [];
    const submit = (...entry: unknown[]): string => String(entries.push(entry));
    const b = await bench({ submit });
    const sentAs = (id: string, text: string) => form({ id, fields: { text } });
    expect((await post(b, sentAs('page-1', '灯坏'), 'desk', path)).status).toBe(202);
    const after = await bench({ submit }, b.rows);
    for (const now of [b, after])
      expect(await post(now, sentAs('page-1', '漏水'), 'desk', path)).toMatchObject({
        status: 409,
        json: { error: 'forms.id_reused', zh: expect.stringContaining('page-1') as unknown },
      });
    expect((await post(after, sentAs('page-2', '漏水'), 'desk', path)).status).toBe(202);
    expect(entries).toHaveLength(2);
    expect(b.intake.dropped()).toEqual({ form_refused: 1 });
  });

  it('are refused to whom they are not given, and when they are wrong, with the reason', async () => {
    const b = await bench({
      submit: () => {
        throw new WeinaoError('forms.missing', { form: 'report', field: 'text', label: '内容' });
      },
    });
    expect((await post(b, form({ fields: {} }), 'right', path)).status).toBe(403);
    expect((await post(b, plain({ form: 'health', fields: {} }), 'desk', path)).status).toBe(403);
    for (let n = 0; n < 2; n++)
      expect((await post(b, form({ id: 'again', fields: {} }), 'desk', path)).status).toBe(422);
    const refused = await post(b, form({ fields: {} }), 'desk', path);
    expect(refused).toMatchObject({ status: 422, json: { error: 'forms.missing' } });
    expect(JSON.stringify(refused.json)).toContain('内容');
    for (const body of [{}, { fields: [] }, { fields: 'x' }, { fields: {}, id: 7 }])
      expect((await post(b, form(body), 'desk', path)).status).toBe(400);
    expect((await post(b, sent({}), 'desk', path)).status).toBe(415);
    expect(b.heard).toEqual([]);
  });
});

describe('the section', () => {
  it('takes something', () => {
    const token = { token: { file: 't' } };
    expect(face.problems(deviceSchema.parse(token)).map((p) => p.code)).toEqual(['config.nothing_taken']);
    expect(face.problems(deviceSchema.parse({ ...token, forms: ['report'] }))).toEqual([]);
    expect(face.secrets?.(deviceSchema.parse(token))).toEqual({ token: { file: 't' } });
    expect(deviceSchema.safeParse({ token: 'in the clear', forms: ['a'] }).success).toBe(false);
  });
});
