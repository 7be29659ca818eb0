/**
 * A card that dies under a running gateway: alarms still reach the duty room and the platforms, and everybody is told. One that was only full or
 * read-only, and is not any more, is taken back without a restart.
 *
 * The errors come from disktrace.c: a mount cannot be made read-only while a database is open for writing (EBUSY), what the kernel does after an error
 * is what the library does here. What a really full disk does is in full-disk.test.ts.
 */
import { rmSync, writeFileSync } from 'node:fs';
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
    ['gives I/O errors', 'eio', false],
    ['is full', 'full', true],
    ['turned itself read-only', 'readonly', true],
  ])('%s loses no alarm', { timeout: 120_000 }, async (_, how, isPassing) => {
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
    rmSync(trigger);
    if (isPassing) {
      await untilStatus(daemon, 'the file is taken back', (s) => s.journal.durable);
      await until('the fault is over', () => shown.includes('sys.store cleared'));
      slaves.cells.set('1 holding 0', 900);
      await until('the end of the second alarm', () => levels() >= 4);
      expect(platform.types().filter((t) => t === 'feed.gap')).toEqual([]);
      expect(platform.summary()).toMatchObject({ chain: 'ok', gaps: 0, faults: [] });
      await until('nothing waits', async () => (await daemon.status()).feeds[0]?.waiting.a === 0);
    }
    stop.abort();
    await watching;
    expect(await daemon.stop()).toBe(0);
    // A restart finds everything where it was, the alarms as they were shown.
    const later = startDaemonProcess(site);
    await untilStatus(later, 'the later life', (s) => s.ready && s.journal.durable);
    const red = (await later.status()).alarms.red;
    expect(red).toBe(isPassing ? 0 : 1);
    const sent = levels();
    slaves.cells.set('1 holding 0', isPassing ? 20 : 900);
    await until('what happens then arrives', () => levels() > sent);
    expect(platform.summary()).toMatchObject({ chain: 'ok', gaps: 0, faults: [] });
    expect(await later.stop()).toBe(0);
  });
});
