/** The whole driver against the simulated camera on virtual time: every persona, every fault, and what must be so afterwards. */
import { describe, expect, it } from 'vitest';
import type { DeviceModel } from '../../src/base/model.ts';
import type { Driver, HttpDoor, PollResult } from '../../src/kit/driver.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import { attachCamera } from './driver.ts';
import { pointsOf } from './points.ts';
import { deviceSchema } from './schema.ts';
import { cameraDoor } from './simulator/door.ts';
import { type Camera, type CameraFaults, createCamera, PERSONAS, type PersonaName } from './simulator.ts';

const HOST = '192.168.1.64';
const PASSWORD = '密码&<"1';
const USER = 'we&i<nao';
const SECRET = { file: 'cam' };

interface Rig {
  readonly clock: VirtualClock;
  readonly camera: Camera;
  readonly log: ReturnType<typeof memoryLog>;
  readonly memory: Map<string, string>;
  readonly told: string[];
  driver: Driver;
  /** what polls say now: `point=value`, or the code of the fault */
  poll(): Promise<string[]>;
  pass(ms: number): Promise<void>;
  health(): Record<string, unknown>;
  stop(): Promise<void>;
  start(): void;
  /** power goes: nothing of this life asks or writes any more, and the camera does not know */
  crash(): void;
  /** what it last said of a point */
  last(point: string): string | undefined;
}

const running: Rig[] = [];

function rig(
  persona: PersonaName,
  faults: Partial<CameraFaults> = {},
  section: object = {},
  password: string | (() => string) = PASSWORD,
): Rig {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1), 12);
  const camera = createCamera(
    { persona, user: USER, password: PASSWORD, place: { host: HOST, port: 80 }, faults },
    clock,
    seededRandom(5),
  );
  const log = memoryLog();
  const memory = new Map<string, string>();
  const told: string[] = [];
  const config = deviceSchema.parse({ host: HOST, user: USER, password: SECRET, ...section });
  const device = {
    id: 'cam',
    driver: 'onvif',
    pollMs: 30_000,
    config,
    points: Object.keys(pointsOf(config)).map((id) => ({ id, event: id === 'line_cross' })),
  } as unknown as DeviceModel;
  let off = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  let alive = { is: true };
  const note = ({ readings, faults: lost }: PollResult): void => {
    for (const r of readings) told.push(`${r.point}=${r.value}`);
    if (lost.length > 0) told.push(`lost ${lost[0]?.error.code}`);
  };
  const made: Rig = {
    clock,
    camera,
    log,
    memory,
    told,
    driver: undefined as unknown as Driver,
    crash: () => {
      alive.is = false;
    },
    start: () => {
      off = new AbortController();
      const life = { is: true };
      alive = life;
      const door = cameraDoor([camera], clock);
      const http: HttpDoor = {
        ask: (ask, limits) => (life.is ? door.ask(ask, limits) : new Promise(() => {})),
      };
      made.driver = attachCamera({
        device,
        clock,
        log,
        random: seededRandom(9),
        memory: {
          get: (key) => memory.get(key),
          set: (key, body) => {
            if (life.is) void (body === null ? memory.delete(key) : memory.set(key, body));
          },
        },
        priority: () => 'poll',
        doors: { http, udp: { ask: () => Promise.resolve() } },
        secret: () => Promise.resolve(typeof password === 'string' ? password : password()),
      });
      ended = made.driver.listen?.(note, off.signal) ?? Promise.resolve();
    },
    poll: async () => {
      const { readings, faults: lost } = await made.driver.poll(Object.keys(pointsOf(config)), off.signal);
      return lost.length > 0 ? [lost[0]?.error.code ?? ''] : readings.map((r) => `${r.point}=${r.value}`);
    },
    pass: (ms) => clock.advance(ms),
    health: () => made.driver.health?.() ?? {},
    stop: async () => {
      off.abort();
      await clock.advance(4000);
      await ended;
    },
    last: (point) => told.filter((t) => t.startsWith(`${point}=`)).at(-1),
  };
  made.start();
  running.push(made);
  return made;
}

/** Nobody learned the password, and nobody could have. */
function nothingLeaked(r: Rig): void {
  const seen = JSON.stringify([r.log.lines, r.told, [...r.memory], r.health(), r.camera.log.map((l) => l.path)]);
  expect(seen).not.toContain('密码');
  expect(seen).not.toContain(USER);
}

/** In the words of its first property: a list of classes has no true. */
function turn(camera: Camera, on: boolean): void {
  const [first] = camera.persona.properties;
  const isList = first !== undefined && 'ClassTypes' in first.data;
  if (isList) camera.set(first.topic, first.source, { ClassTypes: on ? 'Human Fire' : '' });
  else camera.turn(on);
}

const personas = Object.keys(PERSONAS) as PersonaName[];

describe.each(personas)('%s', (persona) => {
  it('is subscribed to, its motion comes and goes, it is left without a slot', { timeout: 60_000 }, async () => {
    const r = rig(persona);
    await r.pass(60_000);
    expect(r.health()).toMatchObject({ level: 'up_auth', events: 'up' });
    const begun = r.camera.count('CreatePullPointSubscription');
    turn(r.camera, true);
    await r.pass(12_000);
    const on = r.told.findLast((t) => t.endsWith('=true'));
    expect(on).toBeDefined();
    const [point = ''] = on?.split('=') ?? [];
    turn(r.camera, false);
    await r.pass(90_000);
    expect(r.last(point)).toBe(`${point}=false`);
    expect(r.told.filter((t) => t.startsWith('lost'))).toEqual([]);
    expect(r.camera.count('CreatePullPointSubscription')).toBe(begun);
    expect(r.camera.mostParallel).toBe(1);
    expect(r.camera.wrongPasswords).toBe(0);
    await r.stop();
    expect(r.camera.live()).toEqual([]);
    expect(r.clock.timers()).toEqual([]);
    nothingLeaked(r);
  });
});

/** a camera whose subscriptions are called at its event service: such an address may be as wrong as it likes */
const AT_SERVICE = ['empty', 'urn', 'none'];
type Case = readonly [name: string, faults: Partial<CameraFaults>, section?: object, persona?: PersonaName];
const FAULTS: readonly Case[] = [
  ['a clock an hour off', { skewMs: 3_600_000 }],
  ['a clock a year back', { skewMs: -31_536_000_000 }],
  ['time only for who is known', { timeNeedsAuth: true }],
  ['local time', { timeTold: 'local' }],
  ['only the HTTP date', { timeTold: 'none' }],
  ...(['fraction', 'no-zone', 'offset', 'shifted', 'broken', 'blanks', 'day-first', 'epoch'] as const).map(
    (time) => [`times: ${time}`, { time }] as const,
  ),
  ['refusals as 400', { refusedAs: 400 }],
  ['refusals as 200', { refusedAs: 200 }],
  ['faults as 200', { faultsAs: 200 }],
  ['vague faults', { vagueFaults: true }],
  ...(
    ['inner-host', 'loopback', 'main-port', 'wrong-port', 'doubled', 'no-host', 'bare', 'empty', 'urn', 'none'] as const
  ).flatMap((style) => [
    [`service address: ${style}`, { serviceAddress: style }] as const,
    [
      `subscription address: ${style}`,
      { subscriptionAddress: style },
      {},
      AT_SERVICE.includes(style) ? ('dahua' as const) : ('conforming' as const),
    ] as const,
  ]),
  ['an address without its reference', { bareReference: true }],
  ['times of 1970', { epochTimes: true }],
  ['addressing wanted', { wantsAddressing: true }],
  ['instant empty answers', { instantEmpty: true }],
  ['no false', { noFalse: true }],
  ['an empty message for the end', { emptyEnd: true }],
  ['a second true for the end', { secondTrue: true }, { points: { motion: { event: 'motion', clear: '20s' } } }],
  ['everything three times', { copies: 3 }],
  ['stale initial messages', { staleInitial: true }],
  ['no initial messages', { noInitial: true }],
  ['pulls that end after 10 s', { pullEndsAfterMs: 10_000 }],
  ['renew refused', { renew: 'fault' }],
  ['no synchronisation point', { syncPoint: 'refused' }],
  ['a restart for two calls at once', { restartsOnParallel: true }],
  ['chunks', { transport: 'chunked' }],
  ['GBK', { encoding: 'gbk' }],
  ['prefixes nobody declared', { undeclared: ['wsnt', 'wsa5', 'ter', 'tt'] }],
];

describe('a camera with', () => {
  it.each(FAULTS.map((c) => [c[0], c] as const))(
    '%s is heard all the same',
    { timeout: 60_000 },
    async (...[, [, faults, section = {}, persona = 'conforming']]) => {
      const r = rig(persona, faults, section);
      await r.pass(60_000);
      r.camera.turn(true);
      await r.pass(15_000);
      expect(r.last('motion')).toBe('motion=true');
      r.camera.turn(false);
      await r.pass(90_000);
      expect(r.last('motion')).toBe('motion=false');
      expect(r.camera.mostParallel).toBe(1);
      expect(r.camera.wrongPasswords).toBe(0);
      await r.stop();
      nothingLeaked(r);
    },
  );

  const HOSTILE = [
    'refused',
    'closed-before-header',
    'closed-in-body',
    'hang',
    'drip',
    'huge',
    'deep',
    'doctype',
    'short-length',
    'long-length',
    'html-401',
    'html-503',
    'tls-bytes',
  ] as const;
  it.each(HOSTILE)(
    '%s is asked at growing intervals, never said to be false, and back when it is well',
    { timeout: 60_000 },
    async (transport) => {
      const r = rig('conforming');
      await r.pass(40_000);
      // It was seen to tell ends, so none is made for it.
      for (const on of [true, false, true]) {
        r.camera.turn(on);
        await r.pass(5000);
      }
      r.camera.faults.transport = transport;
      const from = r.camera.log.length;
      r.told.length = 0;
      await r.pass(1_200_000);
      expect(r.told.filter((t) => t === 'motion=false')).toEqual([]);
      const kinds = r.camera.log.slice(from).filter((l) => l.operation === 'CreatePullPointSubscription').length;
      expect(kinds).toBeLessThan(120);
      expect(r.camera.log.length - from).toBeLessThan(400);
      r.camera.faults.transport = undefined;
      await r.pass(960_000);
      expect(r.health()).toMatchObject({ events: 'up' });
      r.camera.turn(false);
      await r.pass(5000);
      expect(r.last('motion')).toBe('motion=false');
      expect(r.camera.live().length).toBeLessThanOrEqual(1);
      await r.stop();
      nothingLeaked(r);
    },
  );
});

describe('a life', () => {
  it('of a wrong password says so at every moment, whatever else was answered last', async () => {
    const r = rig('hikvision', {}, {}, 'wrong');
    await r.pass(60_000);
    for (let i = 0; i < 30; i++) {
      await r.pass(17_000);
      expect([r.health().level, r.health().error, ...(await r.poll())]).toEqual([
        'up_noauth',
        'device.not_authorized',
        'device.not_authorized',
      ]);
    }
  });

  it('of one that refuses every subscription says so, whatever else it answered last', async () => {
    const r = rig('conforming', { unsupported: ['PullMessages'], vagueFaults: true });
    const said = new Set<unknown>();
    for (let i = 0; i < 120; i++) {
      await r.pass(5000);
      const { level, error, events } = r.health();
      if (events === 'lost') said.add(`${level} ${error} ${(await r.poll())[0]}`);
    }
    expect([...said]).toEqual(['reachable device.camera_fault device.camera_fault']);
  });

  it('with a wrong password is told as that and bounded; a corrected camera is back', async () => {
    const r = rig('hikvision', {}, {}, 'wrong');
    await r.pass(3_600_000);
    expect(await r.poll()).toEqual(['device.not_authorized']);
    expect(r.health()).toMatchObject({ level: 'up_noauth', events: 'auth_failed' });
    expect(r.camera.wrongPasswords).toBeGreaterThan(0);
    expect(r.camera.wrongPasswords).toBeLessThanOrEqual(10);
    r.camera.setPassword('wrong');
    await r.pass(960_000);
    expect(r.health()).toMatchObject({ level: 'up_auth' });
    await r.stop();
  });

  it('of a camera that reboots every minute and changes its clock: back each time, no slot leaked', {
    timeout: 60_000,
  }, async () => {
    const r = rig('dahua');
    await r.pass(40_000);
    for (let i = 0; i < 20; i++) {
      r.camera.faults.skewMs = (i % 5) * 3_600_000 - 7_200_000;
      r.camera.reboot(8000);
      await r.pass(60_000);
      expect(r.health()).toMatchObject({ events: 'up' });
      r.camera.turn(true);
      await r.pass(3000);
      expect(r.last('motion')).toBe('motion=true');
      r.camera.turn(false);
      await r.pass(3000);
      expect(r.camera.live().length).toBeLessThanOrEqual(1);
    }
    await r.stop();
    expect(r.camera.live()).toEqual([]);
  });

  it('that ends without a word: the next one frees the slot first, however often', async () => {
    const r = rig('dahua');
    for (let life = 0; life < 12; life++) {
      await r.pass(40_000);
      expect([r.health().events, r.camera.live().length]).toEqual(['up', 1]);
      r.crash();
      r.start();
    }
    await r.pass(40_000);
    await r.stop();
    expect(r.camera.live()).toEqual([]);
  });

  it('that ends again and again shows a wrong password four times, and a changed one at once', async () => {
    let password = 'wrong';
    const r = rig('hikvision', {}, {}, () => password);
    for (let life = 0; life < 10; life++) {
      await r.pass(50_000);
      expect(r.health()).toMatchObject({ events: 'auth_failed', error: 'device.not_authorized' });
      r.crash();
      r.start();
    }
    expect(r.camera.wrongPasswords).toBe(4);
    await r.pass(50_000);
    password = PASSWORD;
    await r.pass(60_000);
    expect(r.health()).toMatchObject({ level: 'up_auth', events: 'up' });
    expect([r.camera.wrongPasswords, r.memory.has('refusals')]).toEqual([4, false]);
    await r.stop();
    nothingLeaked(r);
  });

  it('without events: said, tried again hourly, pictures go on', async () => {
    const r = rig('conforming', { unsupported: ['CreatePullPointSubscription'] });
    await r.pass(60_000);
    expect(r.health()).toMatchObject({ level: 'up_auth', events: 'unsupported' });
    await r.pass(7_200_000);
    expect(r.camera.count('CreatePullPointSubscription')).toBeLessThanOrEqual(4);
    await r.stop();
  });

  it('of a storm is bounded, and what it ends with is what is told', async () => {
    const r = rig('conforming');
    await r.pass(40_000);
    r.told.length = 0;
    for (let i = 0; i < 100; i++) {
      for (let n = 0; n < 50; n++) r.camera.turn((i + n) % 2 === 0);
      await r.pass(100);
    }
    expect(r.told.length).toBeLessThan(1500);
    r.camera.turn(true);
    await r.pass(120_000);
    expect(r.last('motion')).toBe('motion=true');
    await r.stop();
  });
});

describe('pictures', () => {
  const take = async (faults: Partial<CameraFaults>, section: object = {}): Promise<string> => {
    const r = rig('conforming', faults, section);
    await r.pass(45_000);
    let outcome = '';
    const asked = r.driver.snapshot?.(new AbortController().signal).then(
      ({ type, bytes }) => {
        outcome = `${type} ${bytes[0]} ${bytes[1]}`;
      },
      (error: { code?: string }) => {
        outcome = error.code ?? String(error);
      },
    );
    await r.pass(20_000);
    await asked;
    await r.stop();
    nothingLeaked(r);
    return outcome;
  };
  it.each([
    ['digest', {}, {}, 'image/jpeg 255 216'],
    ['for everybody', { snapshotAuth: 'none' }, {}, 'image/jpeg 255 216'],
    ['basic, allowed', { snapshotAuth: 'basic' }, { basic: true }, 'image/jpeg 255 216'],
    ['basic, not allowed', { snapshotAuth: 'basic' }, {}, 'device.not_authorized'],
    ['a password in the address', { snapshot: 'password-uri' }, {}, 'image/jpeg 255 216'],
    ['an rtsp address', { snapshot: 'rtsp-uri' }, {}, 'device.no_snapshot'],
    ['an empty answer', { snapshot: 'empty' }, {}, 'device.not_jpeg'],
    ['a page', { snapshot: 'html' }, {}, 'device.not_jpeg'],
    ['too much', { snapshot: 'huge' }, {}, 'http.too_big'],
    ['half of it', { snapshot: 'cut' }, {}, 'device.not_jpeg'],
  ] as const)('%s', async (_, faults, section, outcome) => {
    expect(await take(faults, section)).toBe(outcome);
  });
});
