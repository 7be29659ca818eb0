/** Feeds against a real broker: MQTT 5 and 3.1.1, TLS with client certificates, passwords, a broker that kills connections and forgets. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startConsumer } from '../kit/consumer.ts';
import { spawnWeinao, startDaemonProcess, untilStatus } from '../kit/daemon.ts';
import { certificates, mosquitto } from '../kit/mosquitto.ts';
import { oneTank, startSlaves, tempSite, until } from '../kit/site.ts';

describe('feeds and real brokers', () => {
  it('each feed speaks its own MQTT; one that is refused costs only itself', { timeout: 60_000 }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900 });
    const plain = await mosquitto();
    const tls = await mosquitto([
      'cafile FOLDER/ca.pem',
      'certfile FOLDER/server.pem',
      'keyfile FOLDER/server.key',
      'require_certificate true',
      'use_identity_as_username true',
    ]);
    certificates(tls.folder);
    await plain.start();
    await tls.start();
    const file = (name: string): string => readFileSync(join(tls.folder, name), 'utf8');
    const secrets = { ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') };
    const place = tempSite({
      ...oneTank(
        slaves.port,
        `  five: {to: "mqtt://127.0.0.1:${plain.port}", view: everything}
  three: {to: "mqtt://127.0.0.1:${plain.port}", mqtt: 3, encoding: json+zstd, view: everything}
  safe: {to: "mqtts://127.0.0.1:${tls.port}", ca: {file: ca}, cert: {file: cert}, key: {file: key}, view: everything}
  nobody: {to: "mqtts://127.0.0.1:${tls.port}", ca: {file: ca}, view: everything}
  stranger: {to: "mqtts://127.0.0.1:${tls.port}", cert: {file: cert}, key: {file: key}, view: everything}
`,
      ),
      'secrets/ca': secrets.ca,
      'secrets/cert': secrets.cert,
      'secrets/key': secrets.key,
    });
    const open = startConsumer({ url: `mqtt://127.0.0.1:${plain.port}` });
    const sealed = startConsumer({ url: `mqtts://127.0.0.1:${tls.port}`, ...secrets });
    const daemon = startDaemonProcess(place);
    await untilStatus(
      daemon,
      'three feeds connected',
      (s) => s.feeds.filter((f) => f.state === 'connected').length === 3,
    );
    slaves.cells.set('1 holding 0', 20);
    const raised = (consumer: typeof open, feed: string): boolean =>
      consumer.members.some((m) => m.topic.includes(`/${feed}/`) && m.type === 'weinao.alarm.raised.v1');
    await until('the alarm at every platform', () => raised(open, 'five') && raised(sealed, 'safe'));
    await until('the packed feed', () => open.capture.some((line) => line.includes('/three/t1/up/a')));
    await untilStatus(daemon, 'all told', (s) => s.feeds.slice(0, 3).every((f) => f.waiting.a === 0));

    const { feeds } = await daemon.status();
    expect(feeds.map((f) => [f.id, f.state, f.error])).toEqual([
      ['five', 'connected', undefined],
      ['three', 'connected', undefined],
      ['safe', 'connected', undefined],
      ['nobody', 'connecting', 'uplink.connect_failed'],
      ['stranger', 'connecting', 'uplink.connect_failed'],
    ]);
    expect(open.summary()).toMatchObject({ chain: 'ok', gaps: 0 });
    expect(sealed.summary()).toMatchObject({ chain: 'ok', gaps: 0 });
    const packed = open.capture.filter((line) => line.includes('/three/t1/up/t'));
    const body = Buffer.from(JSON.parse(packed[0] ?? '{}').base64, 'base64');
    expect([...body.subarray(0, 4)]).toEqual([0x28, 0xb5, 0x2f, 0xfd]);
    // What a broker may filter by stands beside the event (MQTT 5).
    const listener = spawn('mosquitto_sub', [
      ...['-V', '5', '-h', '127.0.0.1', '-p', String(plain.port), '-t', 'wn/1/five/t1/up/t', '-C', '1', '-W', '10'],
      ...['-F', '%C|%P'],
    ]);
    let beside = '';
    listener.stdout.on('data', (bytes: Buffer) => {
      beside += bytes.toString();
    });
    const listened = new Promise<void>((resolve) => listener.once('close', () => resolve()));
    const jitter = setInterval(() => slaves.cells.set('1 holding 0', 20 + Math.floor(performance.now() % 50)), 50);
    await listened;
    clearInterval(jitter);
    expect(beside).toMatch(/^application\/cloudevents\+json; charset=utf-8\|/);
    for (const part of [/id:[0-9A-Z]{26}/, /type:weinao\.telemetry\.sampled\.v1/, /sequence:\d+/, /wn-sent:20\d\d-/])
      expect(beside).toMatch(part);

    // Somebody proves the live feed from the middle of it, with certificates of his own.
    const files = ['ca', 'cert', 'key'].flatMap((name) => [`--${name}`, join(place.config, 'secrets', name)]);
    const proof = spawnWeinao(['feed', 'verify', `mqtts://127.0.0.1:${tls.port}`, ...files, '--json']);
    await until('it listens', () => proof.said.err.includes('listening'));
    slaves.cells.set('1 holding 0', 800);
    await untilStatus(daemon, 'alarm over', (s) => s.alarms.red === 0);
    await until('the end at the platform', () => sealed.summary().alarms.cleared === 1);
    proof.child.kill('SIGINT');
    const proved = await proof.ended;
    expect(proved.code, proved.out + proved.err).toBe(0);
    expect(JSON.parse(proved.out)).toMatchObject({ chain: 'ok', gaps: 0, alarms: { cleared: 1 } });
    expect(JSON.parse(proved.out).proofs.bad).toBe(0);

    // No secret in what the daemon says.
    expect(daemon.said.out + daemon.said.err).not.toContain('PRIVATE KEY');
    expect(await daemon.stop()).toBe(0);
  });

  it('the broker says for it that it is gone, with the session that went', { timeout: 60_000 }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900 });
    const broker = await mosquitto();
    await broker.start();
    // MQTT 3.1.1 knows no delay of the will.
    const feeds = `  three: {to: "mqtt://127.0.0.1:${broker.port}", mqtt: 3, view: everything}\n`;
    const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
    const daemon = startDaemonProcess(tempSite(oneTank(slaves.port, feeds)));
    const states = (): { online: boolean; session: string; why?: string }[] =>
      platform.capture
        .map((line) => JSON.parse(line) as { topic: string; base64: string })
        .filter(({ topic }) => topic.endsWith('/up/state'))
        .map(({ base64 }) => JSON.parse(Buffer.from(base64, 'base64').toString()));
    await until('online', () => states().some((s) => s.online));
    await daemon.kill();
    await until('offline', () => states().some((s) => !s.online));
    const [online, offline] = states();
    expect(offline).toEqual({ online: false, session: online?.session, why: 'lost' });
  });

  it('a broker killed again and again, and one that forgot its sessions, lose nothing', {
    timeout: 90_000,
  }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900 });
    const broker = await mosquitto();
    await broker.start();
    const place = tempSite(oneTank(slaves.port, `  five: {to: "mqtt://127.0.0.1:${broker.port}", view: everything}\n`));
    const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
    const daemon = startDaemonProcess(place);
    await untilStatus(daemon, 'connected', (s) => s.feeds[0]?.state === 'connected');
    for (let round = 1; round <= 4; round++) {
      slaves.cells.set('1 holding 0', 20);
      await untilStatus(daemon, 'raised', (s) => s.alarms.red === 1);
      await until(`raise ${round} arrives`, () => platform.summary().alarms.raised === round);
      // A broker that stops writes its sessions down; one that is killed forgets what it had not saved.
      await broker.stop(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      slaves.cells.set('1 holding 0', 900);
      await untilStatus(daemon, 'cleared', (s) => s.alarms.red === 0);
      await broker.start();
      await until(`clear ${round} arrives`, () => platform.summary().alarms.cleared === round);
    }
    await untilStatus(daemon, 'nothing waits', (s) => s.feeds[0]?.waiting.a === 0 && s.feeds[0].waiting.t === 0);
    const { chain, gaps, alarms } = platform.summary();
    expect({ chain, gaps, alarms }).toEqual({ chain: 'ok', gaps: 0, alarms: { raised: 4, cleared: 4 } });
    expect(await daemon.stop()).toBe(0);
  });
});
