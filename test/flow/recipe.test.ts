/** The consumer's recipe of the READMEs, as a platform engineer would use it: the SQL on a real feed, the ACL in a real broker. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { type BrokerConnection, connectBroker } from '../../src/io/mqtt.ts';
import { openSqlite, type Sqlite } from '../../src/io/sqlite.ts';
import { createVerifier } from '../../src/uplink/index.ts';
import { openEstate } from '../kit/estate.ts';
import { mosquitto } from '../kit/mosquitto.ts';
import { oneTank, until } from '../kit/site.ts';

const ROOT = join(import.meta.dirname, '../..');
const block = (name: string, kind: string): string =>
  new RegExp(`\`\`\`${kind}\n([\\s\\S]*?)\`\`\``).exec(readFileSync(join(ROOT, name), 'utf8'))?.[1] ?? '';
const [create = '', insert = '', holes = '', broken = '', once = '', standing = ''] = block('README.md', 'sql')
  .split(';')
  .map((statement) => statement.trim());

type Taken = { readonly topic: string; readonly payload: Uint8Array };

function load(db: Sqlite, taken: readonly Taken[]): void {
  const row = db.prepare(insert);
  for (const { topic, payload } of taken) {
    if (!topic.endsWith('/up/a') && !topic.endsWith('/up/t')) continue;
    const body = new TextDecoder().decode(payload);
    const { wnstream, sequence, source, id, type, wnprev, wnhash, data } = JSON.parse(body) as JsonObject;
    const { aid = null, rev = null } = data as { aid?: string; rev?: number };
    row.run(wnstream, Number(sequence), source, id, type, wnprev, wnhash, aid, rev, body);
  }
}

async function feed(): Promise<readonly Taken[]> {
  const estate = await openEstate(oneTank(1, '  street: {to: "mqtt://broker:1883", view: everything}\n'), []);
  for (const level of [900, 50, 900, 40]) {
    estate.set('tank_1.level', level);
    await estate.pass(5000);
  }
  return [...estate.broker.taken];
}

describe('the recipe in SQL', () => {
  it('is the same in both languages', () => {
    expect(block('README.zh-CN.md', 'sql')).toBe(block('README.md', 'sql'));
    expect(block('README.zh-CN.md', 'acl')).toBe(block('README.md', 'acl'));
  });

  it('drops duplicates, finds holes and a broken chain, and tells what stands', async () => {
    const taken = await feed();
    const verifier = createVerifier();
    for (const { topic, payload } of taken) verifier.take(topic, payload);
    const db = openSqlite(':memory:');
    db.exec(create);
    load(db, taken);
    load(db, taken);
    expect(db.prepare(once).all()).toHaveLength(verifier.summary().members);
    expect(db.prepare(holes).all()).toEqual([]);
    expect(db.prepare(broken).all()).toEqual([]);
    const alarms = db.prepare(standing).pluck().all() as string[];
    expect(alarms.map((a) => JSON.parse(a).data).filter((a) => a.rule === 'low')).toMatchObject([
      { condition: 'active' },
    ]);
    const { stream, n } = db
      .prepare('SELECT stream, count(*) AS n FROM member GROUP BY stream ORDER BY n DESC')
      .get() as { stream: string; n: number };
    expect(n).toBeGreaterThan(4);
    db.prepare('UPDATE member SET hash = ? WHERE stream = ? AND seq = 2').run('0'.repeat(64), stream);
    expect(db.prepare(broken).all()).toEqual([{ stream, seq: 3 }]);
    db.prepare('DELETE FROM member WHERE stream = ? AND seq IN (2, 3)').run(stream);
    expect(db.prepare(holes).all()).toEqual([{ stream, first: 2, last: 3 }]);
    db.close();
  });
});

describe("the broker's ACL", () => {
  it('lets a gateway and a platform do their work, and no platform see another feed', async () => {
    const broker = await mosquitto(['acl_file FOLDER/acl']);
    const property = block('README.md', 'acl').replaceAll('street', 'property').split('user gateway')[0] ?? '';
    writeFileSync(join(broker.folder, 'acl'), block('README.md', 'acl') + property, { mode: 0o600 });
    await broker.start();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const as = (user: string, clientId = user): Promise<BrokerConnection> =>
      connectBroker({ url, protocol: 5, clientId, user, clean: true });
    const heard: string[] = [];
    const listen = async (user: string, topics: readonly string[]): Promise<BrokerConnection> => {
      const connection = await as(user);
      connection.onMessage((topic) => void heard.push(`${user} ${topic}`));
      for (const topic of topics) await connection.subscribe([topic]).catch(() => {});
      return connection;
    };
    const up = (feed: string): string[] => ['wn/1/#', `wn/1/${feed}/+/up/#`];
    const listening = [
      await listen('gateway_sz0012', ['wn/1/#', 'wn/1/+/sz0012/dn/#', 'wn/1/+/sz0012/up/proof/#']),
      await listen('platform_street', up('street')),
      await listen('platform_property', up('property')),
    ];
    // A connection each: a refused packet ends it.
    const say = async (user: string, topic: string): Promise<void> => {
      const connection = await as(user, `${user}-says`);
      await connection.publish(topic, '{}').catch(() => {});
      await connection.close();
    };
    await say('gateway_sz0012', 'wn/1/street/sz0012/up/a');
    await say('gateway_sz0012', 'wn/1/street/sz9999/up/a');
    await say('platform_street', 'wn/1/street/sz0012/dn/ack');
    await say('platform_street', 'wn/1/property/sz0012/dn/ack');
    await say('platform_property', 'wn/1/street/sz0012/up/a');
    await say('gateway_sz0012', 'wn/1/property/sz0012/up/a');
    await until('the last one arrives', () => heard.includes('platform_property wn/1/property/sz0012/up/a'));
    await until('the acknowledgement arrives', () => heard.includes('gateway_sz0012 wn/1/street/sz0012/dn/ack'));
    for (const connection of listening) await connection.close();
    expect([...new Set(heard)].sort()).toEqual([
      'gateway_sz0012 wn/1/street/sz0012/dn/ack',
      'platform_property wn/1/property/sz0012/up/a',
      'platform_street wn/1/street/sz0012/up/a',
    ]);
  });
});
