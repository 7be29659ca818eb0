/**
 * A journal put back from an older copy, with real files: by hand, of a gateway that ran when the copy was made, and by `weinao backup` and `restore`.
 * The platforms are told (a new epoch, `restored`), no sequence number has two contents, and what happens afterwards arrives.
 */
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backupJournal, restoreJournal } from '../../src/app/backup.ts';
import type { Member } from '../../src/uplink/index.ts';
import { type Estate, openEstate } from '../kit/estate.ts';
import { tempFolder } from '../kit/site.ts';

const S = 1000;
const M = 60 * S;
const FILES = {
  'weinao.yaml': `site: {id: s1, name: 测试, lat: 22.54, lon: 114.05}
gateway: {id: g1, data: DATA}
channels: {plc: {modbus_tcp: "127.0.0.1:502"}}
devices:
  tank_1: {driver: modbus, channel: plc, address: 1, poll: 1s, type: tank, points: {level: {register: holding 0, as: uint16, unit: m}}}
feeds:
  city: {to: "mqtt://city", view: everything}
  street: {to: "mqtt://street", view: [{alarms: {level: [red, orange]}}]}
`,
  // Orange: a red alarm has a proof at once, whatever comes next.
  'rules/a.yaml':
    'rule: low\nlevel: orange\neach: {type: tank}\nwhen: level < 100\ntext: "{level}"\nact: 补水\n---\nrule: full\nlevel: red\neach: {type: tank}\nwhen: level > 900\ntext: "{level}"\nact: 关阀\n',
};

/** The journal's own files, as `cp` would take them. */
function journalFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('journal.db'));
}

function copy(from: string, to: string): void {
  for (const name of journalFiles(to)) rmSync(join(to, name));
  for (const name of journalFiles(from)) cpSync(join(from, name), join(to, name));
}

/** An alarm that comes and goes, and telemetry around it. */
async function happen(e: Estate, level: number): Promise<void> {
  e.set('tank_1.level', level);
  await e.pass(20 * S);
  e.set('tank_1.level', 500);
  await e.pass(50 * S);
}

/** What a platform would stumble over. */
function contradictions(members: readonly Member[]): string[] {
  const wrong: string[] = [];
  const [places, ids] = [new Map<string, string>(), new Map<string, string>()];
  for (const { envelope, type, data } of members) {
    const { wnstream, sequence, id, time, wnhash } = envelope as Record<string, string>;
    const place = `${wnstream} ${sequence}`;
    if ((places.get(place) ?? wnhash) !== wnhash) wrong.push(`two members at ${place}`);
    places.set(place, wnhash ?? '');
    const content = JSON.stringify([type, time, data]);
    if ((ids.get(id ?? '') ?? content) !== content) wrong.push(`two contents of ${id}`);
    ids.set(id ?? '', content);
  }
  return wrong;
}

const reasons = (members: readonly Member[]): unknown[] =>
  members.filter((m) => m.type === 'weinao.feed.epoch.v1').map((m) => m.data.reason);
const raised = (e: Estate, feed: string): unknown[] => {
  const ids = new Map(
    e
      .members(feed)
      .filter((m) => m.type === 'weinao.alarm.raised.v1' && !String(m.data.rule).startsWith('sys.'))
      .map((m) => [m.envelope.id, (m.data.values as { level?: number }).level]),
  );
  return [...ids.values()];
};

async function expectSound(e: Estate): Promise<void> {
  for (const feed of ['city', 'street']) {
    const members = e.members(feed);
    expect(contradictions(members)).toEqual([]);
    expect(reasons(members)).toContain('restored');
    const { chain, gaps, faults, proofs } = e.summary(feed);
    expect({ feed, chain, gaps, faults, bad: proofs.bad }).toEqual({ feed, chain: 'ok', gaps: 0, faults: [], bad: 0 });
  }
}

describe('an older copy of the journal', () => {
  it.each([
    ['that was copied while it ran', 'running', 20],
    ['that was copied while it stood', 'stopped', 20],
    ['with a red alarm after it', 'running', 950],
  ])('%s: told, and nothing has two contents', { timeout: 120_000 }, async (_, when, level) => {
    const e = await openEstate(FILES, [], { turns: 24 });
    const { data } = e.house.model().gateway;
    const kept = tempFolder();
    e.set('tank_1.level', 500);
    await e.pass(10 * S);
    await happen(e, 30);
    if (when === 'running') copy(data, kept);
    else await e.restart(() => copy(data, kept));
    await happen(e, level);
    const before = e.members('city').length;
    await e.restart(() => copy(kept, data));
    await e.pass(M);
    await happen(e, 40);
    await e.pass(2 * M);
    expect(e.members('city').length).toBeGreaterThan(before);
    await expectSound(e);
    expect(raised(e, 'city')).toEqual([30, level, 40]);
    expect(raised(e, 'street')).toEqual([30, level, 40]);
  });

  it('that `weinao backup` made and `weinao restore` put back: told by the file itself, also to a platform that holds no proof', {
    timeout: 120_000,
  }, async () => {
    const e = await openEstate(FILES, [], { turns: 24 });
    const { data } = e.house.model().gateway;
    const backup = join(tempFolder(), 'weinao.backup');
    e.set('tank_1.level', 500);
    await e.pass(10 * S);
    await happen(e, 30);
    await backupJournal(e.config, {}, backup);
    await happen(e, 20);
    let restored: Promise<unknown> = Promise.resolve();
    await e.house.stop();
    for (const feed of ['city', 'street']) e.brokerOf(feed).retained.clear();
    restored = restoreJournal(e.config, {}, backup, e.clock.now().wall);
    await restored;
    expect(existsSync(join(data, 'journal.db.restoring'))).toBe(false);
    await e.restart();
    await e.pass(M);
    await happen(e, 40);
    await e.pass(2 * M);
    await expectSound(e);
    expect(raised(e, 'city')).toEqual([30, 20, 40]);
    // Once: the next start goes on in the same epoch.
    const epochs = reasons(e.members('city')).length;
    await e.restart();
    await e.pass(M);
    expect(reasons(e.members('city')).length).toBe(epochs);
  });
});
