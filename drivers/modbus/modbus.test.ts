import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16, unhex } from '../../src/base/bytes.ts';
import type { LineChannel } from '../../src/base/model.ts';
import type { Simulator } from '../../src/kit/simulator.ts';
import { type DriverLine, driverLine } from '../../test/kit/driver-line.ts';
import { decoderOf, encode, type Layout, scaler } from './codec.ts';
import { decodeModbus } from './decode.ts';
import { rtuFramer, tcpFramer } from './frame.ts';
import { modbus } from './index.ts';
import { plan, STANDARD_LIMITS, totalOf } from './plan.ts';
import { modbusProblems } from './problems.ts';
import { deviceSchema } from './schema.ts';
import { createModbusSimulator, type SimulatedUnit } from './simulator.ts';

const layout = (over: Partial<Layout>): Layout => ({
  as: 'uint16',
  order: 'ABCD',
  length: 0,
  scale: 1,
  offset: 0,
  nan: [],
  ...over,
});
const bytes = (text: string): Uint8Array => unhex(text) ?? new Uint8Array(0);
const withCrc = (text: string): Uint8Array => {
  const body = bytes(text);
  const crc = crc16(body);
  return Uint8Array.of(...body, crc & 0xff, crc >> 8);
};

const holding = (address: number): unknown => ({ register: `holding ${address}`, as: 'uint16' });

describe('values', () => {
  const cases: readonly [Partial<Layout>, string, unknown][] = [
    [{ as: 'int16' }, 'FF9C', -100],
    [{ as: 'uint16' }, 'FF9C', 65436],
    [{ as: 'int16', order: 'DCBA' }, '9CFF', -100],
    [{ as: 'int32' }, 'FFFFFF9C', -100],
    [{ as: 'uint32', order: 'CDAB' }, '0002 0001', 65538],
    [{ as: 'uint32', order: 'BADC' }, '0100 0200', 65538],
    [{ as: 'uint32', order: 'DCBA' }, '0200 0100', 65538],
    [{ as: 'float32' }, '43663333', Math.fround(230.2)],
    [{ as: 'float32', order: 'CDAB' }, '33334366', Math.fround(230.2)],
    [{ as: 'float32', order: 'BADC' }, '66433333', Math.fround(230.2)],
    [{ as: 'float32', order: 'DCBA' }, '33336643', Math.fround(230.2)],
    [{ as: 'float64' }, '406CC66666666666', 230.2],
    [{ as: 'int64' }, 'FFFFFFFFFFFFFFFE', -2],
    [{ as: 'uint64', order: 'CDAB' }, '0005 0000 0000 0000', 5],
    [{ as: 'uint64' }, 'FFFFFFFFFFFFFFFE', 'range'],
    [{ as: 'bcd16' }, '1234', 1234],
    [{ as: 'bcd16' }, '12A4', 'range'],
    [{ as: 'bcd32' }, '00193600', 193600],
    [{ as: 'float32' }, '7FC00000', 'nan'],
    [{ as: 'float32' }, '7F800000', 'nan'],
    [{ as: 'int16', nan: [32767] }, '7FFF', 'nan'],
    [{ as: 'uint16', scale: 0.1 }, '08E3', 227.5],
    [{ as: 'uint16', scale: 0.1, offset: -40 }, '0001', -39.9],
    [{ as: 'uint16', max: 100 }, '0065', 'range'],
    [{ as: 'int16', min: 0 }, 'FFFF', 'range'],
    [{ as: 'uint16', bit: 3 }, '0008', true],
    [{ as: 'uint16', bit: 3 }, '0007', false],
    [{ as: 'bool' }, '0001', true],
    [{ as: 'bool', bit: 15 }, '8000', true],
    [{ as: 'string', length: 5 }, '48 65 6C 6C 6F 00', 'Hello'],
    [{ as: 'string', length: 4, order: 'BADC' }, '65 48 6C 6C', 'Hell'],
    [{ as: 'string', length: 2 }, 'FF FE', 'range'],
  ];
  it.each(cases)('%o of %s is %o', (over, text, expected) => {
    const got = decoderOf(layout(over))(bytes(text), 0);
    expect(got.value === null ? got.why : got.value).toBe(expected);
  });

  it('reads at an offset and through a view', () => {
    const whole = bytes('0000 0000 0102');
    expect(decoderOf(layout({}))(whole.subarray(2), 2)).toEqual({ value: 258 });
  });

  it('writes what it reads, in every type and order', () => {
    const types = ['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'bcd16', 'bcd32'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom('ABCD', 'CDAB', 'BADC', 'DCBA'),
        fc.integer({ min: 0, max: 9999 }),
        (as, order, value) => {
          const l = layout({ as, order });
          const out = encode(l, value);
          expect(out).toBeDefined();
          expect(decoderOf(l)(out ?? new Uint8Array(8), 0)).toEqual({ value });
        },
      ),
    );
  });

  it('refuses to write what the register cannot hold', () => {
    expect(encode(layout({ as: 'uint16' }), -1)).toBeUndefined();
    expect(encode(layout({ as: 'int16' }), 40000)).toBeUndefined();
    expect(encode(layout({ as: 'uint16' }), Number.NaN)).toBeUndefined();
    expect(encode(layout({ as: 'bcd16' }), 12345)).toBeUndefined();
    expect(encode(layout({ as: 'uint16' }), true)).toBeUndefined();
  });

  it('scales decimals without binary noise', () => {
    expect(scaler(0.01, 0)(1999)).toBe(19.99);
    expect(scaler(0.001, -1)(1)).toBe(-0.999);
  });
});

describe('plan', () => {
  const at = (id: string, address: number, count = 1, table: 'holding' | 'coil' = 'holding') => ({
    id,
    table,
    address,
    count,
  });
  it('merges what touches, and bridges what is cheaper than another read', () => {
    const points = [at('c', 5), at('a', 0, 2), at('b', 2), at('x', 2, 1, 'coil')];
    const rest = { table: 'coil', address: 2, count: 1, points: ['x'] };
    expect(plan(points, STANDARD_LIMITS)).toEqual([
      { table: 'holding', address: 0, count: 3, points: ['a', 'b'] },
      { table: 'holding', address: 5, count: 1, points: ['c'] },
      rest,
    ]);
    const bridged = [{ table: 'holding', address: 0, count: 6, points: ['a', 'b', 'c'] }, rest];
    expect(plan(points, STANDARD_LIMITS, { read: 3, register: 1 })).toEqual(bridged);
    expect(plan(points, STANDARD_LIMITS, { read: 1, register: 1 })).toHaveLength(3);
    expect(plan(points, { ...STANDARD_LIMITS, bridge: 1 }, { read: 3, register: 1 })).toHaveLength(3);
    const hole = { table: 'holding', from: 4, to: 4 } as const;
    expect(plan(points, { ...STANDARD_LIMITS, holes: [hole] }, { read: 3, register: 1 })).toHaveLength(3);
  });

  const someReads = fc.array(
    fc.record({ address: fc.integer({ min: 0, max: 300 }), count: fc.integer({ min: 1, max: 4 }) }),
    {
      maxLength: 60,
    },
  );
  const someCost = fc.record({ read: fc.integer({ min: 0, max: 40 }), register: fc.integer({ min: 1, max: 3 }) });

  it('keeps the limits, reads every wanted register, and bridges no more than it may (property)', () => {
    fc.assert(
      fc.property(
        someReads,
        someCost,
        fc.integer({ min: 4, max: 125 }),
        fc.integer({ min: 0, max: 20 }),
        (list, cost, most, bridge) => {
          const points = list.map((p, i) => at(`p${i}`, p.address, p.count));
          const requests = plan(points, { ...STANDARD_LIMITS, registers: most, bridge }, cost);
          const wanted = new Set(points.flatMap((p) => Array.from({ length: p.count }, (_, i) => p.address + i)));
          expect(requests.every((r) => r.count <= most)).toBe(true);
          expect(requests.flatMap((r) => r.points).sort()).toEqual(points.map((p) => p.id).sort());
          for (const r of requests) {
            let unwanted = 0;
            for (let a = r.address; a < r.address + r.count; a++) {
              unwanted = wanted.has(a) ? 0 : unwanted + 1;
              expect(unwanted).toBeLessThanOrEqual(bridge);
            }
          }
          for (const p of points) {
            const r = requests.find((q) => q.points.includes(p.id));
            expect(r !== undefined && p.address >= r.address && p.address + p.count <= r.address + r.count).toBe(true);
          }
        },
      ),
    );
  });

  it('is the cheapest of all ways to cut, tried one by one (property)', () => {
    const few = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(few, someCost, fc.integer({ min: 1, max: 30 }), (addresses, cost, most) => {
        const sorted = [...addresses].sort((a, b) => a - b);
        let cheapest = Number.POSITIVE_INFINITY;
        for (let cuts = 0; cuts < 2 ** (sorted.length - 1); cuts++) {
          let total = 0;
          let from = 0;
          for (let i = 1; i <= sorted.length; i++) {
            if (i < sorted.length && (cuts & (1 << (i - 1))) === 0) continue;
            const span = (sorted[i - 1] ?? 0) - (sorted[from] ?? 0) + 1;
            total += span > most ? Number.POSITIVE_INFINITY : cost.read + cost.register * span;
            from = i;
          }
          cheapest = Math.min(cheapest, total);
        }
        const points = sorted.map((address) => at(`p${address}`, address));
        const limits = { ...STANDARD_LIMITS, registers: most, bridge: 125 };
        expect(totalOf(plan(points, limits, cost), cost)).toBe(cheapest);
      }),
    );
  });
});

describe('learning', () => {
  const serial = {
    id: 'l',
    carries: 'serial',
    path: '/x',
    line: { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
    timeoutMs: 300,
    gapMs: 0,
  } as const;

  /** A device that refuses, or swallows, what it does not like. */
  interface Whims {
    readonly most?: number;
    readonly holes?: readonly number[];
    readonly mute?: boolean;
    /** no answer to any read of this one */
    readonly muteAt?: number;
  }
  async function whimsical(whims: Whims, addresses: readonly number[], memory = new Map<string, string>(), more = {}) {
    const seen: { address: number; count: number; refused: boolean }[] = [];
    const plain = createModbusSimulator(
      'rtu',
      new Map([[1, { read: (_, a) => (whims.holes?.includes(a) ? undefined : a) }]]),
    );
    const far: Simulator = {
      receive: (b) => {
        const [address, count] = [((b[2] ?? 0) << 8) | (b[3] ?? 0), ((b[4] ?? 0) << 8) | (b[5] ?? 0)];
        const isLong = count > (whims.most ?? 125);
        const [reply] = plain.receive(b);
        seen.push({ address, count, refused: isLong || (reply?.bytes[1] ?? 0) > 0x80 });
        if (isLong && whims.mute === true) return [];
        const at = whims.muteAt ?? -1;
        if (address <= at && at < address + count) return [];
        return isLong ? [{ afterMs: 5, bytes: withCrc('01 83 03') }] : reply === undefined ? [] : [reply];
      },
    };
    const points = Object.fromEntries(addresses.map((a) => [`p${a}`, holding(a)]));
    const line = await driverLine(modbus, serial, { address: 1, points, ...more }, far, memory);
    const ids = Object.keys(points);
    /** one poll: the values right, how many points without one, how many requests of them refused */
    const poll = async () => {
      const from = seen.length;
      const { readings, faults } = await line.poll(ids);
      for (const { point, value } of readings) expect(value).toBe(Number(point.slice(1)));
      const asked = seen.slice(from);
      return {
        good: readings.length,
        bad: faults.length,
        requests: asked.length,
        refused: asked.filter((r) => r.refused).length,
      };
    };
    return { ...line, poll, seen };
  }

  it('a bridge that is refused costs one detour and no value', async () => {
    const addresses = [0, 1, 2, 5, 6, 9, 10];
    const b = await whimsical({ holes: [3, 4] }, addresses);
    const first = await b.poll();
    expect(first).toMatchObject({ good: 7, bad: 0 });
    expect(first.refused).toBeGreaterThan(0);
    // The second gap may be bridged, and is.
    expect(await b.poll()).toEqual({ good: 7, bad: 0, requests: 2, refused: 0 });
    await b.close();
  });

  it('one bad register costs its neighbours one detour, and is asked for rarely', async () => {
    const b = await whimsical({ holes: [13] }, [10, 11, 12, 13, 14, 15, 16]);
    expect(await b.poll()).toMatchObject({ good: 6, bad: 1 });
    for (let i = 2; i < 20; i++) expect(await b.poll()).toEqual({ good: 6, bad: 1, requests: 2, refused: 0 });
    expect(await b.poll()).toMatchObject({ good: 6, bad: 1, refused: 1 });
    await b.close();
  });

  it.each([false, true])('finds the longest read a device takes, also of one that keeps mute (%s)', async (mute) => {
    const addresses = Array.from({ length: 90 }, (_, i) => i);
    const b = await whimsical({ most: 37, mute }, addresses);
    let polls = 0;
    for (; polls < 40; polls++) {
      const { refused, good } = await b.poll();
      if (!mute) expect(good).toBe(90);
      if (refused === 0 && JSON.parse(b.memory.get('learned') ?? '{"reach":{}}').reach.registers?.bad === 38) break;
    }
    expect(polls).toBeLessThan(40);
    expect(await b.poll()).toEqual({ good: 90, bad: 0, requests: 3, refused: 0 });
    expect(Math.max(...b.seen.slice(-3).map((r) => r.count))).toBeLessThanOrEqual(37);
    await b.close();
  });

  it('a register that is never answered costs its deadline seldom, and the others nothing', async () => {
    const b = await whimsical({ muteAt: 13 }, [2, 3, 13, 60, 61]);
    for (let i = 0; i < 30; i++) await b.poll();
    const from = b.clock.mono();
    const polls = Array.from({ length: 15 }, () => b.poll);
    const results = [];
    for (const poll of polls) results.push(await poll());
    expect(results.filter((r) => r.good === 4 && r.bad === 1 && r.requests === 2).length).toBeGreaterThanOrEqual(13);
    expect(b.clock.mono() - from).toBeLessThan(6000);
    await b.close();
  });

  it('what was learned is there after a restart, and not for another configuration', async () => {
    const addresses = [0, 1, 2, 5, 6];
    const first = await whimsical({ holes: [3] }, addresses);
    await first.poll();
    const second = await whimsical({ holes: [3] }, addresses, first.memory);
    expect(await second.poll()).toEqual({ good: 5, bad: 0, requests: 2, refused: 0 });
    const other = await whimsical({ holes: [3] }, [...addresses, 7], first.memory);
    expect((await other.poll()).refused).toBeGreaterThan(0);
    for (const b of [first, second, other]) await b.close();
  });

  it('what the configuration forbids is never tried', async () => {
    const b = await whimsical({ holes: [3, 8] }, [0, 1, 2, 5, 6, 9], new Map(), {
      forbidden: ['holding 3-4'],
      most: 4,
    });
    expect((await b.poll()).refused).toBeLessThanOrEqual(1);
    expect(b.seen.every((r) => r.address > 4 || r.address + r.count <= 3)).toBe(true);
    expect(b.seen.every((r) => r.count <= 4)).toBe(true);
    await b.close();
  });

  it('a device that is busy for a while teaches nothing', async () => {
    let busy = true;
    const unit = { read: () => 1, mood: () => (busy ? { exception: 6 } : ('well' as const)) };
    const b = await bench(serial, { a: holding(0), b: holding(1) }, unit);
    expect((await b.poll(['a', 'b'])).faults).toHaveLength(2);
    busy = false;
    expect((await b.poll(['a', 'b'])).readings).toHaveLength(2);
    expect(JSON.parse(b.memory.get('learned') ?? '{"alone":[]}').alone).toEqual([]);
    await b.close();
  });

  it('whatever a device refuses, every good register is read, and soon without a refusal (property)', async () => {
    const addresses = fc.uniqueArray(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 20 });
    const holes = fc.uniqueArray(fc.integer({ min: 0, max: 80 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(addresses, holes, fc.integer({ min: 3, max: 125 }), async (wanted, bad, most) => {
        const b = await whimsical({ holes: bad, most }, wanted);
        const good = wanted.filter((a) => !bad.includes(a)).length;
        let last = await b.poll();
        for (let i = 0; i < 18; i++) {
          expect(last.good).toBe(good);
          last = await b.poll();
        }
        expect(last).toMatchObject({ good, refused: good === 0 ? last.refused : 0 });
        await b.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe('frames', () => {
  const request = withCrc('01 03 00 00 00 01');
  const reply = withCrc('01 03 02 12 34');
  it('finds the reply behind noise, echo and a foreign slave', () => {
    const framer = rtuFramer(request);
    expect(framer(Uint8Array.of(0, ...reply), false)).toEqual({ kind: 'frame', start: 1, end: 8 });
    expect(framer(Uint8Array.of(...request, ...reply), false)).toEqual({
      kind: 'foreign',
      start: 0,
      end: 8,
      note: 'echo',
    });
    const foreign = withCrc('02 03 02 12 34');
    expect(framer(Uint8Array.of(...foreign, ...reply), false)).toEqual({
      kind: 'foreign',
      start: 0,
      end: 7,
      note: 'foreign',
    });
  });

  it('waits for the rest, and knows a short or damaged reply when the line falls silent', () => {
    const framer = rtuFramer(request);
    for (let n = 0; n < reply.length; n++) expect(framer(reply.subarray(0, n), false).kind).toBe('need');
    expect(framer(reply.subarray(0, 6), true).kind).toBe('bad');
    const damaged = reply.slice();
    damaged[3] = 0;
    expect(framer(damaged, true).kind).toBe('bad');
  });

  it('takes an exception, and a reply of another length never', () => {
    const framer = rtuFramer(request);
    expect(framer(withCrc('01 83 02'), false)).toEqual({ kind: 'frame', start: 0, end: 5 });
    expect(framer(withCrc('01 03 04 12 34 56 78'), true).kind).not.toBe('frame');
  });

  it('takes the copy of a write as its reply, behind an echo the second copy', () => {
    const write = withCrc('01 06 00 01 00 FF');
    expect(rtuFramer(write)(write, false)).toEqual({ kind: 'frame', start: 0, end: 8 });
    expect(rtuFramer(write)(Uint8Array.of(...write, ...write), false)).toEqual({
      kind: 'foreign',
      start: 0,
      end: 8,
      note: 'echo',
    });
  });

  it('never accepts random bytes as a reply, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, silent) => {
        for (const framer of [rtuFramer(request), tcpFramer(bytes('00 07 00 00 00 06 01 03 00 00 00 01'))]) {
          const verdict = framer(noise, silent);
          if (verdict.kind !== 'frame') continue;
          // only a frame with a right checksum or header may be taken
          expect(verdict.end - verdict.start).toBeGreaterThanOrEqual(5);
        }
      }),
    );
  });

  it('tells TCP replies apart by their transaction', () => {
    const framer = tcpFramer(bytes('00 07 00 00 00 06 01 03 00 00 00 01'));
    const late = bytes('00 06 00 00 00 05 01 03 02 00 01');
    expect(framer(late, false)).toEqual({ kind: 'foreign', start: 0, end: 11, note: 'late' });
    expect(framer(bytes('00 07 00 00 00 05 01 03 02 00 01'), false)).toEqual({ kind: 'frame', start: 0, end: 11 });
    expect(framer(bytes('00 07 00 01 00 05 01 03 02 00 01'), false).kind).toBe('bad');
    expect(framer(bytes('00 07 00 00 00 05 02 03 02 00 01'), false).kind).toBe('bad');
  });
});

const CHANNELS: Readonly<Record<string, LineChannel>> = {
  rtu: {
    id: 'l',
    carries: 'serial',
    path: '/x',
    line: { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
    timeoutMs: 300,
    gapMs: 0,
  },
  'rtu over tcp': {
    id: 'l',
    carries: 'tcp',
    host: 'h',
    port: 1,
    line: { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
    timeoutMs: 300,
    gapMs: 0,
  },
  tcp: { id: 'l', carries: 'modbus_tcp', host: 'h', port: 1, timeoutMs: 300, gapMs: 0 },
};

/** holding registers hold their own address; 66 does not exist */
const unit: SimulatedUnit = {
  read: (table, address) =>
    address === 66 ? undefined : table === 'coil' || table === 'discrete' ? address % 2 : address,
};

interface Bench extends DriverLine {
  readonly requests: () => number;
}

async function bench(
  channel: LineChannel,
  points: Record<string, unknown>,
  device: SimulatedUnit = unit,
): Promise<Bench> {
  const simulator = createModbusSimulator(channel.carries === 'modbus_tcp' ? 'tcp' : 'rtu', new Map([[1, device]]));
  const line = await driverLine(modbus, channel, { address: 1, points }, simulator);
  return { ...line, requests: () => simulator.requests() };
}

describe.each(Object.entries(CHANNELS))('the driver on %s', (_, channel) => {
  it('reads what is there', async () => {
    const b = await bench(channel, {
      a: holding(3),
      b: holding(4),
      c: { register: 'coil 5', as: 'bool' },
      d: { register: 'input 9', as: 'uint16' },
    });
    const { readings, faults } = await b.poll(['a', 'b', 'c', 'd']);
    expect(Object.fromEntries(readings.map((r) => [r.point, r.value]))).toEqual({ a: 3, b: 4, c: true, d: 9 });
    expect(faults).toEqual([]);
    expect(b.requests()).toBe(3);
    await b.close();
    expect(b.clock.timers()).toEqual([]);
  });

  it.each([310, 450, 700, 1500, 2900])(
    'a reply %i ms late never becomes the value of a later request',
    async (lateMs) => {
      const ids = Array.from({ length: 8 }, (_, i) => `p${i}`);
      const b = await bench(channel, Object.fromEntries(ids.map((id, i) => [id, holding(100 + 10 * i)])));
      await b.poll(['p0']);
      b.faults.lateMs = lateMs;
      for (let i = 0; i < 3; i++) await b.poll([ids[i] ?? '']);
      b.faults.lateMs = 0;
      let good = 0;
      for (let round = 0; round < 6; round++) {
        for (const [i, id] of ids.entries()) {
          for (const reading of (await b.poll([id])).readings) {
            expect(reading).toEqual({ point: id, value: 100 + 10 * i });
            good++;
          }
        }
      }
      expect(good).toBeGreaterThan(8);
      await b.close();
    },
  );

  it('an exception costs only the point concerned, and is remembered', async () => {
    const b = await bench(channel, { a: holding(65), b: holding(66), c: holding(67) });
    for (let round = 0; round < 2; round++) {
      const { readings, faults } = await b.poll(['a', 'b', 'c']);
      expect(readings.map((r) => [r.point, r.value])).toEqual([
        ['a', 65],
        ['c', 67],
      ]);
      expect(faults.map((f) => [f.point, f.error.code, f.error.params.exception])).toEqual([
        ['b', 'device.refused', 2],
      ]);
    }
    expect(JSON.parse(b.memory.get('learned') ?? '{}')).toMatchObject({ alone: ['b'], holes: [{ from: 66, to: 66 }] });
    await b.close();
  });

  it('a silent device costs one deadline, not one for each request', async () => {
    const b = await bench(channel, { a: holding(1), b: holding(5), c: holding(9) }, { ...unit, mood: () => 'dead' });
    const from = b.clock.mono();
    const { readings, faults } = await b.poll(['a', 'b', 'c']);
    expect(readings).toEqual([]);
    expect(faults.map((f) => f.error.code)).toEqual(['link.timeout', 'link.timeout', 'link.timeout']);
    expect(b.clock.mono() - from).toBeLessThan(700);
    await b.close();
  });

  it('garbled replies are bad, never values', async () => {
    const b = await bench(channel, { a: holding(3) });
    b.faults.garble = (reply) =>
      reply.map((byte, i) => (i === reply.length - (channel.carries === 'modbus_tcp' ? 3 : 1) ? byte ^ 0x55 : byte));
    const { readings, faults } = await b.poll(['a']);
    if (channel.carries === 'modbus_tcp') expect(faults.length + readings.length).toBe(1);
    else expect(faults.map((f) => f.error.code)).toEqual(['link.bad_frame']);
    await b.close();
  });

  it('writes and reads back', async () => {
    const cells = new Map<string, number>();
    const b = await bench(
      channel,
      {
        a: { register: 'holding 1', as: 'int16', scale: 0.1 },
        f: { register: 'holding 4', as: 'float32', order: 'CDAB' },
        c: { register: 'coil 2', as: 'bool' },
        m: { register: 'coil 3', as: 'bool', write: 'multiple' },
        i: { register: 'input 0', as: 'uint16' },
      },
      {
        read: (table, address) => cells.get(`${table} ${address}`) ?? 0,
        write: (table, address, value) => {
          cells.set(`${table} ${address}`, value);
          return true;
        },
      },
    );
    expect(await b.write('a', -1.5)).toEqual({ done: true, readBack: -1.5 });
    expect(cells.get('holding 1')).toBe(65521);
    expect(await b.write('f', 2.5)).toEqual({ done: true, readBack: 2.5 });
    expect(await b.write('c', true)).toEqual({ done: true, readBack: true });
    expect(await b.write('m', true)).toEqual({ done: true, readBack: true });
    await expect(b.write('i', 1)).rejects.toMatchObject({ code: 'device.not_writable' });
    await b.close();
  });
});

describe('decode', () => {
  const lines = readFileSync(new URL('./cases/frames.ndjson', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as { id: string; request: string | null; response: string; expected: Record<string, unknown> },
    );
  it.each(lines.map((l) => [l.id, l] as const))('%s', (_, line) => {
    const request = line.request === null ? {} : { request: bytes(line.request) };
    const { values: _profileKnowledge, meaning, ...expected } = line.expected;
    const got = decodeModbus({ protocol: 'modbus-rtu', response: bytes(line.response), ...request });
    expect(got).toMatchObject(expected);
    if (line.expected.outcome === 'error-reply') expect(got.meaning).toBe(meaning);
  });

  it('names what is no answer to what was asked', () => {
    const request = withCrc('01 03 00 00 00 02');
    expect(decodeModbus({ protocol: 'modbus-rtu', request, response: withCrc('02 03 04 00 01 00 02') }).outcome).toBe(
      'ignore',
    );
    expect(decodeModbus({ protocol: 'modbus-rtu', request, response: request }).outcome).toBe('ignore');
    expect(decodeModbus({ protocol: 'modbus-rtu', request, response: withCrc('01 03 02 00 01') }).outcome).toBe(
      'ignore',
    );
    expect(
      decodeModbus({
        protocol: 'modbus-rtu',
        request,
        response: Uint8Array.of(...request, ...withCrc('01 03 04 00 01 00 02')),
      }),
    ).toMatchObject({
      outcome: 'values',
      registers: [1, 2],
      bytes_outside_frame: { before: 8, after: 0 },
    });
    expect(decodeModbus({ protocol: 'modbus-rtu', request, response: bytes('01 03 04 00 01') }).outcome).toBe(
      'need-more',
    );
    expect(decodeModbus({ protocol: 'modbus-rtu', response: withCrc('01 41 00 01') }).outcome).toBe('unexpected');
    expect(decodeModbus({ protocol: 'modbus-rtu', response: request })).toEqual({
      outcome: 'request',
      slave: 1,
      function: 3,
      address: 0,
      count: 2,
    });
  });

  it('says something about any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }),
        (response, request) => {
          const got = decodeModbus({ protocol: 'modbus-rtu', response, ...(request === undefined ? {} : { request }) });
          expect(typeof got.outcome).toBe('string');
        },
      ),
    );
  });
});

describe('the device section', () => {
  it('takes the example of the manual', () => {
    const parsed = deviceSchema.parse({
      address: 5,
      points: {
        level: { register: 'holding 0', as: 'float32', order: 'ABCD', unit: 'm', deadband: 0.01, name: '水位' },
        pump: { register: 'coil 3', as: 'bool' },
      },
    });
    expect(parsed.points.level?.register).toEqual({ table: 'holding', address: 0 });
    expect(modbusProblems(parsed)).toEqual([]);
  });

  it.each([
    ['40001', 'holding 0'],
    ['30010', 'input 9'],
    ['4x0001', 'holding 0'],
    ['7', 'holding 7'],
    ['holding 70000', 'holding 0'],
    ['', 'holding 0'],
  ])('%s gets a hint', (text, hint) => {
    const result = deviceSchema.safeParse({ address: 5, points: { level: { register: text, as: 'int16' } } });
    const issue = result.error?.issues[0] as { params?: { hint?: string } } | undefined;
    expect(issue?.params?.hint).toBe(hint);
  });

  it('finds what a schema cannot', () => {
    const parsed = deviceSchema.parse({
      address: 5,
      points: {
        a: { register: 'coil 0', as: 'int16' },
        b: { register: 'holding 65535', as: 'float32' },
        c: { register: 'holding 0', as: 'uint32', bit: 2 },
        d: { register: 'holding 0', as: 'int16', scale: 0, min: 2, max: 1 },
      },
    });
    expect(modbusProblems(parsed).map((p) => [p.path.join('.'), p.code])).toEqual([
      ['points.a.as', 'config.bits_are_bool'],
      ['points.b.register', 'config.register_end'],
      ['points.c.bit', 'config.bit_needs_register'],
      ['points.d.scale', 'config.scale_zero'],
      ['points.d.min', 'config.min_over_max'],
    ]);
  });
});
