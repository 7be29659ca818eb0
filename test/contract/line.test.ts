/**
 * What holds for every driver that asks on a line: whatever happens to the bytes, a value is what the device measured when it was asked, or there is
 * none. Each driver brings a rig of one device whose value the test chooses.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import type { DriverModule } from '../../src/kit/driver.ts';
import type { Rig } from '../../src/kit/simulator.ts';
import { type DriverLine, driverLine } from '../kit/driver-line.ts';

const asked = drivers.filter((d) => d.create !== undefined);
const rigOf = async (driver: string): Promise<Rig> =>
  ((await import(`../../drivers/${driver}/rig.ts`)) as { rig: Rig }).rig;
const rigs = await Promise.all(
  asked.map(async (d): Promise<[string, DriverModule, Rig]> => [d.name, d, await rigOf(d.name)]),
);

describe.each(rigs)('%s', (_, module, rig) => {
  /** The device's value counts how often it was asked: an old reply shows an old count. */
  async function counting(): Promise<DriverLine & { fresh: () => Promise<boolean> }> {
    let asked = 0;
    const far = rig.simulator(() => ++asked);
    const line = await driverLine(module, rig.channel, rig.section, far);
    /** reads once: none, or what was measured since; says whether there was one */
    const fresh = async (): Promise<boolean> => {
      const since = asked;
      const value = await line.value('value');
      if (value === undefined) return false;
      expect(Number(value)).toBeGreaterThan(since);
      expect(Number(value)).toBeLessThanOrEqual(asked);
      return true;
    };
    return { ...line, fresh };
  }

  it('reads what the device measures', async () => {
    const b = await counting();
    for (let n = 1; n <= 3; n++) expect(await b.value('value')).toBe(n);
    await b.close();
    expect(b.clock.timers()).toEqual([]);
  });

  it('hears a line that echoes, and replies in pieces of any size', async () => {
    const b = await counting();
    b.faults.echo = true;
    expect(await b.fresh()).toBe(true);
    for (const size of [1, 2, 3, 5, 7]) {
      b.faults.pieces = size;
      expect(await b.fresh()).toBe(true);
    }
    await b.close();
  });

  it('takes no frame of another device, before or after the reply', async () => {
    const b = await counting();
    b.faults.garble = (reply) => Uint8Array.of(...rig.foreign(7777), ...reply, ...rig.foreign(7777));
    for (let i = 0; i < 3; i++) await b.fresh();
    b.faults.garble = () => rig.foreign(7777);
    expect(await b.fresh()).toBe(false);
    b.inject(rig.foreign(7777));
    delete b.faults.garble;
    await b.fresh();
    await b.close();
  });

  it.each([310, 700, 1100, 1500, 2900, 6000])(
    'a reply %i ms late never becomes the value of a later question',
    async (lateMs) => {
      const b = await counting();
      await b.fresh();
      for (let round = 0; round < 4; round++) {
        b.faults.lateMs = lateMs;
        await b.fresh();
        b.faults.lateMs = 0;
        let good = 0;
        for (let i = 0; i < 30; i++) if (await b.fresh()) good++;
        expect(good).toBeGreaterThan(5);
      }
      await b.close();
    },
  );

  it('nor do five late replies in a row', async () => {
    const b = await counting();
    await b.fresh();
    for (let i = 0; i < 5; i++) {
      b.faults.lateMs = 4000;
      await b.fresh();
    }
    b.faults.lateMs = 0;
    let good = 0;
    for (let i = 0; i < 60; i++) if (await b.fresh()) good++;
    expect(good).toBeGreaterThan(5);
    await b.close();
  });

  it('no changed byte makes another value (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(200), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const b = await counting();
        b.faults.garble = (reply) => reply.map((byte, i) => (i === at % reply.length ? byte ^ change : byte));
        await b.fresh();
        await b.close();
      }),
      { numRuns: 100 },
    );
  });

  it('noise around the reply makes no other value (property)', async () => {
    const noise = fc.uint8Array({ maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(noise, noise, async (before, after) => {
        const b = await counting();
        b.faults.garble = (reply) => Uint8Array.of(...before, ...reply, ...after);
        await b.fresh();
        await b.close();
      }),
      { numRuns: 100 },
    );
  });
});
