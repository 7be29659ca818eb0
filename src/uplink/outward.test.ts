/** The bytes that leave. They may change only together with ENCODER, for every change of them is a new epoch at every platform. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECRET, SEES_ALL } from '../../test/fakes/entitlement.ts';
import type { StoredEvent, Stream } from '../base/event.ts';
import type { ContractRow, JournalRow, OutMessage, StreamHead } from '../base/feed.ts';
import type { ResolvedView } from '../base/view.ts';
import { openGatewayKey } from '../io/keys.ts';
import { createOutward, ENCODER } from './outward.ts';
import { proofOf } from './proof.ts';
import { createVerifier } from './verifier.ts';

const CONTRACT: ContractRow = {
  feed: 'street',
  epoch: '00112233445566ff',
  source: 'urn:weinao:sz0012:gw1',
  ...SEES_ALL,
  encoder: ENCODER,
  encoding: 'json',
  id: '01KAW0000000000000000000E0',
  madeAt: Date.UTC(2026, 10, 20, 3),
  reason: 'new',
};
const at = { wall: Date.UTC(2026, 10, 20, 3, 0, 1, 250), mono: 1250.4, synced: true };
const event = (n: number, more: Partial<StoredEvent> = {}): JournalRow => ({
  position: 6 + n,
  kind: 'event',
  event: {
    id: `01KAW000000000000000000${String(n).padStart(3, '0')}`,
    position: 6 + n,
    recorded: at.wall + 5,
    boot: 'aabbccdd00112233',
    kind: 'alarm.raised',
    at,
    level: 'red',
    subject: 'tank_1',
    correlation: '01KAW0000000000000000000A1',
    data: { rev: 1, text: '水位 {level} 米', values: { level: 0.75 } },
    ...more,
  },
});
const group: JournalRow = {
  position: 9,
  kind: 'group',
  id: '01KAW000000000000000000G09',
  recorded: at.wall + 1000,
  oldest: at.wall - 500,
  newest: at.wall,
  count: 2,
  boot: 'aabbccdd00112233',
  mono: 1250.4,
  synced: false,
  samples: new TextEncoder().encode(
    '[{"d":"tank_1","p":"level","t":1,"v":0.75},{"d":"tank_1","p":"pump","q":"bad","t":1,"why":"no reply"}]',
  ),
};
const ROWS: readonly JournalRow[] = [
  event(1),
  event(2, {
    kind: 'alarm.cleared',
    causation: '01KAW000000000000000000001',
    test: true,
    at: { ...at, synced: false },
  }),
  group,
  event(4, { kind: 'device.offline', data: { device: 'tank_1' } }),
];

function streamOf(stream: Stream, contract = CONTRACT, rows = ROWS, secret?: Uint8Array): OutMessage[] {
  const outward = createOutward(secret);
  const made = [outward.open(contract, stream, 6)];
  let head: StreamHead = made.at(-1) ?? { position: 6, seq: 0, hash: '' };
  for (const row of rows) {
    const member = outward.encode(contract, stream, head, row);
    if (member !== undefined) made.push(member);
    head = member ?? { ...head, position: row.position };
  }
  return made;
}
const text = (m: OutMessage): string => new TextDecoder().decode(m.payload);
const members = (): string[] => [...streamOf('a'), ...streamOf('t')].map(text);
const topicOf = (line: string): string => `wn/1/street/sz0012/up/${line.includes('street.a.') ? 'a' : 't'}`;

describe('the outward bytes', () => {
  it('are the golden ones of this encoder', () => {
    expect({ encoder: ENCODER, members: members() }).toMatchSnapshot();
  });

  it('are the golden ones of a feed that may see some of it', () => {
    const view: ResolvedView = {
      kind: 'list',
      alarms: [{ classes: [], drop: [], scrub: true, level: ['red'] }],
      points: { tank_1: { level: 'none' } },
      devices: [],
      stats: {},
      forms: { report: { classes: [], drop: [], scrub: true } },
    };
    const contract = { ...CONTRACT, view: 'street.1', selects: view };
    const door = event(5, {
      subject: 'door_301',
      classes: { device: 'personal', 'values.name': 'personal', spot: 'personal' },
      told: ['police'],
      data: {
        key: 'elder_door/door_301',
        device: 'door_301',
        level: 'orange',
        top: 'red',
        name: '48 小时未开门',
        text: '{name} 已 {hours} 小时未开门，电话13812345678',
        values: { name: '王秀兰家', hours: 48 },
        by: '王秀兰',
        mute_reason: '老人外出',
        place: { path: 'b3', name: '3栋', lat: 22.5402, lon: 114.0503 },
        spot: { path: 'b3_301', name: '3栋301', lat: 22.54021, lon: 114.05031 },
      },
    });
    const report = event(6, {
      kind: 'report.created',
      subject: 'report',
      classes: { 'fields.text': 'personal', 'fields.kind': 'none' },
      data: { form: 'report', name: '报事', fields: { text: '301 有人摔倒', kind: '求助', count: 2 }, by: '李四' },
    });
    const other = event(7, { data: { level: 'blue', top: 'blue' }, level: 'blue' });
    const rows = [
      event(1),
      group,
      door,
      report,
      other,
      event(8, { kind: 'device.offline', data: { device: 'tank_1' } }),
    ];
    const outward = (stream: Stream) => streamOf(stream, contract, rows, SECRET).map(text);
    expect([...outward('a'), ...outward('t')]).toMatchSnapshot();
    expect(outward('a')).toHaveLength(4);
    expect(outward('t')).toHaveLength(2);
  });

  it('tell what was lost, and what cannot be told again, as members of the stream', () => {
    const loss = { lost: 2125, from: at.wall, to: at.wall + 60_000 };
    const asked = { stream: 'street.a.ffeeddccbbaa9988', first: 1, last: 7 };
    const gaps: JournalRow[] = [
      {
        position: 7,
        kind: 'gap',
        gap: { id: '01KAW0000000000000000000G1', reason: 'disk-full', madeAt: at.wall, loss },
      },
      {
        position: 8,
        kind: 'gap',
        gap: { id: '01KAW0000000000000000000G2', reason: 'withdrawn', madeAt: at.wall, asked },
      },
    ];
    const members = streamOf('t', CONTRACT, gaps).map(text);
    expect(members).toMatchSnapshot();
    const verifier = createVerifier();
    for (const line of members) verifier.take(topicOf(line), new TextEncoder().encode(line));
    expect(verifier.summary()).toMatchObject({ chain: 'ok', gaps: 0, dropped: 2125, events: 0 });
  });

  it('come of every row, whatever numbers and keys are in it', () => {
    const odd = {
      lat: 22.540871,
      big: 1e300,
      位置: 1,
      none: null as never,
      deep: [{ x: Number.NaN, y: -0 }],
      text: 'a',
    };
    const [, member] = streamOf('a', CONTRACT, [event(1, { kind: 'command.result', data: odd })]).map(text);
    expect(JSON.parse(member ?? '').data).toEqual({ lat: 22.5409, deep: [{ y: 0 }], text: 'a' });
  });

  it('tell nobody else what a platform calls its command', () => {
    const selects: ResolvedView = {
      ...{ kind: 'list', alarms: [], points: {}, devices: [], stats: {}, forms: {} },
      commands: { classes: [], drop: [], scrub: true },
    };
    const result = (n: number, outcome: string): JournalRow =>
      event(n, { kind: 'command.result', data: { feed: 'street', id: '王秀兰 13912345678', outcome } });
    const rows = [result(1, 'accepted'), result(2, 'done')];
    const ids = (feed: string): unknown[] =>
      streamOf('a', { ...CONTRACT, feed, selects }, rows, new Uint8Array(32))
        .slice(1)
        .map((m) => JSON.parse(text(m)).data.id);
    expect(ids('street')).toEqual(['王秀兰 13912345678', '王秀兰 13912345678']);
    const [first, second] = ids('city');
    expect(first).toMatch(/^p_[0-9a-f]{16}$/);
    expect(second).toBe(first);
  });

  it('are the same under zstd, and recognised by their first bytes', () => {
    const packed = streamOf('t', { ...CONTRACT, encoding: 'json+zstd' });
    const verifier = createVerifier();
    for (const m of packed) verifier.take('wn/1/street/sz0012/up/t', m.payload);
    expect(verifier.summary()).toMatchObject({ chain: 'ok', members: 3, samples: 2 });
    expect(packed.map((m) => m.hash)).toEqual(streamOf('t').map((m) => m.hash));
  });
});

describe('the verifier', () => {
  const verify = (lines: readonly string[]) => {
    const verifier = createVerifier();
    for (const line of lines) verifier.take(topicOf(line), new TextEncoder().encode(line));
    return verifier.summary();
  };
  const change = (index: number, from: string, to: string): string[] =>
    members().map((line, i) => (i === index ? line.replace(from, to) : line));

  it('proves what is whole', () => {
    expect(verify(members())).toMatchObject({ chain: 'ok', gaps: 0, members: 6, events: 4, faults: [] });
  });

  it.each([
    ['data', change(1, '0.75', '0.85'), 'data was altered'],
    ['text', change(1, '水位', '水温'), 'data was altered'],
    ['the envelope', change(2, ',"wntest":true', ''), 'envelope was altered'],
    ['the time', change(4, '03:00:01.250Z', '03:00:01.251Z'), 'envelope was altered'],
    ['an id', change(5, '01KAW000000000000000000004', '01KAW000000000000000000005'), 'envelope was altered'],
  ])('disproves a changed %s', (_, lines, fault) => {
    expect(verify(lines)).toMatchObject({ chain: 'broken' });
    expect(verify(lines).faults.join()).toContain(fault);
  });

  it('disproves a member left out, in the middle or at the beginning', () => {
    const [first, , third, ...rest] = members();
    expect(verify([first ?? '', third ?? '', ...rest])).toMatchObject({ gaps: 1, chain: 'ok' });
    expect(verify([third ?? '', ...rest])).toMatchObject({ gaps: 1 });
  });

  it('takes a member that comes late, if it is the right one', () => {
    const [first = '', second = '', third = '', ...rest] = members();
    expect(verify([first, third, second, ...rest])).toMatchObject({ gaps: 0, chain: 'ok', members: 6 });
    const other = streamOf('a', CONTRACT, [event(1, { subject: 'tank_2' })]).map(text)[1] ?? '';
    expect(verify([first, third, other, ...rest])).toMatchObject({ gaps: 0, chain: 'broken' });
  });

  it('disproves a chain whose links were all made again without the key', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weinao-outward-'));
    try {
      const signer = await openGatewayKey(folder);
      const last = streamOf('a').at(-1);
      const forged = streamOf('a', CONTRACT, [event(1, { subject: 'tank_2' }), ...ROWS.slice(1)]);
      const proof = proofOf('street.a.00112233445566ff', last?.seq ?? 0, last?.hash ?? '', signer);
      const hello = JSON.stringify({ key: signer.publicKey });
      const run = (lines: readonly string[], signed: string) => {
        const verifier = createVerifier();
        for (const line of lines) verifier.take('wn/1/street/s/up/a', new TextEncoder().encode(line));
        verifier.take('wn/1/street/s/up/proof/a', new TextEncoder().encode(signed));
        verifier.take('wn/1/street/s/up/hello', new TextEncoder().encode(hello));
        return verifier.summary();
      };
      expect(run(streamOf('a').map(text), proof)).toMatchObject({ chain: 'ok', proofs: { good: 1, bad: 0 } });
      expect(run(forged.map(text), proof)).toMatchObject({ chain: 'broken', proofs: { good: 0, bad: 1 } });
      const unsigned = JSON.stringify({ ...JSON.parse(proof), hash: forged.at(-1)?.hash });
      expect(run(forged.map(text), unsigned)).toMatchObject({ chain: 'broken', proofs: { good: 0, bad: 1 } });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('agrees with a second verifier, written in another language', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weinao-outward-'));
    const python = (lines: readonly string[]): { status: number; out: string } => {
      const file = join(folder, 'capture.ndjson');
      writeFileSync(file, lines.map((line) => JSON.stringify({ topic: topicOf(line), payload: line })).join('\n'));
      const script = join(import.meta.dirname, '../../scripts/verify-feed.py');
      try {
        return { status: 0, out: execFileSync('python3', [script, file], { encoding: 'utf8' }) };
      } catch (error) {
        const { status, stdout } = error as { status: number; stdout: string };
        return { status, out: stdout };
      }
    };
    try {
      expect(python(members())).toEqual({ status: 0, out: 'members 6  anchors 0, whole 0  faults 0\n' });
      expect(python(change(1, '0.75', '0.85'))).toMatchObject({ status: 7, out: expect.stringContaining('data') });
      expect(python(change(2, ',"wntest":true', ''))).toMatchObject({
        status: 7,
        out: expect.stringContaining('envelope'),
      });
      expect(python(members().filter((_, i) => i !== 1))).toMatchObject({
        status: 7,
        out: expect.stringContaining('missing'),
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
