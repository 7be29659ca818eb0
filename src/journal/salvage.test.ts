/** What a damaged page gives back is not always a row; the gateway must start all the same. */
import { expect, it } from 'vitest';
import { openSqlite } from '../io/sqlite.ts';
import { plant } from './salvage.ts';
import { migrate } from './schema.ts';

it('rows no table takes, and alarms nobody can read, are left behind; the others go along', () => {
  const damaged = openSqlite(':memory:');
  damaged.exec(`CREATE TABLE states (key, body); CREATE TABLE alarms (key, aid, open, body);
    INSERT INTO states VALUES ('a', '1'), (NULL, '2'), ('b', NULL), ('c', '3');
    INSERT INTO alarms VALUES ('r/1', 'x', 1, '{"aid":"x"}'), ('r/2', 'y', 1, '{"aid":'), ('r/3', NULL, 1, '{}');
    CREATE TABLE gaps (feed, stream, position, body); INSERT INTO gaps VALUES ('f', 'a', 'no number', '{}');`);
  const db = openSqlite(':memory:');
  migrate(db, ':memory:');
  plant(db, damaged, { epoch: 'e', why: 'test', wall: 0, durable: true });
  expect(db.prepare('SELECT key FROM states ORDER BY key').pluck().all()).toEqual(['a', 'c']);
  expect(db.prepare('SELECT key FROM alarms').pluck().all()).toEqual(['r/1']);
  expect(db.prepare('SELECT count(*) FROM gaps').pluck().get()).toBe(0);
});
