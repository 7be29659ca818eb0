/** Ways in: other systems' messages through the house to an alarm and a platform, with real brokers and a real daemon. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cloudEvent } from '../../drivers/http/simulator.ts';
import { chirpstack, zigbee, zigbeeThere } from '../../drivers/mqtt/simulator.ts';
import type { BrokerOptions } from '../../src/io/mqtt.ts';
import { connectSubscriber, type Subscriber } from '../../src/io/subscriber.ts';
import { startConsumer } from '../kit/consumer.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { certificates, mosquitto } from '../kit/mosquitto.ts';
import { freePort, tempSite, until } from '../kit/site.ts';

/** ms a process may take to begin on a busy machine */
const BOOT = 60_000;

const RULES = `rule: leak
level: red
each: {type: leak}
when: alarm
text: "漏水"
act: 关阀
---
rule: door
level: yellow
each: {type: gate}
when: open
text: "门开"
act: 关门
`;

const FORM = `form: report
name: 随手拍
fields:
  - {id: kind, pick: [灯坏, 漏水]}
  - {id: text, label: 内容, text: 200, must: true}
`;

const devices = (more = ''): string => `devices:
  leak_1: {driver: mqtt, channel: b, address: eui1, profile: chirpstack_leak, type: leak, poll: 1h}
  door_1: {driver: mqtt, channel: b, address: door_1, profile: z2m_contact, type: gate, poll: 1h}
${more}`;

const site = (port: number, feeds: number, more = ''): string => `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA, commit_window: 200ms}
channels: {b: {mqtt: "mqtts://127.0.0.1:${port}", ca: {file: ca}, cert: {file: cert}, key: {file: key}}}
${devices(more)}
feeds: {city: {to: "mqtt://127.0.0.1:${feeds}", view: everything}}
`;

/** A publisher that comes back when its broker does. */
async function publisher(
  port: number,
  login: Pick<BrokerOptions, 'ca' | 'cert' | 'key'>,
): Promise<(message: { topic: string; payload: string }, retain?: boolean) => Promise<void>> {
  let open: Subscriber | undefined;
  const connect = async (): Promise<Subscriber> => {
    const options = {
      url: `mqtts://127.0.0.1:${port}`,
      protocol: 3,
      clientId: 'devices',
      clean: true,
      ...login,
    } as const;
    const connection = await connectSubscriber(options, () => Promise.resolve());
    connection.onClose(() => {
      open = undefined;
    });
    return connection;
  };
  onTestFinished(async () => open?.close());
  return async ({ topic, payload }, retain = false) => {
    open ??= await connect();
    await open.publish(topic, payload, retain);
  };
}

describe('devices behind a broker', () => {
  it('raise alarms that reach the platform, over a restart of their broker and a new configuration', {
    timeout: 90_000,
  }, async () => {
    // Only who shows a certificate may speak on this one.
    const estate = await mosquitto([
      ...['cafile FOLDER/ca.pem', 'certfile FOLDER/server.pem', 'keyfile FOLDER/server.key'],
      'require_certificate true',
    ]);
    certificates(estate.folder);
    const file = (name: string): string => readFileSync(join(estate.folder, name), 'utf8');
    const login = { ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') };
    const secrets = { 'secrets/ca': login.ca, 'secrets/cert': login.cert, 'secrets/key': login.key };
    const platform = await mosquitto();
    await estate.start();
    await platform.start();
    const place = tempSite({ 'weinao.yaml': site(estate.port, platform.port), 'rules/a.yaml': RULES, ...secrets });
    const city = startConsumer({ url: `mqtt://127.0.0.1:${platform.port}` });
    const say = await publisher(estate.port, login);
    // What the broker kept: the door's state of some day, and who is there.
    await say(zigbee('door_1', { contact: false, battery: 50 }), true);
    await say(zigbeeThere('door_1', true), true);
    const daemon = startDaemonProcess(place);
    await untilStatus(
      daemon,
      'the door is heard',
      (s) => s.devices.find((d) => d.id === 'door_1')?.online === true,
      BOOT,
    );
    const open = (): string[] =>
      city.members
        .filter((m) => m.type === 'weinao.alarm.raised.v1')
        .map((m) => String((m.data as { text?: unknown }).text));
    await until('a door that stands open is told', () => open().includes('门开'));

    const leak = (counter: number, isWet: boolean) =>
      chirpstack({ devEui: 'eui1', counter, at: Date.now(), object: { leak: isWet } });
    await say(leak(1, true));
    await until('the leak is told', () => open().includes('漏水'));
    await say(leak(1, true));

    await estate.stop('SIGKILL');
    await untilStatus(daemon, 'the broker is gone', (s) => s.channels[0]?.state !== 'open');
    await estate.start();
    await untilStatus(daemon, 'the broker is back', (s) => s.channels[0]?.state === 'open', BOOT);
    await say(leak(2, false));
    await until('the leak is over', () =>
      city.members.some(
        (m) => m.type === 'weinao.alarm.cleared.v1' && String((m.data as { key?: unknown }).key) === 'leak/leak_1',
      ),
    );

    const probed = await weinao(['probe', 'leak_1', '--config', place.config, '--lang', 'en'], '', {
      WEINAO_SOCKET: daemon.socket,
    });
    expect(probed.err).toBe('');
    expect(probed.out).toContain('application/4c2b7a1e-0d3f-4f7e-9f65-3d1a5b7c9e01/device/eui1/event/up');
    expect(probed.out).toMatch(/alarm +false/);

    const before = (await daemon.status()).channels[0];
    place.write({
      'weinao.yaml': site(
        estate.port,
        platform.port,
        '  door_2: {driver: mqtt, channel: b, address: door_2, profile: z2m_contact, type: gate, poll: 1h}\n',
      ),
    });
    expect((await weinao(['reload', '--config', place.config], '', { WEINAO_SOCKET: daemon.socket })).code).toBe(0);
    await until('the new door is heard', async () => {
      await say(zigbee('door_2', { contact: true, battery: 100 }));
      return (await daemon.status()).devices.some((d) => d.id === 'door_2' && d.online === true);
    });
    expect((await daemon.status()).channels[0]?.reopens).toBe(before?.reopens);
    expect(city.summary()).toMatchObject({ chain: 'ok', gaps: 0 });
    expect(await daemon.stop()).toBe(0);
  });
});

describe('systems that send requests', () => {
  it('raise alarms and enter forms; what is acknowledged outlives a kill', { timeout: 180_000 }, async () => {
    const platform = await mosquitto();
    await platform.start();
    const port = await freePort();
    const place = tempSite({
      'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA}
channels: {in: {http: "127.0.0.1:${port}"}}
devices:
  leak_7:
    driver: http
    channel: in
    token: {file: leaks}
    type: leak
    poll: 1h
    match: [{at: subject, is: flat-7}]
    points: {alarm: {value: data.wet, as: bool}}
  front: {driver: http, channel: in, token: {file: front}, forms: [report]}
feeds: {city: {to: "mqtt://127.0.0.1:${platform.port}", view: everything}}
`,
      'rules/a.yaml': `${RULES.split('---')[0]}---\n${FORM}`,
      'secrets/leaks': 'leaks-token',
      'secrets/front': 'front-token',
    });
    const city = startConsumer({ url: `mqtt://127.0.0.1:${platform.port}` });
    const post = async (path: string, token: string, body: unknown, type = 'application/json') => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': type };
      const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return { status: reply.status, json: (await reply.json()) as Record<string, unknown> };
    };
    const first = startDaemonProcess(place);
    await untilStatus(first, 'the port is open', (s) => s.channels[0]?.state === 'open', BOOT);
    const wet = cloudEvent('/leaks', '1', { wet: true }, { subject: 'flat-7' });
    const report = { form: 'report', fields: { kind: '漏水', text: '三楼在滴水' }, id: 'page-1' };
    expect(await post('/v1/events', 'leaks-token', wet, 'application/cloudevents+json')).toMatchObject({ status: 202 });
    const entered = await post('/v1/forms', 'front-token', report);
    expect(entered).toMatchObject({ status: 202 });
    // Said to be safe: so it is, whatever happens to the process now.
    await first.kill();
    const daemon = startDaemonProcess(place);
    await untilStatus(daemon, 'the port is open', (s) => s.channels[0]?.state === 'open', BOOT);
    await until('both are told', () =>
      ['weinao.alarm.raised.v1', 'weinao.report.created.v1'].every((type) => city.members.some((m) => m.type === type)),
    );
    const reports = () => city.members.filter((m) => m.type === 'weinao.report.created.v1');
    expect(reports()[0]?.data).toMatchObject({
      form: 'report',
      by: 'front',
      fields: { kind: '漏水', text: '三楼在滴水' },
    });

    // A sender that heard nothing sends it again: it stays one happening, and an id that means another is refused.
    expect(await post('/v1/forms', 'front-token', report)).toEqual(entered);
    expect(await post('/v1/events', 'leaks-token', wet, 'application/cloudevents+json')).toMatchObject({
      json: { accepted: 0, duplicates: 1 },
    });
    const other = { ...report, fields: { ...report.fields, text: '二楼在滴水' } };
    expect(await post('/v1/forms', 'front-token', other)).toMatchObject({
      status: 409,
      json: { error: 'forms.id_reused' },
    });

    expect(await post('/v1/forms', 'leaks-token', report)).toMatchObject({ status: 403 });
    const long = { form: 'report', fields: { text: 'x'.repeat(201) } };
    expect(await post('/v1/forms', 'front-token', long)).toMatchObject({ status: 422, json: { error: 'forms.wrong' } });
    expect(await post('/v1/events', 'nobody', wet)).toMatchObject({ status: 401, json: { error: 'unauthorized' } });
    const submit = (...words: string[]) =>
      weinao(['form', 'submit', 'report', ...words, '--by', '值班', '--config', place.config, '--lang', 'en'], '', {
        WEINAO_SOCKET: daemon.socket,
      });
    expect(await submit('kind=灯坏', 'text=楼道灯坏了')).toMatchObject({ code: 0, err: '' });
    // Fields that are none, twice, or hold what no person writes.
    expect((await submit('text=a', '__proto__=1')).err).toContain('__proto__');
    expect((await submit('text=a', 'text=b')).code).toBe(2);
    expect((await submit('text=a\u001b[2J')).err).toContain('does not fit');
    const status = await daemon.status();
    expect(status.channels[0]?.dropped).toEqual({ form_refused: 3, unauthorized: 1, duplicate: 2 });
    await until('the second entry is told', () => reports().length === 2);
    expect(reports().map((m) => (m.data as { report?: unknown }).report)).toContain(entered.json.id);
    expect(city.members.filter((m) => m.type === 'weinao.alarm.raised.v1')).toHaveLength(1);
    expect(city.summary()).toMatchObject({ chain: 'ok', gaps: 0 });
    expect(await daemon.stop()).toBe(0);
  });
});
