/** A card that dies under a running gateway: alarms still reach the duty room and the platforms, and everybody is told. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { followLocal } from '../../src/io/local-api.ts';
import { startConsumer } from '../kit/consumer.ts';
import { startDaemonProcess, untilStatus } from '../kit/daemon.ts';
import { tracing } from '../kit/disktrace.ts';
import { mosquitto } from '../kit/mosquitto.ts';
import { oneTank, startSlaves, tempFolder, tempSite, until } from '../kit/site.ts';

describe('a card that', () => {
  it.each([
    ['gives I/O errors', 'eio'],
    ['is full', 'full'],
    ['turned itself read-only', 'readonly'],
  ])('%s loses no alarm', { timeout: 60_000 }, async (_, how) => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900 });
    const broker = await mosquitto();
    const site = tempSite(
      oneTank(slaves.port, `  street: {to: "mqtt://127.0.0.1:${broker.port}", view: everything}\n`, {
        pollMs: 50,
        windowMs: 100,
      }),
    );
    const folder = tempFolder();
    const { env } = tracing(folder);
    const trigger = join(folder, how);
    const daemon = startDaemonProcess(site, { LD_PRELOAD: env.LD_PRELOAD ?? '', DISKFAIL: trigger });
    await untilStatus(daemon, 'ready', (s) => s.ready);
    // One alarm is committed and taken by nobody when the card dies.
    slaves.cells.set('1 holding 0', 20);
    await untilStatus(daemon, 'first alarm', (s) => s.alarms.red === 1);
    writeFileSync(trigger, '');
    const shown: string[] = [];
    const stop = new AbortController();
    const watching = followLocal(
      daemon.socket,
      '/v1/watch?readings=0',
      (line) => {
        const { transition, alarm } = line as { transition?: string; alarm?: { rule: string } };
        shown.push(`${alarm?.rule} ${transition}`);
      },
      stop.signal,
    );
    slaves.cells.set('1 holding 0', 900);
    await until('the duty room sees the end of the alarm', () => shown.includes('low cleared'));
    slaves.cells.set('1 holding 0', 20);
    await until('and the next', () => shown.some((s) => s === 'low raised' || s === 'low updated'));
    await untilStatus(daemon, 'the store says it is dead', (s) => !s.journal.durable && s.alarms.red === 2);
    expect(shown.some((s) => s.startsWith('sys.store'))).toBe(true);

    // Now the platform comes, and gets everything: what was committed before, and what only memory holds.
    await broker.start();
    const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
    const levels = (): number =>
      platform.members.filter((m) => m.data.rule === 'low' && m.type.startsWith('weinao.alarm.')).length;
    await until('all three transitions arrive', () => levels() >= 3, 30_000);
    expect(platform.types()).toContain('alarm.cleared');
    const { chain, gaps, faults } = platform.summary();
    expect({ chain, gaps, faults }).toEqual({ chain: 'ok', gaps: 0, faults: [] });
    expect((await daemon.status()).health.ok).toBe(true);
    stop.abort();
    await watching;
    expect(await daemon.stop()).toBe(0);
  });
});
