/** The simulated camera against the standard's exchange, asked with requests written by hand and digests made here. */
import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/io/clock.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import { startCamera } from '../../test/kit/camera.ts';
import { cameraDoor } from './simulator/door.ts';
import { type Camera, type CameraOptions, createCamera, PERSONAS, type PersonaName } from './simulator.ts';

const USER = { user: 'weinao', password: '密码&<1' };
const MOTION = 'tns1:RuleEngine/CellMotionDetector/Motion';

function bench(options: Partial<CameraOptions> = {}) {
  const clock = new VirtualClock();
  const place = { host: '10.0.0.9', port: 80 };
  const camera = createCamera({ ...USER, place, ...options }, clock, seededRandom(7));
  const door = cameraDoor([camera], clock);
  const over = new AbortController();
  const post = (body: string, { path = camera.persona.paths.events, port = 80, header = '', headers = {} } = {}) =>
    door.ask(
      { url: `http://${camera.place.host}:${port}${path}`, method: 'POST', headers, body: envelope(header, body) },
      { deadlineMs: 60_000, maxBytes: 1024 * 1024, signal: over.signal },
    );
  const asked = async (body: string, where: Parameters<typeof post>[1] = {}) => {
    const header = `${wsse(clock.now().wall)}${where.header ?? ''}`;
    const { status, body: bytes } = await post(body, { ...where, header });
    return { status, text: Buffer.from(bytes).toString() };
  };
  return { clock, camera, door, over, post, asked };
}

const envelope = (header: string, body: string): string =>
  `<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" ` +
  `xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" ` +
  `xmlns:b="http://docs.oasis-open.org/wsn/b-2" xmlns:a="http://www.w3.org/2005/08/addressing">` +
  `<e:Header>${header}</e:Header><e:Body>${body}</e:Body></e:Envelope>`;

function wsse(now: number, { password = USER.password, nonce = randomBytes(16) } = {}): string {
  const created = new Date(now).toISOString();
  const hash = createHash('sha1').update(nonce).update(created).update(password).digest('base64');
  const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss';
  return (
    `<w:Security xmlns:w="${WSS}-wssecurity-secext-1.0.xsd"><w:UsernameToken><w:Username>${USER.user}</w:Username>` +
    `<w:Password Type="${WSS}-username-token-profile-1.0#PasswordDigest">${hash}</w:Password>` +
    `<w:Nonce>${nonce.toString('base64')}</w:Nonce><u:Created xmlns:u="${WSS}-wssecurity-utility-1.0.xsd">${created}</u:Created>` +
    `</w:UsernameToken></w:Security>`
  );
}

const CREATE =
  '<tev:CreatePullPointSubscription><tev:InitialTerminationTime>PT10M</tev:InitialTerminationTime></tev:CreatePullPointSubscription>';
const pullOf = (timeout = 'PT30S', limit = 50): string =>
  `<tev:PullMessages><tev:Timeout>${timeout}</tev:Timeout><tev:MessageLimit>${limit}</tev:MessageLimit></tev:PullMessages>`;
const between = (text: string, from: string, to: string): string => text.split(from)[1]?.split(to)[0] ?? '';
const pathOf = (created: string): string => {
  const address = between(created, 'Address>', '</');
  return address.slice(address.indexOf('/', 'http://'.length));
};
const operations = (text: string): string[] =>
  text
    .split('PropertyOperation="')
    .slice(1)
    .map((rest) => rest.split('"')[0] ?? '');

describe('events', () => {
  it('a subscription begins with what is; a pull waits for what comes, and lives on by being pulled', async () => {
    const { clock, camera, asked } = bench();
    const created = await asked(CREATE);
    expect(created.status).toBe(200);
    const path = pathOf(created.text);
    expect(path).toBe('/onvif/subscription?Idx=1');
    const first = await asked(pullOf(), { path });
    expect(operations(first.text)).toEqual(['Initialized', 'Initialized']);
    expect(first.text).toContain('UtcTime="1970-01-01T00:00:00Z"');
    let told: { text: string } | undefined;
    void asked(pullOf(), { path }).then((answer) => {
      told = answer;
    });
    await clock.advance(29_000);
    expect(told).toBeUndefined();
    camera.turn(true);
    await clock.advance(1);
    expect(operations(told?.text ?? '')).toEqual(['Changed']);
    expect(told?.text).toContain('<tt:SimpleItem Name="IsMotion" Value="true">');
    for (let i = 0; i < 30; i++) {
      void asked(pullOf(), { path });
      await clock.advance(31_000);
    }
    expect(camera.live().length).toBe(1);
    await clock.advance(601_000);
    expect(camera.live()).toEqual([]);
    expect((await asked(pullOf(), { path })).text).toContain('ResourceUnknownFault');
  });

  it('messages come by the limit, a second pull is refused, a plain event has no operation', async () => {
    const { clock, camera, asked } = bench({ faults: { noInitial: true } });
    const path = pathOf((await asked(CREATE)).text);
    for (let i = 0; i < 5; i++)
      camera.fire('tns1:RuleEngine/LineDetector/Crossed', { Rule: 'L' }, { ObjectId: `${i}` });
    const three = await asked(pullOf('PT5S', 3), { path });
    expect(three.text.split('NotificationMessage>').length - 1).toBe(6);
    expect(operations(three.text)).toEqual([]);
    await asked(pullOf('PT5S', 3), { path });
    void asked(pullOf(), { path });
    await clock.advance(10);
    const second = await asked(pullOf(), { path });
    expect([second.status, second.text.includes('UnableToGetMessagesFault')]).toEqual([500, true]);
    expect(camera.mostParallel).toBe(2);
    expect((await asked(pullOf('PT10M'), { path: '/onvif/subscription?Idx=1' })).text).toContain('MaxTimeout');
  });

  it('a synchronisation point tells every state again; Unsubscribe frees the slot', async () => {
    const { camera, asked } = bench({ persona: 'hikvision', faults: { wantsAddressing: false } });
    const made = [];
    for (let i = 0; i < 6; i++) made.push(await asked(CREATE));
    expect(made.map((m) => m.status)).toEqual([200, 200, 200, 200, 200, 500]);
    const path = pathOf(made[0]?.text ?? '');
    await asked(pullOf(), { path });
    camera.turn(true, 'tnshik:AlarmIn');
    await asked('<tev:SetSynchronizationPoint/>', { path });
    expect(operations((await asked(pullOf(), { path })).text)).toEqual([
      'Changed',
      ...new Array(4).fill('Initialized'),
    ]);
    await asked('<b:Unsubscribe/>', { path });
    expect([camera.live().length, camera.count('Unsubscribe'), (await asked(CREATE)).status]).toEqual([4, 1, 200]);
  });

  it('addressing: To and Action where they are asked for, reference parameters where they were given', async () => {
    const hik = bench({ persona: 'hikvision' });
    const created = (await hik.asked(CREATE)).text;
    const path = pathOf(created);
    expect((await hik.asked(pullOf(), { path })).text).toContain('ResourceUnknownFault');
    const to = `<a:To>${between(created, 'Address>', '</')}</a:To><a:Action>x</a:Action>`;
    expect((await hik.asked(pullOf(), { path, header: to })).text).toContain('Initialized');
    const axis = bench({ persona: 'axis' });
    await axis.asked(CREATE);
    const second = (await axis.asked(CREATE)).text;
    const back = between(second, 'ReferenceParameters>', '</wsa5:');
    expect(back).toContain('SubscriptionId');
    axis.camera.fire('tns1:x', {}, { a: 'b' });
    expect((await axis.asked(pullOf())).text).toContain('ResourceUnknownFault');
    expect((await axis.asked(pullOf(), { header: back })).text).toContain('tnsaxis:Sensor/PIR');
  });

  it('a restart ends what waits, and forgets subscriptions and states', async () => {
    const { clock, camera, asked } = bench({ faults: { noInitial: true } });
    const path = pathOf((await asked(CREATE)).text);
    camera.turn(true);
    await asked(pullOf(), { path });
    const waiting = asked(pullOf(), { path }).catch((error: { code: string }) => error.code);
    await clock.advance(5);
    camera.reboot(5000);
    await clock.advance(1);
    expect(await waiting).toBe('http.reset');
    await expect(asked(CREATE)).rejects.toMatchObject({ code: 'http.unreachable' });
    await clock.advance(5000);
    expect((await asked(pullOf(), { path })).text).toContain('ResourceUnknownFault');
    camera.faults.noInitial = false;
    const again = pathOf((await asked(CREATE)).text);
    expect((await asked(pullOf(), { path: again })).text).toContain('Name="IsMotion" Value="false"');
  });

  it.each([
    ['noFalse', []],
    ['emptyEnd', ['<wsnt:Message></wsnt:Message>']],
    ['secondTrue', ['Value="true"']],
    [undefined, ['Value="false"']],
  ] as const)('an end of motion: %s', async (quirk, wanted) => {
    const faults = { noInitial: true, ...(quirk === undefined ? {} : { [quirk]: true }) };
    const { camera, asked } = bench({ faults });
    const path = pathOf((await asked(CREATE)).text);
    camera.turn(true);
    await asked(pullOf(), { path });
    camera.turn(false);
    camera.fire('tns1:end', {}, {});
    const { text } = await asked(pullOf(), { path });
    for (const part of wanted) expect(text).toContain(part);
    expect(text.split('<wsnt:NotificationMessage>').length - 1).toBe(wanted.length + 1);
  });
});

describe('who asks', () => {
  const INFO = '<tds:GetDeviceInformation/>';
  const path = PERSONAS.conforming.paths.device;

  it('a token is good once, in its time, with the right password', async () => {
    const { clock, camera, post } = bench();
    const status = async (header: string) => (await post(INFO, { path, header })).status;
    const now = clock.now().wall;
    const good = wsse(now);
    expect(await status(good)).toBe(200);
    expect(await status(good)).toBe(401);
    expect(await status(wsse(now - 301_000))).toBe(401);
    camera.faults.skewMs = -3_600_000;
    expect(await status(wsse(now))).toBe(401);
    expect(await status(wsse(now - 3_600_000))).toBe(200);
    camera.faults.skewMs = 0;
    expect(camera.wrongPasswords).toBe(0);
    for (let i = 0; i < 7; i++) expect(await status(wsse(now, { password: 'wrong' }))).toBe(401);
    expect(await status(wsse(now))).toBe(401);
    await clock.advance(1_801_000);
    expect(await status(wsse(clock.now().wall))).toBe(200);
    expect(camera.count('GetDeviceInformation')).toBe(14);
  });

  it('digest: both algorithms are offered, the count must grow, the address must be the one asked', async () => {
    const { post } = bench({ persona: 'onvif-25.06' });
    const challenged = await post(INFO, { path });
    expect([challenged.status, challenged.headers['www-authenticate']?.length]).toEqual([401, 2]);
    const [sha = ''] = challenged.headers['www-authenticate'] ?? [];
    const nonce = between(sha, 'nonce="', '"');
    const answer = (nc: string, uri = path): Record<string, string> => {
      const h = (text: string): string => createHash('sha256').update(text).digest('hex');
      const response = h(`${h(`${USER.user}:Example:${USER.password}`)}:${nonce}:${nc}:abc:auth:${h(`POST:${uri}`)}`);
      return {
        Authorization: `Digest username="${USER.user}", realm="Example", nonce="${nonce}", uri="${uri}", algorithm=SHA-256, qop=auth, nc=${nc}, cnonce="abc", response="${response}"`,
      };
    };
    expect((await post(INFO, { path, headers: answer('00000001') })).status).toBe(200);
    const replay = await post(INFO, { path, headers: answer('00000001') });
    expect([replay.status, replay.headers['www-authenticate']?.[0]?.includes('stale=true')]).toEqual([401, true]);
    expect((await post(INFO, { path, headers: answer('00000002') })).status).toBe(200);
    expect((await post(INFO, { path, headers: answer('00000003', '/other') })).status).toBe(401);
    expect((await post(INFO, { path, header: wsse(0) })).status).toBe(401);
  });

  it('the time is told to everybody, unless not', async () => {
    const { camera, post } = bench({ faults: { skewMs: 3_600_000 } });
    const TIME = '<tds:GetSystemDateAndTime/>';
    const told = await post(TIME, { path });
    expect(Buffer.from(told.body).toString()).toContain('<tt:UTCDateTime><tt:Time><tt:Hour>1</tt:Hour>');
    camera.faults.timeNeedsAuth = true;
    expect((await post(TIME, { path })).status).toBe(401);
  });

  it('is refused as the maker does it', async () => {
    for (const [persona, status] of [
      ['tapo', 400],
      ['hikvision', 401],
      ['xmeye', 400],
    ] as const) {
      const { camera, post } = bench({ persona });
      expect([persona, (await post(INFO, { path: camera.persona.paths.device })).status]).toEqual([persona, status]);
    }
  });
});

describe('pictures and addresses', () => {
  it('a picture is a JPEG, and each fault is what it says', async () => {
    const { camera, door, over } = bench({ faults: { snapshotAuth: 'none' } });
    const get = () =>
      door.ask(
        { url: `http://10.0.0.9${camera.persona.paths.snapshot}`, method: 'GET' },
        { deadlineMs: 1000, maxBytes: 5 * 1024 * 1024, signal: over.signal },
      );
    const { body } = await get();
    expect([body[0], body[1], body.at(-2), body.at(-1)]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
    expect(Buffer.from((await get()).body).equals(Buffer.from(body))).toBe(false);
    camera.faults.snapshot = 'huge';
    expect(await get()).toMatchObject({ cut: { code: 'http.too_big' } });
    camera.faults.snapshot = 'redirect';
    expect((await get()).status).toBe(302);
    camera.faults.snapshotAuth = 'basic';
    expect((await get()).headers['www-authenticate']).toEqual(['Basic realm="Example"']);
  });

  it('a probe is answered by who is meant, in every wrong way asked for', () => {
    const { camera } = bench();
    const probe = (types: string): Buffer =>
      Buffer.from(
        `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:1</w:MessageID></e:Header><e:Body><d:Probe><d:Types>${types}</d:Types></d:Probe></e:Body></e:Envelope>`,
      );
    const answers = (): string[] =>
      camera.discover(probe('dn:NetworkVideoTransmitter')).map((b) => Buffer.from(b).toString());
    expect(answers()[0]).toContain('<a:RelatesTo>uuid:1</a:RelatesTo>');
    expect(answers()[0]).toContain('<d:XAddrs>http://10.0.0.9:80/onvif/device_service</d:XAddrs>');
    expect(camera.discover(probe('dn:Printer'))).toEqual([]);
    expect(camera.discover(Buffer.from('<Probe'))).toEqual([]);
    camera.faults.discovery = 'twice';
    expect(answers().length).toBe(2);
    camera.faults.discovery = 'several';
    expect(answers()[0]?.split('<d:ProbeMatch>').length).toBe(3);
    camera.faults.discovery = 'unrelated';
    expect(answers()[0]).not.toContain('uuid:1<');
  });
});

describe('on the way', () => {
  const faults = [
    ['refused', { code: 'http.refused' }],
    ['closed-before-header', { code: 'http.reset' }],
    ['closed-after-10s', { code: 'http.reset' }],
    ['hang', { code: 'http.late' }],
    ['tls-bytes', { code: 'http.garbage' }],
  ] as const;
  it.each(faults)('%s', async (transport, error) => {
    const { clock, asked } = bench({ faults: { transport } });
    const failed = asked(CREATE).catch((e: unknown) => e);
    await clock.advance(61_000);
    expect(await failed).toMatchObject(error);
  });

  const cuts = [
    ['closed-in-body', 'http.cut'],
    ['long-length', 'http.late'],
    ['drip', 'http.late'],
    ['huge', 'http.too_big'],
  ] as const;
  it.each(cuts)('%s', async (transport, code) => {
    const { clock, post } = bench({ faults: { transport } });
    const answer = post(CREATE, { header: '' });
    await clock.advance(61_000);
    expect(await answer).toMatchObject({ cut: { code } });
  });
});

describe('over loopback', () => {
  it.each(Object.keys(PERSONAS) as PersonaName[])(
    '%s: an independent client (npm onvif) sees who it is',
    async (persona) => {
      const camera = await startCamera({ ...USER, user: 'admin', password: 'secret', persona });
      const client = await connectOnvif(camera);
      const info = await new Promise<{ model: unknown }>((resolve, reject) =>
        client.getDeviceInformation((error: Error | null, told: { model: unknown }) =>
          error ? reject(error) : resolve(told),
        ),
      );
      expect(String(info.model)).toBe(camera.persona.model);
      const uri = await new Promise<{ uri: string }>((resolve, reject) =>
        client.getSnapshotUri({ profileToken: 'Profile_1' }, (error: Error | null, told: { uri: string }) =>
          error ? reject(error) : resolve(told),
        ),
      );
      expect(uri.uri).toContain(`127.0.0.1:${camera.place.port}/`);
      if (persona !== 'conforming') return;
      const events: unknown[] = [];
      client.on('event', (event: unknown) => void events.push(event));
      onTestFinished(() => client.removeAllListeners('event'));
      await until(() => events.length >= 2);
      camera.turn(true);
      await until(() => JSON.stringify(events.at(-1)).includes('"Changed"'));
      expect(JSON.stringify(events.at(-1))).toContain(MOTION);
    },
  );
});

interface OnvifClient {
  getDeviceInformation(done: (error: Error | null, told: { model: unknown }) => void): void;
  getSnapshotUri(options: object, done: (error: Error | null, told: { uri: string }) => void): void;
  on(name: string, listener: (event: unknown) => void): void;
  removeAllListeners(name: string): void;
}

function connectOnvif(camera: Camera): Promise<OnvifClient> {
  const { Cam } = createRequire(import.meta.url)('onvif') as {
    Cam: new (options: object, done: (this: OnvifClient, error: Error | null) => void) => OnvifClient;
  };
  const { host: hostname, port } = camera.place;
  const options = {
    hostname,
    port,
    path: camera.persona.paths.device,
    username: 'admin',
    password: 'secret',
    timeout: 5000,
  };
  return new Promise((resolve, reject) => {
    const client: OnvifClient = new Cam(options, (error) => (error ? reject(error) : resolve(client)));
  });
}

async function until(is: () => boolean): Promise<void> {
  const clock = systemClock();
  for (let i = 0; i < 500 && !is(); i++) await clock.sleep('until', 10);
  expect(is()).toBe(true);
}
