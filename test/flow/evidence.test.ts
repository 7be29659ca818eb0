/** What recipients can hold the gateway to: two feeds captured over days, a change of key, anchors; and everything somebody might do to a capture. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVerifier, type Summary } from '../../src/uplink/index.ts';
import { openEstate } from '../kit/estate.ts';
import { tempFolder } from '../kit/site.ts';

const S = 1000;
const M = 60 * S;
const FILES = {
  'weinao.yaml': `site: {id: s1, name: 测试, lat: 22.54, lon: 114.05}
gateway: {id: g1, data: DATA}
channels: {plc: {modbus_tcp: "127.0.0.1:502"}}
devices:
  tank_1: {driver: modbus, channel: plc, address: 1, poll: 10s, type: tank, points: {level: {register: holding 0, as: uint16, unit: m}}}
feeds:
  city: {to: "mqtt://broker", view: everything}
`,
  'rules/a.yaml': 'rule: low\nlevel: red\neach: {type: tank}\nwhen: level < 100\ntext: "{level}"\nact: 补水\n',
};

interface Line {
  readonly topic: string;
  readonly payload: string;
}

let life: Promise<{ readonly data: string; readonly lines: readonly Line[] }> | undefined;

/** Ten minutes before midnight to ten minutes behind it: an alarm, a change of key, a restart, the end of the alarm. */
async function live(): Promise<{ readonly data: string; readonly lines: readonly Line[] }> {
  const e = await openEstate(FILES, [], { turns: 24, wall: Date.UTC(2026, 5, 1, 15, 50) });
  e.set('tank_1.level', 900);
  await e.pass(M);
  e.set('tank_1.level', 20);
  await e.pass(2 * M);
  const rotated = e.house.evidence.rotate();
  await e.pass(S);
  await rotated;
  await e.restart();
  e.set('tank_1.level', 900);
  await e.pass(17 * M);
  const decoder = new TextDecoder();
  const lines = e.broker.taken.map(({ topic, payload }) => ({ topic, payload: decoder.decode(payload) }));
  const { data } = e.house.model().gateway;
  const files = Object.fromEntries(
    readdirSync(data).map((name) => [name, name.endsWith('.json') ? readFileSync(join(data, name), 'utf8') : '']),
  );
  return { data: JSON.stringify(files), lines };
}

/** lived once for all tests */
const lived = (): NonNullable<typeof life> => {
  life ??= live();
  return life;
};

function judged(lines: readonly Line[], pin?: string): Summary {
  const verifier = createVerifier(pin === undefined ? {} : { pin });
  for (const { topic, payload } of lines) verifier.take(topic, new TextEncoder().encode(payload));
  return verifier.summary();
}

const isSound = (s: Summary): boolean => s.chain === 'ok' && s.gaps === 0 && s.proofs.bad === 0;

function python(folder: string, lines: readonly Line[]): { readonly code: number | null; readonly out: string } {
  const file = join(folder, 'capture.ndjson');
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
  const script = join(import.meta.dirname, '../../scripts/verify-feed.py');
  const { status, stdout, stderr } = spawnSync('python3', [script, file], { encoding: 'utf8' });
  if (status === 1) throw new Error(stderr);
  return { code: status, out: stdout + stderr };
}

const isMember = ({ topic }: Line): boolean => topic.endsWith('/up/a') || topic.endsWith('/up/t');
const isProof = ({ topic }: Line): boolean => topic.includes('/up/proof/');
const dataOf = (line: Line): Record<string, string> =>
  (JSON.parse(line.payload) as { data: Record<string, string> }).data;
const body = (line: Line): Record<string, never> => JSON.parse(line.payload) as Record<string, never>;

describe('evidence', () => {
  it('a life with a change of key, anchors and a restart is sound to both verifiers', {
    timeout: 120_000,
  }, async () => {
    const { data, lines } = await lived();
    const summary = judged(lines);
    expect(summary.faults).toEqual([]);
    expect(isSound(summary)).toBe(true);
    const anchors = lines.filter((l) => body(l).type === 'weinao.feed.anchor.v1');
    // At its very first start it had nothing to anchor; at the second one it had.
    expect(anchors.map((l) => dataOf(l).day)).toEqual(['2026-06-01', '2026-06-02']);
    expect(summary.anchors).toEqual({ whole: 2, part: 0 });
    const keys = lines.filter((l) => body(l).type === 'weinao.feed.key.v1').map((l) => dataOf(l));
    expect(keys.length).toBe(1);
    const kids = new Set(lines.filter(isProof).map((l) => String(body(l).kid)));
    expect([...kids]).toEqual([keys[0]?.old, keys[0]?.kid]);
    // Whoever pinned the first key follows; whoever pinned a stranger's believes nothing.
    expect(judged(lines, keys[0]?.old).proofs).toEqual(summary.proofs);
    expect(judged(lines, '0000000000000000').proofs).toMatchObject({ good: 0 });
    // Whoever comes later finds the change in the manifest.
    const late = lines.slice(lines.findIndex((l) => body(l).kid === keys[0]?.kid && l.topic.endsWith('/up/hello')));
    expect(createVerifierMidway(late, keys[0]?.old).proofs.bad).toBe(0);
    const seen = python(tempFolder(), lines);
    expect(seen.out).toBe(`members ${lines.filter(isMember).length}  anchors 2, whole 2  faults 0\n`);
    expect(seen.code).toBe(0);
    // The old private key is gone, its public half and its signature stay.
    const files = JSON.parse(data) as Record<string, string>;
    expect(files['gateway.key.next']).toBeUndefined();
    expect(JSON.parse(files['gateway.keys.json'] ?? '')).toMatchObject([{ old: keys[0]?.old, kid: keys[0]?.kid }]);
  });

  it('what somebody does to a capture is found by both', { timeout: 120_000 }, async () => {
    const { lines } = await lived();
    const folder = tempFolder();
    const at = lines.map((l, i) => (isMember(l) ? i : -1)).filter((i) => i >= 0);
    const middle = at[Math.floor(at.length / 2)] ?? 0;
    const withData = lines.findIndex((l) => l.payload.includes('"level"') && isMember(l));
    const lastProof = lines.findLastIndex((l) => isProof(l) && l.topic.endsWith('/a'));
    const proved = Number(body(lines[lastProof] as Line).seq);
    const put = (i: number, change: (line: Line) => Line): Line[] => lines.map((l, n) => (n === i ? change(l) : l));
    const edit = (i: number, from: string, to: string): Line[] =>
      put(i, (l) => ({ ...l, payload: l.payload.replace(from, to) }));
    const cases: readonly (readonly [string, Line[]])[] = [
      ['deleted', lines.filter((_, n) => n !== middle)],
      ['data edited', edit(withData, '"level"', '"leve1"')],
      ['a test made of an alarm', edit(middle, '"specversion":"1.0"', '"specversion":"1.0","wntest":true')],
      ['time edited', edit(middle, '"recordedtime":"2026', '"recordedtime":"2025')],
      ['swapped', put(middle, (l) => ({ ...l, payload: JSON.stringify({ ...body(l), ...pick(lines, at, middle) }) }))],
      [
        'cut off before a proof',
        lines.filter((l) => !(l.topic.endsWith('/up/a') && Number(body(l).sequence) >= proved)),
      ],
      ['a proof of something else', edit(lastProof, '"hash":"', '"hash":"0')],
      ['signed by somebody else', edit(lastProof, '"kid":"', '"kid":"0')],
      ['an anchor of other heads', anchorChanged(lines)],
      [
        'sent again, changed',
        [
          ...lines,
          { ...(lines[withData] as Line), payload: (lines[withData] as Line).payload.replace('"level"', '"leve1"') },
        ],
      ],
    ];
    const found = cases.map(([what, capture]) => [what, isSound(judged(capture)), python(folder, capture).code]);
    expect(found).toEqual(cases.map(([what]) => [what, false, 7]));
  });

  it('an erased body is no fault, and another in its place is', async () => {
    const { lines } = await lived();
    const i = lines.findIndex((l) => isMember(l) && body(l).type === 'weinao.alarm.raised.v1');
    const erased = lines.map((l, n) =>
      n === i ? { ...l, payload: JSON.stringify({ ...body(l), data: { erased: true } }) } : l,
    );
    expect(isSound(judged(erased))).toBe(true);
    expect(judged(erased).erased).toBe(1);
    expect(python(tempFolder(), erased).code).toBe(0);
    const other = lines.map((l, n) =>
      n === i ? { ...l, payload: JSON.stringify({ ...body(l), data: { erased: false } }) } : l,
    );
    expect(isSound(judged(other))).toBe(false);
    expect(python(tempFolder(), other).code).toBe(7);
  });

  it('whatever byte of whatever member is changed, taken or moved, somebody notices', {
    timeout: 120_000,
  }, async () => {
    const { lines } = await lived();
    const at = lines.map((l, i) => (isMember(l) ? i : -1)).filter((i) => i >= 0);
    // Behind the last proof of its stream a member may be cut off unseen: nobody was promised it yet.
    const provedTo = new Map(lines.filter(isProof).map((l) => [String(body(l).stream), Number(body(l).seq)]));
    const isProved = (i: number): boolean =>
      Number(body(lines[i] as Line).sequence) <= (provedTo.get(String(body(lines[i] as Line).wnstream)) ?? 0);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(at.length - 1),
        fc.nat(),
        fc.constantFrom('delete', 'flip', 'drop-member'),
        async (n, where, how) => {
          const i = at[n] ?? 0;
          const line = lines[i] as Line;
          const keys = Object.keys(body(line)).filter((k) => k !== 'wnhash');
          const key = keys[where % keys.length] ?? '';
          const rest = Object.fromEntries(Object.entries(body(line)).filter(([k]) => k !== key));
          const payload = how === 'drop-member' ? JSON.stringify(rest) : flipped(line.payload, where);
          const changed =
            how === 'delete' ? lines.filter((_, m) => m !== i) : lines.map((l, m) => (m === i ? { ...l, payload } : l));
          if (how === 'delete' && !isProved(i)) return;
          expect(isSound(judged(changed)), `${how} ${i} ${key}`).toBe(false);
        },
      ),
      { numRuns: 150 },
    );
  });
});

function createVerifierMidway(lines: readonly Line[], pin: string | undefined): Summary {
  const verifier = createVerifier({ midway: true, ...(pin === undefined ? {} : { pin }) });
  for (const { topic, payload } of lines) verifier.take(topic, new TextEncoder().encode(payload));
  return verifier.summary();
}

/** id, data and their hash of another member of the stream */
function pick(lines: readonly Line[], at: readonly number[], middle: number): object {
  const stream = body(lines[middle] as Line).wnstream;
  const other = at.find((i) => i !== middle && body(lines[i] as Line).wnstream === stream && i > 3) ?? 0;
  const { data, wndata, id } = body(lines[other] as Line);
  return { data, wndata, id };
}

function anchorChanged(lines: readonly Line[]): Line[] {
  return lines.map((l) => {
    const event = body(l) as unknown as { type?: string; data: { heads: string[] } };
    if (event.type !== 'weinao.feed.anchor.v1') return l;
    const heads = event.data.heads.map((head) => head.slice(0, -1) + (head.endsWith('0') ? '1' : '0'));
    return { ...l, payload: JSON.stringify({ ...event, data: { ...event.data, heads } }) };
  });
}

/** One character of a value is another. */
function flipped(text: string, where: number): string {
  const places = [...text].map((c, i) => (/[0-9a-z]/i.test(c) ? i : -1)).filter((i) => i >= 0);
  const i = places[where % places.length] ?? 0;
  return text.slice(0, i) + (text[i] === '1' ? '2' : '1') + text.slice(i + 1);
}
