/** One-shot questions over real HTTP to the simulated camera, with everything that may come instead of an answer; and what the package would do to exact texts. */
import { describe, expect, it } from 'vitest';
import type { HttpDoor } from '../../src/base/ports.ts';
import { systemClock } from '../../src/io/clock.ts';
import { createHttpDoor } from '../../src/io/http-client.ts';
import { systemRandom } from '../../src/io/random.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { startCamera } from '../../test/kit/camera.ts';
import { until } from '../../test/kit/wait.ts';
import { CameraClient } from './client.ts';
import { LOOK_MS, type LookDeps, lookAt } from './oneshot.ts';
import { shownAddress } from './shown.ts';
import type { Camera, CameraFaults, PersonaName } from './simulator.ts';

const USER = 'we&i<nao';
const PASSWORD = '密码&<"1';
const never = new AbortController().signal;

const start = (persona: PersonaName = 'conforming', faults: Partial<CameraFaults> = {}): Promise<Camera> =>
  startCamera({ persona, user: USER, password: PASSWORD, faults });

function depsOf(url: (path: string) => string, http: HttpDoor, paths: { device: string; media: string }): LookDeps {
  const clock = systemClock();
  const credentials = () => Promise.resolve({ user: USER, password: PASSWORD });
  const client = new CameraClient({
    http,
    clock,
    random: systemRandom(),
    trust: 'system',
    allowBasic: false,
    credentials,
  });
  return { client, clock, host: '127.0.0.1', at: (service) => url(service === undefined ? paths.device : paths.media) };
}

const on = ({ place, persona }: Camera): LookDeps =>
  depsOf((path) => `http://127.0.0.1:${place.port}${path}`, createHttpDoor(), persona.paths);

describe.each(['conforming', 'hikvision', 'dahua', 'axis', 'xmeye'] as const satisfies PersonaName[])(
  '%s',
  (persona) => {
    it('tells its services, profiles, stream and picture, asked one thing at a time', async () => {
      const camera = await start(persona, { serviceAddress: 'inner-host' });
      expect(await lookAt(on(camera), never)).toEqual({
        services: ['device', 'events', 'media'],
        profiles: [{ token: 'Profile_1', name: 'main', video: 'H264 2560x1440' }],
        stream: 'rtsp://127.0.0.1:554/Streaming/Channels/101',
        snapshot: expect.stringMatching(/^http:\/\/127\.0\.0\.1/),
      });
      expect([camera.mostParallel, camera.wrongPasswords]).toEqual([1, 0]);
    });
  },
);

describe('what comes instead of an answer', () => {
  const CASES: readonly CameraFaults['transport'][] = [
    'closed-before-header',
    'closed-in-body',
    'html-503',
    'tls-bytes',
    'deep',
    'doctype',
    'huge',
  ];
  it.each(CASES)('%s: what was found before stands', async (transport) => {
    const camera = await start('conforming', { transport, transportOn: ['GetStreamUri'] });
    const { services, profiles, stream, snapshot } = await lookAt(on(camera), never);
    expect([services?.length, profiles?.length, stream, typeof snapshot]).toEqual([3, 1, undefined, 'string']);
  });

  it.each(CASES)('%s everywhere: nothing is found, and nothing fails', async (transport) => {
    expect(await lookAt(on(await start('conforming', { transport })), never)).toEqual({});
  });

  it('hangs: after its time what was found is told, and nothing is left behind', async () => {
    const camera = await start('conforming', { transport: 'hang', transportOn: ['GetStreamUri'] });
    const clock = new VirtualClock();
    const looking = lookAt({ ...on(camera), clock }, never);
    await until('the question that hangs', () => camera.log.some((entry) => entry.operation === 'GetStreamUri'));
    await clock.advance(LOOK_MS);
    expect(Object.keys(await looking)).toEqual(['services', 'profiles']);
    expect(camera.log.some((entry) => entry.operation === 'GetSnapshotUri')).toBe(false);
  });

  it('hangs, and whoever asked goes away', async () => {
    const camera = await start('conforming', { transport: 'hang' });
    const off = new AbortController();
    const looking = lookAt(on(camera), off.signal);
    await until('a question', () => camera.log.length > 0);
    off.abort();
    expect(await looking).toEqual({});
  });

  it('a wrong password is shown once', async () => {
    const camera = await startCamera({ persona: 'conforming', user: USER, password: 'another' });
    expect(Object.keys(await lookAt(on(camera), never))).toEqual(['services']);
    expect(camera.wrongPasswords).toBe(1);
  });

  it('neither user nor password stands in what is told', async () => {
    const camera = await start('conforming', { snapshot: 'password-uri' });
    const found = await lookAt(on(camera), never);
    expect(found.snapshot).toBe(`http://127.0.0.1:${camera.place.port}${camera.persona.paths.snapshot}`);
  });
});

/** Answers each question by the first word of its body, whoever asks. */
function told(answers: Readonly<Record<string, string>>): { readonly deps: LookDeps; readonly asked: string[] } {
  const asked: string[] = [];
  const http: HttpDoor = {
    ask: ({ body = '' }) => {
      asked.push(String(body));
      const name = Object.keys(answers).find((key) => String(body).includes(`<${key}`));
      const inner = name === undefined ? '' : (answers[name] ?? '');
      const soap = `<e:Envelope xmlns:e="e"><e:Body><${name}Response>${inner}</${name}Response></e:Body></e:Envelope>`;
      return Promise.resolve({ status: 200, headers: {}, body: new TextEncoder().encode(soap) });
    },
  };
  return { deps: depsOf((path) => `http://127.0.0.1${path}`, http, { device: '/d', media: '/m' }), asked };
}

const PROFILES = (token: string, name: string, inner = ''): string =>
  `<Profiles token="${token}"><Name>${name}</Name>${inner}</Profiles>`;

describe('exact texts', () => {
  it.each(['20240404040405120001', '1.50', '000', 'true', 'a&amp;b&lt;c'])(
    'token %s comes back as it was',
    async (token) => {
      const { deps, asked } = told({ GetProfiles: PROFILES(token, '1.0') });
      const { profiles } = await lookAt(deps, never);
      expect(profiles?.[0]).toEqual({ token: token.replace('&amp;', '&').replace('&lt;', '<'), name: '1.0' });
      expect(asked.filter((body) => body.includes(`<ProfileToken>${token}</ProfileToken>`)).length).toBe(2);
    },
  );

  it.each([
    ['no profiles', ''],
    ['profiles of nothing', '<Profiles/>'],
    ['a name that is no place', PROFILES('__proto__', '__proto__', '<__proto__>x</__proto__>')],
    ['an encoder of text', PROFILES('1', 'a', '<VideoEncoderConfiguration>x</VideoEncoderConfiguration>')],
    [
      'sizes of text',
      PROFILES(
        '1',
        'a',
        '<VideoEncoderConfiguration><Encoding>H264</Encoding><Resolution>x</Resolution></VideoEncoderConfiguration>',
      ),
    ],
    ['many', PROFILES('1', 'a').repeat(3000)],
    ['capitals', PROFILES('1', 'A'.repeat(5000))],
  ])('%s', async (_, profiles) => {
    const found = await lookAt(told({ GetProfiles: profiles }).deps, never);
    expect(found.profiles?.length ?? 0).toBeLessThanOrEqual(32);
    expect(JSON.stringify(found).length).toBeLessThan(4000);
  });
});

describe('addresses for people', () => {
  it.each([
    ['rtsp://admin:geheim@10.0.0.9:554/Streaming/Channels/101', 'rtsp://h:554/Streaming/Channels/101'],
    [
      'rtsp://10.0.0.9:554/user=admin&password=geheim&channel=1&stream=0.sdp?real_stream',
      'rtsp://h:554/user=***&password=***&channel=1&stream=0.sdp?real_stream',
    ],
    ['rtsp://10.0.0.9/user=admin_password=geheim_channel=1_stream=0.sdp', 'rtsp://h/user=***'],
    [
      'http://10.0.0.9/cgi-bin/api.cgi?cmd=Snap&user=admin&password=a/geheim',
      'http://h/cgi-bin/api.cgi?cmd=Snap&user=***&password=***',
    ],
    [
      'http://10.0.0.9/snap?loginuse=admin&loginpas=x&PASSWD=geheim',
      'http://h/snap?loginuse=***&loginpas=***&PASSWD=***',
    ],
    ['http://10.0.0.9/onvif/snapshot?ProfileToken=Profile_1', 'http://h/onvif/snapshot?ProfileToken=Profile_1'],
    ['http://10.0.0.9/snap?token=geheim#geheim', 'http://h/snap?token=***'],
    ['not an address', undefined],
    [42, undefined],
  ])('%s', (given, shown) => expect(shownAddress(given, 'h')).toBe(shown));
});
