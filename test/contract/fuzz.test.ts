/**
 * Every codec against random and mutated bytes: never a throw, never long, and never a value out of a frame whose checksum fails. FUZZ is the number
 * of inputs for each protocol: 100,000 in the suite, millions in a night (scripts/test --night, or FUZZ=20000000).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { unhex } from '../../src/base/bytes.ts';

const INPUTS = Number(process.env.FUZZ ?? (process.env.WEINAO_NIGHT === '1' ? 5_000_000 : 100_000));
const ROOT = join(import.meta.dirname, '../../drivers');

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const replies = (driver: string, protocol: string): Uint8Array[] =>
  readdirSync(join(ROOT, driver, 'cases'))
    .flatMap((file) =>
      readFileSync(join(ROOT, driver, 'cases', file), 'utf8')
        .trim()
        .split('\n'),
    )
    .map((line) => JSON.parse(line) as { protocol: string; [key: string]: string | null | undefined })
    .filter((c) => c.protocol === protocol)
    .flatMap((c) => [
      ...[c.response, c.request].flatMap((hex) => unhex(hex ?? '') ?? []),
      ...(c.base64 == null ? [] : [new Uint8Array(Buffer.from(c.base64, 'base64'))]),
    ])
    .filter((b) => b.length > 0);

const all = drivers.flatMap((d) => d.protocols.map((protocol) => [protocol, d] as const));

describe.each(all)('%s', (protocol, driver) => {
  const seeds = replies(driver.name, protocol);
  // Documents are longer than frames, have no checksum, and a fuzz test of their own beside their driver.
  const isText = driver.carries.length === 0;
  const inputs = isText ? INPUTS / 4 : INPUTS;
  const decode = (response: Uint8Array) => driver.decode({ protocol, response });

  it(`takes ${inputs} random and mutated inputs`, { timeout: 60_000 + INPUTS / 2 }, () => {
    const random = seeded(7);
    let slowest = 0;
    for (let n = 0; n < inputs; n++) {
      const input = n % 4 === 0 ? noise(random) : mutated(random, seeds);
      const from = performance.now();
      const { outcome } = decode(input);
      slowest = Math.max(slowest, performance.now() - from);
      if (typeof outcome !== 'string') throw new Error(`no outcome for ${Buffer.from(input).toString('hex')}`);
    }
    expect(slowest).toBeLessThan(1000);
  });

  it.runIf(!isText)('makes no other value of any single changed byte', () => {
    // A change may mend a frame that is broken to begin with.
    for (const seed of seeds.filter((s) => decode(s).outcome !== 'reject')) {
      const values = told(decode(seed));
      for (let at = 0; at < seed.length; at++) {
        for (const change of [0x01, 0x33, 0x80, 0xff]) {
          const now = told(decode(seed.map((b, i) => (i === at ? b ^ change : b))));
          for (const value of now)
            if (!values.includes(value))
              throw new Error(`${value} out of a changed byte ${at} of ${Buffer.from(seed).toString('hex')}`);
        }
      }
    }
  });
});

/** Every value a decoding tells, as text. */
function told(decoded: unknown): string[] {
  if (typeof decoded !== 'object' || decoded === null) return [];
  return Object.entries(decoded).flatMap(([key, value]) =>
    ['values', 'records', 'registers', 'bits', 'object'].includes(key) ? [JSON.stringify(value)] : told(value),
  );
}

function noise(random: (below: number) => number): Uint8Array {
  return Uint8Array.from({ length: random(300) }, () => random(256));
}

function mutated(random: (below: number) => number, seeds: readonly Uint8Array[]): Uint8Array {
  const seed = seeds[random(seeds.length)] ?? new Uint8Array(0);
  const out = [...seed];
  for (let i = random(4); i >= 0; i--) {
    const at = random(out.length + 1);
    const kind = random(5);
    if (kind === 0) out.splice(at, 1);
    else if (kind === 1) out.splice(at, 0, random(256));
    else if (kind === 2) out.splice(at, random(20));
    else if (kind === 3) out.push(...(seeds[random(seeds.length)] ?? []));
    else out[Math.min(at, out.length - 1)] = random(256);
  }
  return Uint8Array.from(out.slice(0, 2000));
}
