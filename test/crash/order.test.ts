/** The order of disk and network, seen from outside the process: no alarm leaves before the sync that made it safe. */
import { describe, expect, it } from 'vitest';
import { startConsumer } from '../kit/consumer.ts';
import { startDaemonProcess, untilStatus } from '../kit/daemon.ts';
import { tracing } from '../kit/disktrace.ts';
import { mosquitto } from '../kit/mosquitto.ts';
import { oneTank, startSlaves, tempFolder, tempSite, until } from '../kit/site.ts';

const ROUNDS = 25;

describe('an alarm', () => {
  it('is synced before it is published', { timeout: 60_000 }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900 });
    const broker = await mosquitto();
    await broker.start();
    const site = tempSite(
      oneTank(slaves.port, `  street: {to: "mqtt://127.0.0.1:${broker.port}", view: everything}\n`, {
        pollMs: 20,
        windowMs: 100,
      }),
    );
    const { env, read } = tracing(tempFolder());
    const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
    const daemon = startDaemonProcess(site, env);
    await untilStatus(daemon, 'connected', (s) => s.feeds[0]?.state === 'connected');
    for (let round = 1; round <= ROUNDS; round++) {
      slaves.cells.set('1 holding 0', 20);
      await until('raised', () => platform.summary().alarms.raised === round);
      slaves.cells.set('1 holding 0', 900);
      await until('cleared', () => platform.summary().alarms.cleared === round);
    }
    expect(await daemon.stop()).toBe(0);

    const trace = read();
    const alarms = platform.members.filter((m) => m.type.startsWith('weinao.alarm.'));
    expect(alarms.length).toBe(2 * ROUNDS);
    for (const { envelope } of alarms) {
      const id = Buffer.from(String(envelope.id));
      const written = trace.findIndex((r) => r.file === 'wal' && r.bytes.includes(id));
      const synced = trace.findIndex((r, i) => i > written && r.file === 'wal' && r.kind === 'sync');
      const sent = trace.findIndex((r) => r.file === 'socket' && r.bytes.includes(id));
      expect(written, String(id)).toBeGreaterThanOrEqual(0);
      expect(synced, String(id)).toBeGreaterThan(written);
      expect(sent, String(id)).toBeGreaterThan(synced);
    }
  });
});
