/**
 * The uplink on a slow link (256 kbit/s, 300 ms) against the link itself and against a mosquitto bridge on the same link in the same run; and how long an
 * alarm takes to the broker's PUBACK while telemetry drains, on that link and on the loopback. SECONDS and ROWS change the sizes.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeedModel } from '../../src/base/model.ts';
import { systemClock } from '../../src/io/clock.ts';
import { openGatewayKey } from '../../src/io/keys.ts';
import { type BrokerConnection, connectBroker } from '../../src/io/mqtt.ts';
import { systemRandom } from '../../src/io/random.ts';
import { createUplink, createVerifier } from '../../src/uplink/index.ts';
import { SEES_ALL } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { broker, fixed, folder, freePort, pause, quantile, row, subscribe, until } from './kit.ts';
import { alarmOf, feedOf, fill, journalIn } from './rows.ts';
import { slowLink } from './slow-link.ts';

const SECONDS = Number(process.env.SECONDS ?? 60);
const ROWS = Number(process.env.ROWS ?? 1_000_000);
const BYTES = 32_000;
const ROUND_TRIP = 300;
const BATCH = 50;

const clock = systemClock();
const random = systemRandom();
const place = folder();
const signer = await openGatewayKey(place);
const journal = journalIn(place, clock);
await journal.start();

/** ms from handing an alarm to the journal until the broker had it, by alarm */
const waits: number[] = [];
const asked = new Map<string, number>();

/** The connection, watched: when the broker took which alarm. */
function watched(connection: BrokerConnection): BrokerConnection {
  return {
    ...connection,
    publish: async (topic, payload, options) => {
      await connection.publish(topic, payload, options);
      const began = asked.get(String(options?.properties?.id));
      if (began !== undefined) waits.push(performance.now() - began);
    },
  };
}

/** `gate`: its broker is away until then. */
function uplinkTo(feed: FeedModel, gate: Promise<void>) {
  const uplink = createUplink({
    clock,
    random,
    log: memoryLog(),
    ledger: journal.ledger,
    signer,
    connect: async () => {
      await gate;
      return watched(await connectBroker({ url: feed.to, protocol: 5, clientId: feed.id }));
    },
    entitlement: () => SEES_ALL,
    catalog: () => new Map(),
    onRefused: () => {},
    onCaughtUp: () => {},
    onSilent: () => {},
  });
  // As the house does: without it nobody tells the feed of an alarm.
  const unhear = journal.onHead(() => uplink.poke());
  return {
    start: () => uplink.apply('b', 'g1', new Map([[feed.id, feed]])),
    stop: async () => {
      unhear();
      await uplink.stop();
    },
  };
}

async function alarmEvery(ms: number, until_: number): Promise<void> {
  for (let n = 0; performance.now() < until_; n++) {
    const began = performance.now();
    const { events } = await journal.commit(alarmOf(clock, n));
    const id = events[0]?.id;
    if (id !== undefined) asked.set(id, began);
    await pause(ms);
  }
}

// --- the slow link ---------------------------------------------------------------------------------------------------------------------------
const cloud = await broker();
const link = await slowLink(cloud.port, BYTES, ROUND_TRIP);
const slow = await feedOf('slow', `mqtt://127.0.0.1:${link.port}`, 'json+zstd');
const verifier = createVerifier({ midway: true });
const consumer = await subscribe(cloud.url, 'wn/1/#', (topic, payload) => void verifier.take(topic, payload));
const sender = uplinkTo(slow, Promise.resolve());
await sender.start();
await until('greeted', () => link.up() > 0);
await fill(journal, clock, (SECONDS * 4000) / BATCH, BATCH);
await pause(5000);
const from = { at: performance.now(), up: link.up(), samples: verifier.summary().samples };
await alarmEvery(500, performance.now() + SECONDS * 1000);
const seconds = (performance.now() - from.at) / 1000;
const bytes = link.up() - from.up;
const samples = verifier.summary().samples - from.samples;
const share = bytes / seconds / BYTES;
row(
  '256 kbit/s, 300 ms: share of the link in use',
  `${fixed(share)} (${fixed(samples / seconds, 0)} samples/s)`,
  '>= 0.85',
  share >= 0.85,
);
const perSample = bytes / Math.max(1, samples);
row('wire bytes per sample (with alarms, MQTT, PUBACKs down apart)', fixed(perSample, 1), '', undefined);
const p99 = quantile(waits, 0.99);
const most = 2 * ROUND_TRIP + 1000;
row(
  'alarm to PUBACK there while telemetry drains, p99 ms',
  `${fixed(p99, 0)} of ${waits.length}`,
  `<= ${most} (2 RTT + 1 s)`,
  p99 <= most,
);
await sender.stop();
await consumer.close();
link.close();

// --- the bridge beside it --------------------------------------------------------------------------------------------------------------------
const far = await broker();
const bridgeLink = await slowLink(far.port, BYTES, ROUND_TRIP);
const edgePort = await freePort();
const edgeConfig = join(folder(), 'edge.conf');
const asRoot = process.getuid?.() === 0 ? 'user root\n' : '';
writeFileSync(
  edgeConfig,
  `listener ${edgePort} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n${asRoot}connection cloud
address 127.0.0.1:${bridgeLink.port}\ntopic b/# out 1\ncleansession false\n`,
);
const edge = spawn('/usr/sbin/mosquitto', ['-c', edgeConfig], { stdio: 'ignore' });
process.on('exit', () => void edge.kill('SIGKILL'));
const edgeUrl = `mqtt://127.0.0.1:${edgePort}`;
let bridged = 0;
await subscribe(far.url, 'b/#', () => {
  bridged++;
});
let near: BrokerConnection | undefined;
await until('the edge listens', async () => {
  near = await connectBroker({ url: edgeUrl, protocol: 5, clientId: 'edge', clean: true }).catch(() => undefined);
  return near !== undefined;
});
// One event a message, as a bridge forwards what devices publish: the event's own JSON of about 400 bytes.
const event = Buffer.from(
  JSON.stringify({ d: 'meter_301', p: 'power', t: new Date().toISOString(), v: 12.5, note: 'x'.repeat(310) }),
);
const published = Promise.all(Array.from({ length: SECONDS * 120 }, () => near?.publish('b/x', event)));
await until('the bridge runs', () => bridged > 5, 60_000);
const bridgeFrom = { at: performance.now(), n: bridged };
await pause((SECONDS * 1000) / 2);
const bridgeRate = ((bridged - bridgeFrom.n) * 1000) / (performance.now() - bridgeFrom.at);
await published.catch(() => {});
const times = samples / seconds / bridgeRate;
row('mosquitto bridge on the same link', `${fixed(bridgeRate, 0)} events/s`, '(the peer)', undefined);
row('samples a second against the bridge', `${fixed(times, 1)} x`, '>= 10 x', times >= 10);
edge.kill('SIGKILL');
bridgeLink.close();

// --- alarms while a million rows drain -------------------------------------------------------------------------------------------------------
waits.length = 0;
asked.clear();
const fast = await feedOf('fast', cloud.url, 'json');
let open: () => void = () => {};
const gate = new Promise<void>((resolve) => {
  open = resolve;
});
const drain = uplinkTo(fast, gate);
await drain.start();
await fill(journal, clock, ROWS / 5000, 5000);
open();
// Greeting the broker takes half a second of listening for the feed's own proofs.
const whole = (await journal.ledger.depth('fast')).t.rows;
await until('it drains', async () => (await journal.ledger.depth('fast')).t.rows < whole);
let drained = false;
void until('drained', async () => (await journal.ledger.depth('fast')).t.rows === 0, 600_000).then(() => {
  drained = true;
});
while (!drained && waits.length < 400) await alarmEvery(25, performance.now() + 500);
const loaded = quantile(waits, 0.99);
row(
  `alarm to PUBACK while ${ROWS} samples drain, p99 ms`,
  `${fixed(loaded, 0)} of ${waits.length}`,
  '< 150',
  loaded < 150,
);
await drain.stop();
await journal.close();
process.exit(0);
