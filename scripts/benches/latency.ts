/**
 * From a changed register to the platform's hands: alarms and telemetry, p99, with a quiet disk and with one that stalls for 500 ms at random.
 * Goals: alarm <= poll + 50 ms + 2 x the run's p99 sync, with the stalling disk <= poll + 1.1 s; telemetry <= poll + window + 100 ms.
 */
import { join } from 'node:path';
import { createModbusSimulator, type SimulatedUnit } from '../../drivers/modbus/simulator.ts';
import { callLocal, followLocal } from '../../src/io/local-api.ts';
import { listenSocket } from '../../src/io/socket.ts';
import { createVerifier } from '../../src/uplink/index.ts';
import { tracing } from '../../test/kit/disktrace.ts';
import { broker, fixed, folder, gateway, pause, quantile, row, subscribe, syncTimes, until } from './kit.ts';

const POLL = 200;
const WINDOW = 1000;
const ROUNDS = 150;
const STALL = '150,500';

/** How long alarms and readings took, ms; `shown` = until the duty room saw the alarm, `sirens` = until the siren's coil was written. */
async function run(env: Readonly<Record<string, string>>) {
  let level = 900;
  const changed = new Map<number, number>();
  const sirens: number[] = [];
  let siren = 0;
  const takeSiren = (value: number): boolean => {
    const at = changed.get(level);
    if (value === 1 && siren === 0 && at !== undefined) sirens.push(performance.now() - at);
    siren = value;
    return true;
  };
  const units = new Map<number, SimulatedUnit>([
    [1, { replyMs: 0, read: () => level }],
    [2, { replyMs: 0, read: () => siren, write: (_, __, value) => takeSiren(value) }],
  ]);
  const slave = await listenSocket('127.0.0.1', 0, (port) => {
    const far = createModbusSimulator('tcp', units);
    port.onData((bytes) => {
      for (const reply of far.receive(bytes)) void port.write(reply.bytes).catch(() => {});
    });
  });
  const { url } = await broker();
  const alarms: number[] = [];
  const readings: number[] = [];
  const shown: number[] = [];
  const verifier = createVerifier();
  const values = new Map<string, number>();
  const connection = await subscribe(url, 'wn/1/street/b/#', (topic, payload) => {
    const now = performance.now();
    const member = verifier.take(topic, payload);
    const samples = (member?.data.samples ?? []) as { v?: number }[];
    for (const { v } of samples) {
      const at = changed.get(v ?? -1);
      if (at !== undefined && !values.has(`r${v}`)) readings.push(now - at);
      values.set(`r${v}`, 1);
    }
    const at = changed.get(((member?.data.values ?? {}) as { level?: number }).level ?? -1);
    if (member?.type === 'weinao.alarm.raised.v1' && at !== undefined) alarms.push(now - at);
  });
  const daemon = gateway(
    {
      'weinao.yaml': `site: {id: b, name: b}
gateway: {id: gw1, data: DATA, commit_window: ${WINDOW}ms}
channels: {plc: {modbus_tcp: "127.0.0.1:${slave.port}"}}
devices: {tank: {driver: modbus, channel: plc, address: 1, poll: ${POLL}ms, points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}},
          siren: {driver: modbus, channel: plc, address: 2, poll: ${POLL}ms, type: siren, points: {on: {register: coil 0, as: bool}}}}
people: {duty: {screen: true}}
feeds: {street: {to: "${url}", view: everything}}
`,
      'rules/a.yaml':
        'rule: low\nlevel: red\neach: {device: tank}\nwhen: level < 500\ntext: "{level}"\nact: x\ndo: [{screen: duty}, {write: {siren.on: true}, stop_after: 10m}]\nundo: [{write: {siren.on: false}}]\n',
    },
    env,
  );
  const stop = new AbortController();
  await until('ready', async () => {
    const { json } = await callLocal(daemon.socket, 'GET', '/v1/status').catch(() => ({ json: undefined }));
    const s = json as { ready?: boolean; feeds?: { state: string }[] } | undefined;
    return s?.ready === true && s.feeds?.[0]?.state === 'connected';
  });
  await pause(1500);
  void followLocal(
    daemon.socket,
    '/v1/watch?readings=0',
    (line) => {
      const { transition, alarm } = line as { transition?: string; alarm?: { values: { level?: number } } };
      const at = changed.get(alarm?.values.level ?? -1);
      if (transition === 'raised' && at !== undefined) shown.push(performance.now() - at);
    },
    stop.signal,
  ).catch(() => {});
  for (let round = 0; round < ROUNDS; round++) {
    // A level of its own for each round, so that what arrives can be told apart.
    await pause(Math.random() * POLL);
    level = round;
    changed.set(round, performance.now());
    await until('raised', () => alarms.length > round);
    level = 1000 + round;
    changed.set(level, performance.now());
    await pause(POLL + 60);
  }
  await pause(WINDOW + 500);
  stop.abort();
  daemon.child.kill('SIGKILL');
  await connection.close();
  await slave.close();
  return { alarms, readings, shown, sirens };
}

const disk = syncTimes(join(folder(), 'page'), 500);
const sync = quantile(disk, 0.99);
row(
  'raw 4 KiB overwrite and sync, p50 / p99 ms',
  `${fixed(quantile(disk, 0.5))} / ${fixed(sync)}`,
  '(the limit of this run)',
  undefined,
);
const quiet = await run({});
const goal = POLL + 50 + 2 * sync;
row(
  'alarm to MQTT receipt, p50 / p99 ms',
  `${fixed(quantile(quiet.alarms, 0.5), 0)} / ${fixed(quantile(quiet.alarms, 0.99), 0)}`,
  `p99 <= ${fixed(goal, 0)} (poll + 50 + 2 x sync)`,
  quantile(quiet.alarms, 0.99) <= goal,
);
row(
  'telemetry to MQTT receipt, p99 ms',
  fixed(quantile(quiet.readings, 0.99), 0),
  `<= ${POLL + WINDOW + 100} (poll + window + 100)`,
  quantile(quiet.readings, 0.99) <= POLL + WINDOW + 100,
);

const { LD_PRELOAD = '' } = tracing(folder()).env;
const tired = await run({ LD_PRELOAD, DISKSTALL: STALL });
row(
  'disk stalls 500 ms: alarm to receipt, p99 / max ms',
  `${fixed(quantile(tired.alarms, 0.99), 0)} / ${fixed(Math.max(...tired.alarms), 0)}`,
  `p99 <= ${POLL + 1100} (poll + 1.1 s)`,
  quantile(tired.alarms, 0.99) <= POLL + 1100,
);
row(
  'disk stalls 500 ms: alarm to duty room, max ms',
  fixed(Math.max(...tired.shown), 0),
  `<= ${POLL + 1000} (poll + 1 s)`,
  Math.max(...tired.shown) <= POLL + 1000,
);
row(
  'siren written, quiet / stalling disk, max ms',
  `${fixed(Math.max(...quiet.sirens), 0)} / ${fixed(Math.max(...tired.sirens), 0)}`,
  `<= ${POLL + 1000} (poll + 1 s)`,
  tired.sirens.length >= ROUNDS - 1 && Math.max(...tired.sirens, ...quiet.sirens) <= POLL + 1000,
);
process.exit(0);
