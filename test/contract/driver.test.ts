/** What every driver in the list must keep, whatever its protocol. A driver's own tests hold its bytes; these hold its place in the house. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { drivers } from '../../drivers/index.ts';
import { checkConfig } from '../../src/app/check.ts';
import { decodeLine } from '../../src/app/decode.ts';
import { checkProfile, trialSite } from '../../src/app/profiles.ts';
import { isLine } from '../../src/base/model.ts';
import type { Rig } from '../../src/kit/simulator.ts';
import { driverLine } from '../kit/driver-line.ts';
import { tempSite } from '../kit/site.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Case {
  readonly id: string;
  readonly protocol: string;
  readonly asked?: unknown;
  readonly request?: string;
  readonly response?: string;
  readonly expected: { readonly outcome: string; readonly [key: string]: unknown };
}

function casesOf(driver: string): Case[] {
  const folder = join(ROOT, 'drivers', driver, 'cases');
  return readdirSync(folder)
    .filter((file) => file.startsWith('frames'))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Case);
}

const profilesOf = (driver: string): string[] =>
  readdirSync(join(ROOT, 'drivers', driver, 'profiles')).map((file) => file.replace(/\.yaml$/, ''));

describe.each(drivers.map((d) => [d.name, d] as const))('%s', (name, driver) => {
  it('is listed under the name of its folder, once', () => {
    expect(readdirSync(join(ROOT, 'drivers'))).toContain(name);
    expect(drivers.filter((d) => d.name === name)).toHaveLength(1);
  });

  it('has a manual for the technician: wiring, keys and limits, in both languages', () => {
    const manual = readFileSync(join(ROOT, 'drivers', name, 'README.md'), 'utf8');
    for (const part of ['接线', '配置', '## Limits']) expect(manual).toContain(part);
  });

  it.each(casesOf(name).map((c) => [c.id, c] as const))('decodes the frame %s', (_, { expected, ...ask }) => {
    const decoded = decodeLine(JSON.stringify(ask));
    expect(decoded.id).toBe(ask.id);
    expect(decoded).toMatchObject(expected);
    // The id is a label and not a key to the answer.
    const { id: _id, ...rest } = decoded;
    const { id: _other, ...again } = decodeLine(JSON.stringify({ ...ask, id: 'something else' }));
    expect(again).toEqual(rest);
  });

  it('has real frames for every protocol it names', () => {
    const known = new Set(casesOf(name).map((c) => c.protocol));
    for (const protocol of driver.protocols) expect([...known]).toContain(protocol);
  });

  it.runIf(driver.protocols.length > 0)('says something about any bytes, and never throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(...driver.protocols), fc.uint8Array({ maxLength: 300 }), (protocol, bytes) => {
        const line = JSON.stringify({ id: 'x', protocol, response: Buffer.from(bytes).toString('hex') });
        expect(typeof decodeLine(line).outcome).toBe('string');
      }),
      { numRuns: 300 },
    );
  });

  it.each(profilesOf(name))('profile %s makes a device, and names its source', async (profile) => {
    const path = join(ROOT, 'drivers', name, 'profiles', `${profile}.yaml`);
    expect(readFileSync(path, 'utf8')).toMatch(/^source: \S/m);
    const yaml = trialSite(await driver.face(), profile);
    const { site, problems } = await checkConfig(tempSite({ 'weinao.yaml': yaml }).config, { TRIAL: 'x' });
    expect(problems.filter((p) => p.severity === 'error')).toEqual([]);
    expect(site?.model.devices.get('d')?.points.length).toBeGreaterThan(0);
    expect(await checkProfile(path, name)).toEqual([]);
    const model = site?.model.devices.get('d');
    const wire = site?.model.channels.get('c');
    if (driver.plan !== undefined && model !== undefined && wire !== undefined && isLine(wire)) {
      const memory = { get: () => undefined, set: () => {} };
      const { reads, ms, leastMs } = driver.plan({ device: model, channel: wire, memory });
      expect(reads.reduce((sum, r) => sum + r.points, 0)).toBe(model.points.length);
      expect(ms).toBeGreaterThanOrEqual(leastMs);
    }
    const { rig } = (await import(`../../drivers/${name}/rig.ts`).catch(() => ({}))) as { rig?: Rig };
    if (rig?.anything === undefined) return;
    // Read back through the driver's own simulator: every point has its value.
    const { points, device } = parse(readFileSync(path, 'utf8')) as { points: object; device?: object };
    const line = await driverLine(driver, rig.channel, { address: 1, ...device, points }, rig.anything());
    const ids = Object.keys(points);
    let result = await line.poll(ids);
    if (result.faults.length > 0) result = await line.poll(ids);
    expect(result.faults).toEqual([]);
    expect(result.readings.map((r) => r.point).sort()).toEqual(ids.sort());
    await line.close();
  });
});

describe('decode --ndjson', () => {
  it.each([
    ['nothing JSON', 'hello', 'error'],
    ['an array', '[1]', 'error'],
    ['no hex', '{"id":"a","protocol":"modbus-rtu","response":"zz"}', 'error'],
    ['a protocol nobody speaks', '{"id":"a","protocol":"x","response":"00"}', 'unsupported'],
    ['a protocol of a later version', '{"id":"a","protocol":"dlt698.45","response":"68"}', 'unsupported'],
    ['a line without end', JSON.stringify({ id: 'a', protocol: 'modbus-rtu', response: '00'.repeat(40_000) }), 'error'],
  ])('answers %s', (_, line, outcome) => {
    expect(decodeLine(line).outcome).toBe(outcome);
  });
});
