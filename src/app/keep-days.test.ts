/** When what goes, and what is told of it. */
import { expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import type { EventDraft } from '../base/event.ts';
import type { KeepClass, KeptCounts } from '../base/feed.ts';
import type { SiteModel } from '../base/model.ts';
import { KeepDays, keptKinds } from './keep-days.ts';
import type { Wanted } from './media.ts';

const DAY = 86_400_000;
const none = { events: 0, groups: 0, samples: 0, alarms: 0, states: 0 };

function site(bed: number | undefined, form: number | undefined): SiteModel {
  const keep = (days: number | undefined) => (days === undefined ? {} : { keepDays: days });
  const document = {
    form: 'visit',
    name: '来访',
    fields: [{ id: 'who', text: 20 }],
    ...(form ? { keep_days: form } : {}),
  };
  return {
    site: { id: 's', name: 's', timezone: 'Asia/Shanghai' },
    devices: new Map([
      ['bed_1', { id: 'bed_1', ...keep(bed), points: [{ id: 'pulse', keepDays: 3 }, { id: 'on' }] }],
      ['tank', { id: 'tank', points: [{ id: 'level' }] }],
    ]),
    assets: new Map([['flat', { id: 'flat', type: 'home', ...keep(bed) }]]),
    times: new Map(),
    rules: [{ file: 'rules/a.yaml', doc: 0, body: document }],
  } as unknown as SiteModel;
}

function start(model: () => SiteModel, isInterrupted = false) {
  // 08:00 in Shanghai
  const clock = new VirtualClock(Date.UTC(2026, 0, 10));
  const log = memoryLog();
  const asked: (readonly KeepClass[])[] = [];
  const pictures: Wanted[] = [];
  const events: EventDraft[] = [];
  const rows: string[] = [];
  const keep = new KeepDays({
    clock,
    log,
    site: model,
    expire: (classes) => {
      asked.push(classes);
      return Promise.resolve(classes.map(({ days }): KeptCounts => ({ ...none, days, events: days === 7 ? 4 : 0 })));
    },
    media: {
      erase: (wanted) => {
        pictures.push(wanted);
        return Promise.resolve(wanted.device === 'bed_1' ? 2 : 0);
      },
    },
    keep: (drafts, memory) => {
      events.push(...drafts);
      for (const { key, body } of memory) rows.push(`${key} ${body}`);
      return Promise.resolve(true);
    },
    isInterrupted,
  });
  keep.start();
  return { log, clock, asked, pictures, events, rows, keep };
}

it('names what is kept for how long', () => {
  expect(
    [...keptKinds(site(7, 30))].map(([days, { devices, points, forms }]) => ({ days, devices, points, forms })),
  ).toEqual([
    { days: 7, devices: ['bed_1', 'flat'], points: [], forms: [] },
    { days: 3, devices: [], points: ['bed_1.pulse'], forms: [] },
    { days: 30, devices: [], points: [], forms: ['visit'] },
  ]);
});

it('works once a local day, and when other things are named', async () => {
  let model = site(7, undefined);
  const b = start(() => model);
  await b.clock.advance(60_000);
  expect(b.asked).toHaveLength(1);
  const midnight = Date.UTC(2026, 0, 9, 16);
  expect(b.asked[0]?.map(({ days, before }) => ({ days, before }))).toEqual([
    { days: 7, before: midnight - 7 * DAY },
    { days: 3, before: midnight - 3 * DAY },
  ]);
  expect(b.pictures).toContainEqual({ device: 'bed_1', until: midnight - 7 * DAY });
  expect(b.events.map(({ kind, data }) => ({ kind, data }))).toEqual([
    { kind: 'audit.erased', data: { by: 'keep_days', reason: '7d', events: 4, samples: 0, pictures: 2 } },
  ]);
  await b.clock.advance(15 * 3_600_000);
  expect(b.asked).toHaveLength(1);
  await b.clock.advance(3_600_000);
  expect(b.asked.map((classes) => classes[0]?.before)).toEqual([midnight - 7 * DAY, midnight - 6 * DAY]);
  model = site(7, 30);
  b.keep.look();
  await b.clock.advance(1000);
  expect(b.asked).toHaveLength(3);
  await b.keep.stop();
  await b.keep.stop();
  expect(b.clock.timers()).toEqual([]);
});

it('says what it began until its events are stored; what was cut short is told in any case', async () => {
  const b = start(() => site(7, undefined), true);
  await b.clock.advance(60_000);
  expect(b.rows).toEqual(['running 1', 'running null']);
  expect(b.events.map(({ data }) => data)).toEqual([
    { by: 'keep_days', reason: '7d', events: 4, samples: 0, pictures: 2, resumed: true },
    { by: 'keep_days', reason: '3d', events: 0, samples: 0, pictures: 0, resumed: true },
  ]);
  await b.clock.advance(DAY);
  expect(b.events.slice(2).every(({ data }) => data.resumed === undefined)).toBe(true);
  await b.keep.stop();
});

it('takes nothing by a clock that nobody set, nor when nothing is named', async () => {
  const b = start(() => site(7, undefined));
  b.clock.synced = false;
  await b.clock.advance(2 * DAY);
  expect(b.asked).toEqual([]);
  b.clock.synced = true;
  await b.clock.advance(3_600_000);
  expect(b.asked).toHaveLength(1);
  await b.keep.stop();

  const { rules: _rules, ...rest } = site(undefined, undefined);
  const devices = new Map([...rest.devices].filter(([id]) => id === 'tank'));
  const other = start(() => ({ ...rest, devices, rules: [] }));
  await other.clock.advance(2 * DAY);
  expect(other.asked).toEqual([]);
  await other.keep.stop();
});
