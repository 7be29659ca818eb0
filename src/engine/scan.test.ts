import { describe, expect, it } from 'vitest';
import { cjt188 } from '../../drivers/cjt188/index.ts';
import { createCjt188Simulator, waterData } from '../../drivers/cjt188/simulator.ts';
import { dlt645 } from '../../drivers/dlt645/index.ts';
import { createDlt645Simulator } from '../../drivers/dlt645/simulator.ts';
import { mbus } from '../../drivers/mbus/index.ts';
import { createMbusSimulator, energyRecord } from '../../drivers/mbus/simulator.ts';
import { modbus } from '../../drivers/modbus/index.ts';
import { createModbusSimulator } from '../../drivers/modbus/simulator.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import type { LineChannel, SerialSettings } from '../base/model.ts';
import type { Simulator } from '../kit/simulator.ts';
import { simulatedPort } from '../link/simulated.ts';
import { type ScanLine, type ScanOptions, scanLine } from './scan.ts';

const SERIAL: LineChannel = {
  id: 'l',
  carries: 'serial',
  path: '/x',
  line: { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
  timeoutMs: 1000,
  gapMs: 0,
};
const EVEN: SerialSettings = { baud: 2400, parity: 'even', dataBits: 8, stopBits: 1 };

/** A line whose devices hear one setting only; at another one bytes are lost. */
async function scan(
  devices: readonly Simulator[],
  at: SerialSettings,
  options: Partial<ScanOptions> = {},
  stopAfter?: number,
) {
  const clock = new VirtualClock();
  const lines: ScanLine[] = [];
  const stop = new AbortController();
  const sent: Uint8Array[] = [];
  const far = (channel: LineChannel): Simulator => ({
    receive: (bytes) => {
      sent.push(bytes.slice());
      const hears = channel.carries === 'modbus_tcp' || JSON.stringify(channel.line) === JSON.stringify(at);
      return hears ? devices.flatMap((d) => d.receive(bytes)) : [];
    },
  });
  let over = false;
  const deps = {
    clock,
    log: memoryLog(),
    random: seededRandom(1),
    drivers: [modbus, dlt645, cjt188, mbus],
    openPort: (channel: LineChannel) => Promise.resolve(simulatedPort(far(channel), clock)),
  };
  const work = scanLine(SERIAL, deps, { ids: [1, 5], all: false, ...options }, stop.signal, (line) =>
    lines.push(line),
  ).then(
    (count) => ({ count }),
    (error: unknown) => ({ error }),
  );
  void work.then(() => {
    over = true;
  });
  for (let i = 0; !over && i < 5000; i++) {
    await clock.advance(100);
    if (stopAfter !== undefined && clock.mono() > stopAfter) stop.abort();
  }
  const found = lines.flatMap((l) => (l.kind === 'found' ? [[l.driver, l.address, l.setting]] : []));
  return { ...(await work), lines, found, sent, clock };
}

describe('a scan', () => {
  it('finds Modbus stations at the configured setting, also one that refuses, and stops there', async () => {
    const units = new Map([
      [2, { read: () => 7 }],
      [5, { read: () => undefined }],
    ]);
    const s = await scan([createModbusSimulator('rtu', units)], SERIAL.carries === 'serial' ? SERIAL.line : EVEN);
    expect(s.found).toEqual([
      ['modbus', 2, '9600 8N1'],
      ['modbus', 5, '9600 8N1'],
    ]);
    expect(s.lines.filter((l) => l.kind === 'setting')).toHaveLength(1);
    const progress = s.lines.flatMap((l) => (l.kind === 'progress' ? [l.done] : []));
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(s.clock.timers()).toEqual([]);
  });

  it('finds meters of each kind at another setting, and tells what to write', async () => {
    const elec = createDlt645Simulator(new Map([['000000193600', { read: () => undefined }]]));
    const water = createCjt188Simulator(
      new Map([['78330007061326', { read: () => waterData(1), hears: 'high-first' }]]),
    );
    const heat = createMbusSimulator([{ address: 3, number: '03575845', telegrams: () => [energyRecord(1)] }]);
    const s = await scan([elec, water, heat], EVEN);
    expect(s.found).toEqual([
      ['dlt645', '000000193600', '2400 8E1'],
      ['cjt188', '78330007061326', '2400 8E1'],
      ['mbus', 3, '2400 8E1'],
    ]);
    const sections = s.lines.flatMap((l) => (l.kind === 'found' ? [l.section] : []));
    expect(sections[0]).toMatchObject({ driver: 'dlt645', address: '000000193600', profile: 'single_phase_2007' });
  });

  it('finds a meter of 1997, which knows no read-address', async () => {
    const old = createDlt645Simulator(new Map([['000000000414', { version: '1997', read: () => new Uint8Array(4) }]]));
    expect((await scan([old], EVEN)).found).toEqual([['dlt645', '000000000414', '2400 8E1']]);
  });

  it('says when several meters answer at once', async () => {
    const noise: Simulator = {
      receive: (b) =>
        b[12] === 0x13 ? [{ afterMs: 20, bytes: Uint8Array.of(0x68, 0xff, 0x00, 0x68, 0x93, 0x06) }] : [],
    };
    const s = await scan([noise], EVEN, { all: true });
    expect(s.found).toEqual([]);
    expect(s).toMatchObject({ count: 0 });
  });

  it('tells the time that is left, and ends at once when it is told to', async () => {
    const s = await scan([], EVEN, { ids: [1, 247] }, 20_000);
    expect(s).toHaveProperty('error');
    const last = s.lines.findLast((l) => l.kind === 'progress');
    expect(last?.kind === 'progress' && last.left_s > 60).toBe(true);
    expect(s.clock.timers()).toEqual([]);
  });

  it('writes nothing to anybody', async () => {
    const { sent } = await scan([], EVEN, { all: true });
    expect(sent.length).toBeGreaterThan(50);
    for (const bytes of sent) {
      const isModbusRead = bytes.length === 8 && bytes[1] === 3;
      const is645 = bytes[4] === 0x68 && bytes[11] === 0x68 && [0x13, 0x01].includes(bytes[12] ?? 0);
      const is188 = bytes[4] === 0x68 && bytes[13] === 0x03;
      const isReset = bytes.length === 5 && bytes[0] === 0x10 && bytes[1] === 0x40;
      expect(isModbusRead || is645 || is188 || isReset).toBe(true);
    }
  });
});
