/** Ways in: other systems' messages through the house to an alarm and a platform, with real brokers and a real daemon. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { chirpstack, zigbee, zigbeeThere } from '../../drivers/mqtt/simulator.ts';
import { connectSubscriber, type Subscriber } from '../../src/io/subscriber.ts';
import { startConsumer } from '../kit/consumer.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { mosquitto } from '../kit/mosquitto.ts';
import { tempSite, until } from '../kit/site.ts';

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

const devices = (more = ''): string => `devices:
  leak_1: {driver: mqtt, channel: b, address: eui1, profile: chirpstack_leak, type: leak, poll: 1h}
  door_1: {driver: mqtt, channel: b, address: door_1, profile: z2m_contact, type: gate, poll: 1h}
${more}`;

const site = (port: number, feeds: number, more = ''): string => `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA, commit_window: 200ms}
channels: {b: {mqtt: "mqtt://127.0.0.1:${port}"}}
${devices(more)}
feeds: {city: {to: "mqtt://127.0.0.1:${feeds}", view: everything}}
`;

/** A publisher that comes back when its broker does. */
async function publisher(
  port: number,
): Promise<(message: { topic: string; payload: string }, retain?: boolean) => Promise<void>> {
  let open: Subscriber | undefined;
  const connect = async (): Promise<Subscriber> => {
    const options = { url: `mqtt://127.0.0.1:${port}`, protocol: 3, clientId: 'devices', clean: true } as const;
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
    const estate = await mosquitto();
    const platform = await mosquitto();
    await estate.start();
    await platform.start();
    const place = tempSite({ 'weinao.yaml': site(estate.port, platform.port), 'rules/a.yaml': RULES });
    const city = startConsumer({ url: `mqtt://127.0.0.1:${platform.port}` });
    const say = await publisher(estate.port);
    // What the broker kept: the door's state of some day, and who is there.
    await say(zigbee('door_1', { contact: false, battery: 50 }), true);
    await say(zigbeeThere('door_1', true), true);
    const daemon = startDaemonProcess(place);
    await untilStatus(daemon, 'the door is heard', (s) => s.devices.find((d) => d.id === 'door_1')?.online === true);
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
    await untilStatus(daemon, 'the broker is back', (s) => s.channels[0]?.state === 'open');
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
