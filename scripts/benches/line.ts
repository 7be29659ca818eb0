/**
 * A paced 9600-baud line of ten slaves with gaps between their registers (test/peer/line.c, an analyser of its own): the full cycle that the gateway
 * reaches by itself, against the least that is possible, tried out here over all ways to cut the registers into reads, without the planner. Then the
 * same with two slaves dead. The gateway is asked to poll faster than the line can carry.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { callLocal } from '../../src/io/local-api.ts';
import { createVerifier } from '../../src/uplink/index.ts';
import { broker, compile, fixed, folder, gateway, pause, row, subscribe } from './kit.ts';

const BAUD = 9600;
const TURNAROUND = 5;
const CHARACTER = 10_000 / BAUD;
/** gap before the request, request, the device's thinking, the reply's frame */
const READ = (3.5 + 8 + 5) * CHARACTER + TURNAROUND;
const REGISTER = 2 * CHARACTER;
const LEARNING = 15_000;
const SECONDS = Number(process.env.SECONDS ?? 30);

interface Ranges {
  readonly slaves: readonly [number, number];
  readonly ranges: readonly (readonly [number, number])[];
  readonly strict: boolean;
}
interface Seen {
  readonly requests: number;
  readonly exceptions: number;
  readonly gap_violations: number;
  readonly least_gap_ms: number;
  readonly collisions: number;
  readonly bad_crc: number;
  readonly cycles: number;
  readonly mean_ms: number;
}

const GAPS: readonly Ranges[] = [
  {
    slaves: [1, 10],
    ranges: [
      [0, 9],
      [12, 21],
      [30, 49],
    ],
    strict: false,
  },
];
const MIXED: readonly Ranges[] = [
  {
    slaves: [1, 5],
    ranges: [
      [0, 9],
      [12, 21],
      [30, 49],
    ],
    strict: false,
  },
  {
    slaves: [6, 10],
    ranges: [
      [0, 9],
      [14, 23],
      [60, 79],
    ],
    strict: true,
  },
];

/** All ways to cut: each bit of `cuts` a border between two ranges. A strict slave refuses what it does not have. */
function least(map: readonly Ranges[], dead: readonly number[]): number {
  let total = 0;
  for (const { slaves, ranges, strict } of map) {
    let best = Number.POSITIVE_INFINITY;
    for (let cuts = 0; cuts < 2 ** (ranges.length - 1); cuts++) {
      let ms = 0;
      let from = 0;
      for (let i = 0; i < ranges.length; i++) {
        if (i < ranges.length - 1 && (cuts & (1 << i)) === 0) continue;
        const count = (ranges[i]?.[1] ?? 0) - (ranges[from]?.[0] ?? 0) + 1;
        ms += count > 125 || (strict && i > from) ? Number.POSITIVE_INFINITY : READ + REGISTER * count;
        from = i + 1;
      }
      best = Math.min(best, ms);
    }
    for (let s = slaves[0]; s <= slaves[1]; s++) if (!dead.includes(s)) total += best;
  }
  return total;
}

const text = (map: readonly Ranges[]): string =>
  map
    .map(
      ({ slaves, ranges, strict }) =>
        `${slaves.join('-')}:${ranges.map((r) => r.join('-')).join(',')}${strict ? '!' : ''}`,
    )
    .join(';');

function site(map: readonly Ranges[], path: string, url: string): string {
  const devices = map.flatMap(({ slaves, ranges }) => {
    const registers = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
    const points = registers.map((r) => `r${r}: {register: holding ${r}, as: uint16, class: none}`).join(', ');
    return Array.from({ length: slaves[1] - slaves[0] + 1 }, (_, i) => slaves[0] + i).map(
      (s) => `  d${s}: {driver: modbus, channel: rs485, address: ${s}, poll: 200ms, points: {${points}}}\n`,
    );
  });
  return `site: {id: line, name: 总线}
gateway: {id: gw1, data: DATA, commit_window: 1s}
channels: {rs485: {serial: ${path}, baud: ${BAUD}, timeout: 300ms}}
devices:
${devices.join('')}feeds: {street: {to: "${url}", view: everything}}
`;
}

const program = join(folder(), 'line');
compile('test/peer/line.c', program, '-lutil');
const { url } = await broker();

async function measure(
  map: readonly Ranges[],
  dead: readonly number[],
): Promise<{ seen: Seen; wrong: number; values: number }> {
  const path = join(folder(), 'line');
  const child: ChildProcess = spawn(
    program,
    [path, String(BAUD), String(TURNAROUND), text(map), dead.join(',')].filter((a) => a !== ''),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const verifier = createVerifier();
  let wrong = 0;
  let values = 0;
  const watching = await subscribe(url, 'wn/1/street/line/up/t', (topic, payload) => {
    const samples = (verifier.take(topic, payload)?.data.samples ?? []) as {
      d: string;
      p: string;
      t: string;
      v?: number;
    }[];
    for (const { d, p, t, v } of samples) {
      if (v === undefined) continue;
      values++;
      const base = Number(d.slice(1)) * 211 + Number(p.slice(1)) * 7;
      const second = Math.floor(Date.parse(t) / 1000);
      if (![0, 1].some((ago) => (base + second - ago) % 65_536 === v)) wrong++;
    }
  });
  await pause(500);
  const daemon = gateway({ 'weinao.yaml': site(map, path, url) });
  await pause(LEARNING);
  child.kill('SIGUSR1');
  await pause(SECONDS * 1000);
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  await ended;
  await callLocal(daemon.socket, 'GET', '/v1/status');
  daemon.child.kill('SIGKILL');
  await watching.close();
  return { seen: JSON.parse(said.slice(said.indexOf('{'))) as Seen, wrong, values };
}

for (const [name, map, dead] of [
  ['gaps that may be read', GAPS, []],
  ['half of the slaves refuse their gaps', MIXED, []],
  ['two slaves of ten dead', GAPS, [3, 7]],
] as const) {
  const minimum = least(map, dead);
  const { seen, wrong, values } = await measure(map, dead);
  const ratio = seen.mean_ms / minimum;
  row(
    `${name}: cycle, ms`,
    `${fixed(seen.mean_ms, 0)} = ${fixed(ratio, 3)} x the least, ${fixed(minimum, 0)}`,
    '<= 1.1',
    ratio <= 1.1,
  );
  row(
    '  gaps cut, collisions, refusals, wrong values',
    `${seen.gap_violations}, ${seen.collisions + seen.bad_crc}, ${seen.exceptions}, ${wrong} of ${values}`,
    '0, 0, 0, 0',
    seen.gap_violations + seen.collisions + seen.bad_crc + seen.exceptions + wrong === 0 && values > 0,
  );
}
process.exit(0);
