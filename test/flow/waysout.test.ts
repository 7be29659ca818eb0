/** Feeds that do not go to a broker with CloudEvents: HTTP and HTTPS platforms of every mood, thing-model platforms on a real broker, kills in between. */
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startDaemonProcess, untilStatus } from '../kit/daemon.ts';
import { httpPlatform, type Mood } from '../kit/http-platform.ts';
import { certificates, mosquitto } from '../kit/mosquitto.ts';
import { oneTank, startSlaves, tempFolder, tempSite, until } from '../kit/site.ts';
import { type Posted, thingPlatform } from '../kit/thing-platform.ts';

const REVISION = /"rev":(\d+),"level":"red","state":"(\w+)"/g;

describe('ways out', () => {
  it('a platform behind HTTPS gets everything once, whatever it does and whoever is killed; a dead one costs only itself', {
    timeout: 150_000,
  }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900 });
    const folder = tempFolder();
    certificates(folder);
    const file = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const safe = await httpPlatform({ ca: file('ca.pem'), cert: file('server.pem'), key: file('server.key') });
    const batched = await httpPlatform();
    const dead = await httpPlatform();
    dead.mood = 'hangs';
    const place = tempSite({
      ...oneTank(
        slaves.port,
        `  safe: {to: "https://127.0.0.1:${safe.port}/in", token: {file: token}, ca: {file: ca}, cert: {file: cert}, key: {file: key}, view: everything}
  batched: {to: "http://127.0.0.1:${batched.port}/in", insecure: true, user: u, password: {file: token}, batch: 20, view: everything}
  dead: {to: "http://127.0.0.1:${dead.port}/in", insecure: true, view: everything}
  stranger: {to: "https://127.0.0.1:${safe.port}/in", view: everything}
`,
      ),
      'secrets/token': 't0ken',
      'secrets/ca': file('ca.pem'),
      'secrets/cert': file('client.pem'),
      'secrets/key': file('client.key'),
    });
    let daemon = startDaemonProcess(place);
    const good = [safe, batched];
    const moods: readonly Mood[] = ['fails', 'resets', 'floods', 'busy', 'moved'];
    for (const [i, mood] of moods.entries()) {
      await untilStatus(daemon, 'at work', (s) => s.alarms.red === 0 && s.devices[0]?.online === true, 40_000);
      for (const platform of good) platform.mood = mood;
      slaves.cells.set('1 holding 0', 20 + i);
      await untilStatus(daemon, 'raised', (s) => s.alarms.red === 1);
      await until(`both met ${mood}`, () => good.every((p) => (p.met[mood] ?? 0) > 0));
      if (i % 2 === 1) {
        await daemon.kill();
        daemon = startDaemonProcess(place);
      }
      for (const platform of good) platform.mood = 'well';
      slaves.cells.set('1 holding 0', 900 + i);
      await until('raise and clear at both', () => good.every((p) => p.summary().alarms.cleared === i + 1), 40_000);
    }
    slaves.cells.set('1 holding 0', 555);
    const has555 = (p: (typeof good)[number]): boolean =>
      p.members.some((m) => JSON.stringify(m.data).includes('"v":555'));
    await until('the last value at both', () => good.every(has555), 40_000);
    for (const platform of good) {
      const { chain, gaps, dropped, alarms, faults, proofs } = platform.summary();
      expect({ chain, gaps, dropped, faults }).toEqual({ chain: 'ok', gaps: 0, dropped: 0, faults: [] });
      expect(alarms).toEqual({ raised: moods.length, cleared: moods.length });
      expect(proofs.bad).toBe(0);
      expect(proofs.good).toBeGreaterThan(0);
      expect([...platform.told].sort()).toEqual(['device', 'hello', 'proof', 'state']);
    }
    expect([...safe.authorizations]).toEqual(['Bearer t0ken']);
    expect([...safe.clients]).toEqual(['client']);
    expect([...batched.authorizations]).toEqual([`Basic ${Buffer.from('u:t0ken').toString('base64')}`]);
    // Connections are kept: there are many requests for each.
    expect(batched.met.well ?? 0).toBeGreaterThan(2 * batched.connections);
    const { feeds } = await daemon.status();
    expect(feeds.find((f) => f.id === 'stranger')).toMatchObject({
      state: 'connecting',
      error: 'uplink.connect_failed',
    });
    expect(feeds.find((f) => f.id === 'dead')?.waiting.a).toBeGreaterThan(0);
    expect(dead.met.hangs ?? 0).toBeGreaterThan(0);
    expect(daemon.said.out + daemon.said.err).not.toContain('t0ken');
    expect(await daemon.stop()).toBe(0);
  });

  it('thing-model platforms take telemetry and alarms, over kills of gateway and broker', {
    timeout: 150_000,
  }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900, '2 holding 0': 10 }, true);
    const ali = await mosquitto([
      'password_file FOLDER/passwords',
      'allow_anonymous false',
      'log_type all',
      'log_dest file FOLDER/log',
    ]);
    const text = `clientIda1Gw.gw_1deviceNamegw_1productKeya1Gw`;
    const signed = createHmac('sha256', 's3cret').update(text).digest('hex');
    const people = [
      ['gw_1&a1Gw', signed],
      ['platform', 'p'],
    ] as const;
    for (const [i, [name, password]] of people.entries()) {
      const args = ['-b', ...(i === 0 ? ['-c'] : []), join(ali.folder, 'passwords'), name, password];
      expect(spawnSync('mosquitto_passwd', args).status).toBe(0);
    }
    const board = await mosquitto(['log_type all', 'log_dest file FOLDER/log']);
    await ali.start();
    await board.start();
    const files = oneTank(
      slaves.port,
      `  ali: {to: "mqtt://127.0.0.1:${ali.port}", mqtt: 3, codec: alink, view: everything,
    alink: {product: a1Gw, device: gw_1, secret: {file: own}}, things: {tank_1: {product: a1Tank, name: T-1, points: {level: WaterLevel}}}}
  board: {to: "mqtt://127.0.0.1:${board.port}", codec: thingsboard, token: {file: access}, view: everything,
    commands: [{allow: write, to: {type: lamp}, point: dim, range: [0, 100]}]}
`,
    );
    const lamp =
      'lamp_1: {driver: modbus, channel: plc, address: 2, poll: 100ms, type: lamp, points: {dim: {register: holding 0, as: uint16, unit: "%"}}}';
    const place = tempSite({
      ...files,
      'weinao.yaml': String(files['weinao.yaml']).replace('\nfeeds:', `\n  ${lamp}\nfeeds:`),
      'secrets/own': 's3cret',
      'secrets/access': 'ACCESS-1',
    });
    const alink = thingPlatform(ali.port, ['/sys/#']);
    const things = thingPlatform(board.port, ['v1/#']);
    // One alarm that comes and goes: what counts are its revisions.
    const told = (p: typeof alink, state: string): number =>
      new Set(
        p.posted.flatMap(({ text: t }) => [...t.matchAll(REVISION)].filter((m) => m[2] === state).map((m) => m[1])),
      ).size;
    let daemon = startDaemonProcess(place);
    let patience = 2;
    alink.code = () => (patience-- > 0 ? 429 : 200);
    for (let round = 1; round <= 3; round++) {
      await untilStatus(daemon, 'at work', (s) => s.alarms.red === 0 && s.devices[0]?.online === true, 40_000);
      slaves.cells.set('1 holding 0', 20);
      await untilStatus(daemon, 'raised', (s) => s.alarms.red === 1);
      if (round === 2) {
        await daemon.kill();
        daemon = startDaemonProcess(place);
      }
      await until(`raise ${round}`, () => told(alink, 'active') === round && told(things, 'active') === round, 40_000);
      if (round === 1) await ali.stop('SIGKILL');
      slaves.cells.set('1 holding 0', 900);
      await untilStatus(daemon, 'over', (s) => s.alarms.red === 0, 40_000);
      if (round === 1) await ali.start();
      await until(
        `clear ${round}`,
        () => told(alink, 'cleared') === round && told(things, 'cleared') === round,
        40_000,
      );
    }
    const nothingWaits = (s: { feeds: readonly { waiting: { a: number; t: number } }[] }): boolean =>
      s.feeds.every((f) => f.waiting.a === 0 && f.waiting.t === 0);
    await untilStatus(daemon, 'nothing waits', nothingWaits, 40_000);
    const values = (p: typeof alink, key: string): string[] =>
      p.posted.flatMap(({ text: t }: Posted) =>
        [...t.matchAll(new RegExp(`"${key}":(?:\\{"value":)?([0-9.]+)`, 'g'))].map(([, v]) => v ?? ''),
      );
    for (const [p, key] of [
      [alink, 'WaterLevel'],
      [things, 'level'],
    ] as const) {
      expect(values(p, key)).toEqual(expect.arrayContaining(['900.0', '20.0']));
      expect(values(p, key).every((v) => v.includes('.'))).toBe(true);
    }
    expect(things.posted.some((p) => p.topic === 'v1/gateway/connect' && p.text.includes('"t1_tank_1"'))).toBe(true);
    expect(readFileSync(join(board.folder, 'log'), 'utf8')).toContain("u'ACCESS-1'");

    // Who may command is told when it is done; who may not is told that.
    const topic = '/sys/a1Tank/T-1/thing/service/property/set';
    const rpc = (id: number, params: object) =>
      things.publish('v1/gateway/rpc', { device: 't1_lamp_1', data: { id, method: 'write', params } });
    await alink.publish(topic, { id: '77', version: '1.0', params: { WaterLevel: 1.0 } });
    await rpc(5, { dim: 80 });
    await rpc(6, { dim: 300 });
    const answered = (p: typeof alink, part: string) => p.posted.some(({ text: t }) => t.includes(part));
    await until(
      'the answers',
      () =>
        answered(alink, '"code":403,"message":"not_granted"') &&
        answered(things, '"id":5,"data":{"success":true}') &&
        answered(things, '"id":6,"data":{"error":"out_of_range"}'),
    );
    expect(slaves.cells.get('2 holding 0')).toBe(80);
    const { feeds } = await daemon.status();
    expect(feeds.map((f) => [f.counters.commands, f.counters.commands_refused])).toEqual([
      [0, 1],
      [2, 0],
    ]);
    expect(daemon.said.out + daemon.said.err).not.toContain('s3cret');
    expect(await daemon.stop()).toBe(0);
  });
});
