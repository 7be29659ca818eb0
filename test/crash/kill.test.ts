/**
 * kill -9 at random moments, again and again, while alarms go on and the broker comes and goes. Between the lives the platform's knowledge is held
 * against the journal; at the end, with everything well again, against all that ever was committed and all that was ever shown in the duty room.
 */
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Alarm } from '../../src/base/alarm.ts';
import { followLocal } from '../../src/io/local-api.ts';
import { openSqlite } from '../../src/io/sqlite.ts';
import { seededRandom } from '../fakes/random.ts';
import { startConsumer } from '../kit/consumer.ts';
import { startDaemonProcess, untilStatus } from '../kit/daemon.ts';
import { mosquitto } from '../kit/mosquitto.ts';
import { startSlaves, tempFolder, tempSite, until } from '../kit/site.ts';

const KILLS = process.env.WEINAO_NIGHT === undefined ? 150 : 1000;
const TANKS = 4;
/** the patient rule's time: longer than any life, so that only a timer that goes on over the kills can end it */
const PATIENCE = 25_000;

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly body: string;
}

/** The alarm rows of a journal, read from a copy: opening the file itself would tidy up behind the kill. */
function alarmRows(data: string): Row[] {
  const folder = tempFolder();
  for (const end of ['', '-wal'])
    if (existsSync(join(data, `journal.db${end}`)))
      copyFileSync(join(data, `journal.db${end}`), join(folder, `journal.db${end}`));
  const db = openSqlite(join(folder, 'journal.db'));
  try {
    // Killed before the first table was made.
    if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'rows'").get() === undefined) return [];
    return db.prepare("SELECT id, kind, body FROM rows WHERE kind LIKE 'alarm.%' ORDER BY position").all() as Row[];
  } finally {
    db.close();
    // A night of kills would fill the disk with copies.
    rmSync(folder, { recursive: true });
  }
}

const yaml = (modbus: number, broker: number): string => `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA, commit_window: 200ms}
channels: {plc: {modbus_tcp: "127.0.0.1:${modbus}"}}
devices:
${Array.from({ length: TANKS }, (_, i) => `  tank_${i + 1}: {driver: modbus, channel: plc, address: ${i + 1}, poll: 30ms, tags: [t], points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}\n`).join('')}  door: {driver: modbus, channel: plc, address: 9, poll: 50ms, points: {closed: {register: coil 0, as: bool, class: none}}}
feeds: {street: {to: "mqtt://127.0.0.1:${broker}", view: everything}}
`;
const RULES = `rule: low
level: red
each: {tag: t}
when: level < 100
text: "{name} {level}"
act: 补水
---
rule: door
level: orange
each: {device: door}
when: closed
for: ${PATIENCE}ms
text: 门一直关着
act: 上门看看
`;

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

describe('a gateway that is killed', () => {
  it(`${KILLS} times loses no alarm, tells none twice, leaves no hole`, { timeout: KILLS * 8000 }, async () => {
    const random = seededRandom(911).next;
    const cells = Object.fromEntries(Array.from({ length: TANKS }, (_, i) => [`${i + 1} holding 0`, 900]));
    const slaves = await startSlaves('tcp', { ...cells, '9 coil 0': 1 });
    const broker = await mosquitto();
    const site = tempSite({ 'weinao.yaml': yaml(slaves.port, broker.port), 'rules/a.yaml': RULES });
    const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
    const shown = new Set<string>();
    const begun = performance.now();
    let brokerIsUp = false;
    let owed = 0;
    /** sent again by the life behind each kill */
    const repeated: number[] = [];

    for (let kill = 1; kill <= KILLS; kill++) {
      // The broker stays as it is for some lives.
      if (random() < (brokerIsUp ? 0.5 : 0.25)) {
        if (brokerIsUp) await broker.stop(random() < 0.5 ? 'SIGTERM' : 'SIGKILL');
        else await broker.start();
        brokerIsUp = !brokerIsUp;
      }
      const daemon = startDaemonProcess(site);
      const ends = new AbortController();
      // Most lives begin to count when the gateway answers, however long a busy machine takes to start it; some end while it starts.
      if (random() < 0.85)
        await until(
          'it answers',
          () => daemon.child.exitCode !== null || daemon.status().then(isTrue, isFalse),
          60_000,
        );
      const end = performance.now() + 100 + random() * 1200;
      let watching = false;
      while (performance.now() < end) {
        const tank = 1 + Math.floor(random() * TANKS);
        slaves.cells.set(`${tank} holding 0`, random() < 0.5 ? 20 : 900);
        if (!watching && existsSync(daemon.socket)) {
          watching = true;
          void followLocal(
            daemon.socket,
            '/v1/watch?readings=0',
            (line) => {
              const { kind, alarm } = line as { kind?: string; alarm?: Alarm };
              if (kind === 'alarm' && alarm !== undefined) shown.add(`${alarm.aid} ${alarm.rev}`);
              else watching = false;
            },
            ends.signal,
          ).catch(() => {
            watching = false;
          });
        }
        await new Promise((resolve) => setTimeout(resolve, 10 + random() * 60));
      }
      expect(daemon.child.exitCode, daemon.said.out + daemon.said.err).toBeNull();
      await daemon.kill();
      ends.abort();
      repeated.push(platform.summary().duplicates - repeated.reduce((sum, n) => sum + n, 0));
      const told = new Set(platform.members.map((m) => String(m.envelope.id)));
      if (alarmRows(site.data).some((row) => !told.has(row.id))) owed++;
    }

    if (!brokerIsUp) await broker.start();
    const last = startDaemonProcess(site);
    await until('the patient rule', () => performance.now() - begun > PATIENCE + 5000, PATIENCE);
    await untilStatus(
      last,
      'everything is sent',
      (s) => s.feeds[0]?.state === 'connected' && s.feeds[0].waiting.a === 0,
      90_000,
    );
    expect(await last.stop()).toBe(0);
    const rows = alarmRows(site.data);
    const told = new Set(platform.members.map((m) => String(m.envelope.id)));
    await until('the last one arrives', () =>
      rows.every((row) => platform.members.some((m) => m.envelope.id === row.id)),
    );

    const { chain, gaps, faults } = platform.summary();
    repeated.sort((x, y) => x - y);
    const figures = {
      kills: KILLS,
      alarmsAccepted: rows.length,
      alarmsLost: rows.filter((row) => !told.has(row.id)).length,
      repeatedMedian: repeated[KILLS >> 1],
      repeatedMost: repeated.at(-1),
      twiceAfterDedup: platform.members.length - new Set(platform.members.map((m) => m.envelope.id)).size,
      chain,
      gaps,
      holes: faults.length,
    };
    process.stdout.write(`kill -9: ${JSON.stringify(figures)}\n`);
    expect(figures.twiceAfterDedup).toBe(0);
    expect(owed, 'kills with an alarm committed and not delivered').toBeGreaterThanOrEqual(KILLS / 2);
    expect(rows.filter((row) => !told.has(row.id))).toEqual([]);
    expect({ chain, gaps, faults }).toEqual({ chain: 'ok', gaps: 0, faults: [] });

    // Every revision of every alarm, once, and without a gap: no transition was lost, none made twice.
    const revisions = new Map<string, number[]>();
    for (const row of rows) {
      const { aid, rev } = JSON.parse(row.body).data as { aid: string; rev: number };
      revisions.set(aid, [...(revisions.get(aid) ?? []), rev]);
    }
    for (const [aid, revs] of revisions) expect(revs, aid).toEqual(revs.map((_, i) => i + 1));
    expect(rows.length).toBeGreaterThan(2 * KILLS);
    // What the duty room saw is in the journal.
    const committed = new Set([...revisions].flatMap(([aid, revs]) => revs.map((rev) => `${aid} ${rev}`)));
    expect(shown.size).toBeGreaterThan(20);
    expect([...shown].filter((s) => !committed.has(s))).toEqual([]);
    // The timer of 25 s went on over lives of a second.
    const door = rows.filter((row) => row.kind === 'alarm.raised' && row.body.includes('"rule":"door"'));
    expect(door).toHaveLength(1);
  });
});
