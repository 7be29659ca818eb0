/** Cameras as text and as behaviour: what they write, who we say we are, what is made of it. The whole driver stands in camera.test.ts. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { childOf, findIn, parseXml } from '../../src/kit/xml.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { readPlace, urlAt } from './addresses.ts';
import { digestHeader, readChallenges, usernameToken } from './auth.ts';
import { readAnswer } from './codec.ts';
import { decodeOnvif } from './decode.ts';
import { classify, durationMs, pullLimits } from './faults.ts';
import { envelope, pullQuestion, referencesOf } from './soap.ts';
import { CameraState, type StatePoint } from './state.ts';
import { readTime } from './times.ts';
import { utcOf } from './timezone.ts';
import { TOPICS, TopicTable } from './topics.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('times', () => {
  it.each([
    ['2024-01-15T03:41:21Z', '2024-01-15T03:41:21.000Z', 'ok'],
    ['2022-05-16T22:10:05.019238Z', '2022-05-16T22:10:05.019Z', 'ok'],
    ['2024-01-15T03:41:21.7Z', '2024-01-15T03:41:21.700Z', 'ok'],
    ['2024-01-15T11:41:21+08:00', '2024-01-15T03:41:21.000Z', 'ok'],
    ['2024-01-15T24:00:00Z', '2024-01-16T00:00:00.000Z', 'ok'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z', 'never-occurred'],
    ['2024-01-15T11:41:21', '2024-01-15T11:41:21.000Z', 'no-zone'],
    ['2024-01-15T11:41:21.7', '2024-01-15T11:41:21.700Z', 'no-zone'],
    ['2024-08-17T00:61:16Z', '2024-08-17T01:01:16.000Z', 'repaired'],
    ['2024-08-17T23:59:75Z', '2024-08-18T00:00:15.000Z', 'repaired'],
    ['2024-1-5T3:4:5Z', '2024-01-05T03:04:05.000Z', 'repaired'],
    ['2024-01-15 03:41:21Z', '2024-01-15T03:41:21.000Z', 'repaired'],
    ['2024-01-15 03:41:21', '2024-01-15T03:41:21.000Z', 'repaired'],
    ['2024-01-15T03:41:21 Z', '2024-01-15T03:41:21.000Z', 'repaired'],
    ['2024-01-15T 3:41:21Z', '2024-01-15T03:41:21.000Z', 'repaired'],
    ['2024- 1- 5T 3: 4: 5Z', '2024-01-05T03:04:05.000Z', 'repaired'],
    ['2024-01-15T03:41:21.5 +08:00', '2024-01-14T19:41:21.500Z', 'repaired'],
    ['15-01-2024T03:41:21Z', '2024-01-15T03:41:21.000Z', 'repaired'],
    ['15-01-2024 03:41:21', '2024-01-15T03:41:21.000Z', 'repaired'],
    ['2024/01/15T03:41:21Z', '2024-01-15T03:41:21.000Z', 'repaired'],
    ['2024-01-15T11:41:21+0800', '2024-01-15T03:41:21.000Z', 'repaired'],
    ['2024-01-15', '2024-01-15T00:00:00.000Z', 'repaired'],
    ['0000-00-00T00:00:00Z', null, 'invalid'],
    ['2024-02-30T00:00:00Z', null, 'invalid'],
    ['2024-13-01T00:00:00Z', null, 'invalid'],
    ['2024-01-15T03:41:21Q', null, 'invalid'],
    ['now', null, 'invalid'],
    ['9'.repeat(100_000), null, 'invalid'],
    [' ', null, 'missing'],
    [undefined, null, 'missing'],
  ])('%s', (given, time, flag) => expect(readTime(given)).toEqual({ time, flag }));

  it('of the camera’s clock: UTC, else local time with its zone', () => {
    const date = '<Date><Year>2024</Year><Month>1</Month><Day>15</Day></Date>';
    const time = `<Time><Hour>11</Hour><Minute>41</Minute><Second>21</Second></Time>${date}`;
    const at = (xml: string): string | undefined => {
      const ms = utcOf(parseXml(bytes(`<R>${xml}</R>`)).root);
      return ms === undefined ? undefined : new Date(ms).toISOString().slice(11, 19);
    };
    expect(at(`<UTCDateTime>${time}</UTCDateTime>`)).toBe('11:41:21');
    expect(at(`<TimeZone><TZ>CST-8</TZ></TimeZone><LocalDateTime>${time}</LocalDateTime>`)).toBe('03:41:21');
    expect(at(`<TimeZone><TZ>&lt;+0530&gt;-5:30</TZ></TimeZone><LocalDateTime>${time}</LocalDateTime>`)).toBe(
      '06:11:21',
    );
    expect(at(`<LocalDateTime>${time}</LocalDateTime>`)).toBeUndefined();
    expect(at('<UTCDateTime/>')).toBeUndefined();
  });
});

describe('addresses', () => {
  it.each([
    ['http://192.168.1.64:2020/onvif/event-0_2020', 2020, '/onvif/event-0_2020'],
    ['http://10.0.0.1/onvif/Events/PullSubManager_20240101_1', undefined, '/onvif/Events/PullSubManager_20240101_1'],
    ['http://10.0.0.1:8106:8106/onvif/event?Idx=3&x=1', 8106, '/onvif/event?Idx=3&x=1'],
    ['http://[fe80::1]:1025/event', 1025, '/event'],
    ['http://admin:secret@10.0.0.1/event', undefined, '/event'],
    ['192.0.2.108/onvif/event/alarm', undefined, '/onvif/event/alarm'],
    ['/onvif/event', undefined, '/onvif/event'],
    ['http:///onvif/event', undefined, '/onvif/event'],
    ['http:///', undefined, undefined],
    ['', undefined, undefined],
    ['None', undefined, undefined],
    ['urn:uuid:1234', undefined, undefined],
    ['rtsp://10.0.0.1/stream', undefined, undefined],
    ['http://10.0.0.1/a b', undefined, undefined],
  ])('%s', (given, port, path) => expect(readPlace(given)).toEqual(path === undefined ? undefined : { port, path }));

  it('stand on the configured host, whatever path is given', () => {
    const base = { scheme: 'http', host: '192.168.1.64', port: 80, path: '/' } as const;
    for (const given of ['http://evil.example//other.example/x', 'http://a@b/..//c', '/\\evil.example/']) {
      const place = readPlace(given);
      expect(new URL(urlAt(base, place?.path ?? '/')).hostname).toBe('192.168.1.64');
    }
    expect(new URL(urlAt({ ...base, host: 'fe80::1' }, '/x')).hostname).toBe('[fe80::1]');
  });
});

describe('who we are', () => {
  it('is a token with the camera’s time, a nonce, and UTF-8', () => {
    const nonce = Uint8Array.of(1, 2, 3);
    const xml = usernameToken('us&er<', '密码', Date.UTC(2024, 0, 15, 3, 41, 21, 700), nonce);
    const created = '2024-01-15T03:41:21Z';
    const digest = createHash('sha1')
      .update(Buffer.concat([nonce, Buffer.from(created), Buffer.from('密码', 'utf8')]))
      .digest('base64');
    const { root } = parseXml(bytes(`<s xmlns:s="s">${xml}</s>`));
    expect(findIn(root, 'Username')?.text).toBe('us&er<');
    expect(findIn(root, 'Password')?.text).toBe(digest);
    expect(findIn(root, 'Created')?.text).toBe(created);
    expect(xml).not.toContain('密码');
  });

  it('is HTTP digest as RFC 7616 computes it', () => {
    const example =
      'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
    const { digest } = readChallenges([example.replace('SHA-256', 'MD5'), example]);
    if (digest === undefined) throw new Error('no challenge');
    expect(digest.algorithm).toBe('SHA-256');
    const clientNonce = Buffer.from('f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ');
    const ask = {
      user: 'Mufasa',
      password: 'Circle of Life',
      method: 'GET',
      uri: '/dir/index.html',
      count: 1,
      clientNonce,
    };
    const header = digestHeader({ ...ask, challenge: digest });
    const cnonce = clientNonce.toString('hex');
    const h = (text: string): string => createHash('sha256').update(text).digest('hex');
    const a1 = h('Mufasa:http-auth@example.org:Circle of Life');
    expect(header).toContain(
      `response="${h(`${a1}:${digest.nonce}:00000001:${cnonce}:auth:${h('GET:/dir/index.html')}`)}"`,
    );
    expect(header).toContain('qop=auth, nc=00000001');
    const [old] = [readChallenges(['Digest realm="r", nonce="n"']).digest];
    if (old === undefined) throw new Error('no challenge');
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    expect(digestHeader({ ...ask, challenge: old })).toContain(
      `response="${md5(`${md5('Mufasa:r:Circle of Life')}:n:${md5('GET:/dir/index.html')}`)}"`,
    );
  });

  it.each([
    [['digest realm="a, b", nonce="1", Basic realm="x"'], 'MD5', true],
    [['Basic realm="x", DIGEST realm=r, nonce=n, algorithm=sha-256, qop=auth'], 'SHA-256', true],
    [['Digest realm="r", nonce="n", algorithm=SHA-512-256', 'Digest realm="r",nonce="m"'], 'MD5', false],
    [['Digest realm="a \\" b", nonce="n", algorithm=MD5-sess, qop="auth-int,auth"'], 'MD5', false],
    [['Digest realm="r", nonce="n", qop="auth-int"'], undefined, false],
    [['Negotiate', 'Basic'], undefined, true],
    [['=,=", "', ''], undefined, false],
  ])('reads the challenges of %j', (headers, algorithm, basic) => {
    const challenges = readChallenges(headers);
    expect([challenges.digest?.algorithm, challenges.basic]).toEqual([algorithm, basic]);
  });
});

describe('questions', () => {
  it('give reference parameters and the address back as they came', () => {
    const reference =
      '<R xmlns:w="urn:w"><w:ReferenceParameters><dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event" a="1&quot;">4&amp;2<x>y</x></dom0:SubscriptionId></w:ReferenceParameters></R>';
    const references = referencesOf(childOf(parseXml(bytes(reference)).root, 'ReferenceParameters'));
    const xml = envelope(pullQuestion({ to: 'http://10.0.0.1/a?b=1&c=2', references }, 30_000, 50), '', 'id');
    const { root } = parseXml(bytes(xml));
    const id = findIn(root, 'SubscriptionId');
    expect([id?.uri, id?.text, id?.attributes.get('a'), findIn(id, 'x')?.text]).toEqual([
      'http://www.axis.com/2009/event',
      '4&2',
      '1"',
      'y',
    ]);
    expect(findIn(root, 'To')?.text).toBe('http://10.0.0.1/a?b=1&c=2');
    expect(findIn(root, 'Timeout')?.text).toBe('PT30S');
  });
});

const pull = (messages: string, more = ''): string =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tns1="http://www.onvif.org/ver10/topics" ${more}><s:Body><tev:PullMessagesResponse>${messages}</tev:PullMessagesResponse></s:Body></s:Envelope>`;
const item = (name: string, value: string): string => `<tt:SimpleItem Name="${name}" Value="${value}"/>`;
interface Told {
  readonly operation?: string;
  readonly source?: string;
  readonly key?: string;
  readonly data?: string;
}
const note = (topic: string, { operation, source = '', key = '', data = '' }: Told = {}): string =>
  `<wsnt:NotificationMessage><wsnt:Topic>${topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2024-01-15T03:41:21Z"${
    operation === undefined ? '' : ` PropertyOperation="${operation}"`
  }>${source === '' ? '' : `<tt:Source>${source}</tt:Source>`}${key === '' ? '' : `<tt:Key>${key}</tt:Key>`}${
    data === '' ? '' : `<tt:Data>${data}</tt:Data>`
  }</tt:Message></wsnt:Message></wsnt:NotificationMessage>`;
const messagesIn = (xml: string) => {
  const answer = readAnswer(bytes(xml));
  if (answer?.type !== 'pull' && answer?.type !== 'notify') throw new Error('no messages');
  return answer.messages;
};

describe('topics', () => {
  const topicOf = (topic: string, more = '') => {
    const [message] = messagesIn(pull(note(topic), more));
    return [message?.topic, message?.vendorNs];
  };
  it.each([
    ['  tns1:VideoSource/MotionAlarm\n', '', 'tns1:VideoSource/MotionAlarm', undefined],
    [
      'x:VideoSource/x:MotionAlarm',
      'xmlns:x="http://www.onvif.org/ver10/topics"',
      'tns1:VideoSource/MotionAlarm',
      undefined,
    ],
    ['tns1:Device/tns1:Trigger/tns1:DigitalInput', '', 'tns1:Device/Trigger/DigitalInput', undefined],
    ['tns1:Device/tns1:Trigger/v:DigitalInput', '', 'tns1:Device/Trigger/v:DigitalInput', { v: null }],
    ['tns1:VideoSource/MotionAlarm//.', '', 'tns1:VideoSource/MotionAlarm', undefined],
    ['tns1:VideoSource/MotionAlarm/', '', 'tns1:VideoSource/MotionAlarm', undefined],
    ['t:A/v:B/v:C', 'xmlns:t="urn:t" xmlns:v="urn:v"', 't:A/v:B/v:C', { t: 'urn:t', v: 'urn:v' }],
    ['tns1:A/B', 'xmlns:tns1="urn:other"', 'tns1:A/B', { tns1: 'urn:other' }],
  ])('%j', (topic, more, expected, vendors) => {
    const twice = more.includes('xmlns:tns1');
    const xml = pull(note(topic), twice ? '' : more);
    const [message] = messagesIn(twice ? xml.replace('xmlns:tns1="http://www.onvif.org/ver10/topics"', more) : xml);
    expect([message?.topic, message?.vendorNs]).toEqual([expected, vendors]);
  });

  it('resolve where they stand, and as ONVIF’s where the dialect swallowed the declaration', () => {
    const swallowed =
      '<Envelope><Body><PullMessagesResponse><NotificationMessage><Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet xmlns:tns1=http://www.onvif.org/ver10/topics">tns1:Device/tns1:Trigger/tnssamsung:DigitalInput</Topic><Message/></NotificationMessage></PullMessagesResponse></Body></Envelope>';
    expect(messagesIn(swallowed)[0]).toMatchObject({
      topic: 'tns1:Device/Trigger/tnssamsung:DigitalInput',
      vendorNs: { tnssamsung: null },
    });
    expect(topicOf('tns1:A', '')).toEqual(['tns1:A', undefined]);
  });

  it('of the table are known by their segments, whole or by the last two', () => {
    const table = new TopicTable([{ topic: 'tns1:VideoSource/MotionAlarm', kind: 'person' }]);
    expect(table.row('tns1:VideoSource/MotionAlarm')?.kind).toBe('person');
    expect(table.row('tns1:VideoSource/Device/Trigger/tnshik:AlarmIn')?.kind).toBe('digital_input');
    expect(table.row('tnsaxis:CameraApplicationPlatform/VMD/Camera1Profile1')?.kind).toBe('motion');
    expect(table.row('tns1:VideoSource/ImageTooDark/AnalyticsService')?.kind).toBe('picture_bad');
    expect(table.row('tns1:Other/Thing')).toBeUndefined();
    for (const { topic } of TOPICS) expect(table.row(`tns1:${topic.replace('*', 'Any')}`), topic).toBeDefined();
  });
});

describe('odd messages', () => {
  it('keep their texts, with items in any order, and what they hold of elements', () => {
    const data =
      '<tt:SimpleItem Value="1.50" Name="a"/><tt:SimpleItem Name="b">TRUE</tt:SimpleItem><tt:SimpleItem Name="id" Value="20240404040405120001"/><tt:SimpleItem Name="__proto__" Value="x"/>' +
      '<tt:ElementItem Name="Reading"><ttr:R SpotTemperature="300.15"/></tt:ElementItem>';
    const [message] = messagesIn(pull(note('tns1:A/B', { data })));
    expect(Object.entries(message?.data ?? {})).toEqual([
      ['a', '1.50'],
      ['b', 'TRUE'],
      ['id', '20240404040405120001'],
      ['__proto__', 'x'],
    ]);
    expect(message?.elementItems).toEqual(['data.Reading']);
    expect(message?.elements.get('data.Reading')?.get('SpotTemperature')).toBe('300.15');
  });

  it('lack an inner message, a topic, or everything', () => {
    const flat =
      '<NotificationMessage><Topic>tns1:VideoSource/MotionAlarm</Topic><Message UtcTime="2024-01-15T03:41:21" PropertyOperation="Changed"><Data><SimpleItem Name="State" Value="true"/></Data></Message></NotificationMessage>';
    expect(messagesIn(pull(flat))[0]).toMatchObject({
      operation: 'Changed',
      utcTimeFlag: 'no-zone',
      data: { State: 'true' },
    });
    expect(messagesIn(pull('<NotificationMessage><Message/></NotificationMessage>'))).toEqual([]);
    const empty = '<NotificationMessage><Topic>tns1:VideoSource/MotionAlarm</Topic><Message/></NotificationMessage>';
    expect(messagesIn(pull(empty))[0]).toMatchObject({
      operation: null,
      utcTime: null,
      utcTimeFlag: 'missing',
      isEmpty: true,
    });
  });

  it('of an answer that broke off are those that came whole', () => {
    const xml = pull(note('tns1:A/B') + note('tns1:C/D'));
    for (let cut = xml.indexOf('tns1:C/D'); cut < xml.length - 1; cut += 7) {
      const answer = readAnswer(bytes(xml.slice(0, cut)));
      if (answer?.type !== 'pull') throw new Error('no pull');
      expect(answer.isWhole).toBe(false);
      const topics = answer.messages.map((m) => m.topic);
      expect(topics.slice(0, 1)).toEqual(['tns1:A/B']);
      if (topics.length > 1) expect(xml.slice(0, cut)).toContain(`tns1:C/D</wsnt:Topic>`);
    }
  });

  it('come 500 at most', () => {
    expect(
      messagesIn(pull('<NotificationMessage><Topic>tns1:A</Topic></NotificationMessage>'.repeat(600))),
    ).toHaveLength(500);
  });

  it('name what is personal', () => {
    const data = `${item('PlateNumber', '粤B12345')}${item('Likelihood', '0.9')}`;
    const { messages } = decodeOnvif({
      protocol: 'onvif',
      response: bytes(pull(note('tns1:RuleEngine/Recognition/LicensePlate', { data }))),
    }) as unknown as { messages: unknown[] };
    expect(messages).toMatchObject([{ personal: ['PlateNumber'], hint: { kind: 'plate', active: true } }]);
  });
});

describe('faults', () => {
  const fault = (code: string, detail = ''): string =>
    `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value>${code}</s:Code><s:Reason><s:Text xml:lang="en"> no </s:Text></s:Reason>${detail}</s:Fault></s:Body></s:Envelope>`;
  const sub = (name: string, inner = ''): string => `<s:Subcode><s:Value>${name}</s:Value>${inner}</s:Subcode>`;
  const read = (xml: string) => {
    const answer = readAnswer(bytes(xml));
    if (answer?.type !== 'fault') throw new Error('no fault');
    return answer;
  };
  it.each([
    [fault(sub('ter:NotAuthorized')), 'auth'],
    [fault(sub('ter:InvalidArgs', sub('undeclared:NotAuthorized'))), 'auth'],
    [fault(sub('wsse:FailedAuthentication')), 'auth'],
    [fault(sub('ter:ActionNotSupported')), 'unsupported'],
    [fault(sub('wsrf-rw:ResourceUnknownFault')), 'unknown'],
    [fault('', '<s:Detail><wsrf-rw:ResourceUnknownFault/></s:Detail>'), 'unknown'],
    [fault(sub('ter:InvalidArgs')), 'other'],
    [
      fault(
        '',
        '<s:Detail><tev:PullMessagesFaultResponse><tev:MaxTimeout>PT1M</tev:MaxTimeout></tev:PullMessagesFaultResponse></s:Detail>',
      ),
      'limits',
    ],
    [fault(sub('wsntw:UnableToGetMessagesFault')), 'busy'],
    [
      '<E><Body><Fault><faultcode>ns:Client.NotAuthorized</faultcode><faultstring>x</faultstring></Fault></Body></E>',
      'other',
    ],
    ['<E><Body><Fault/></Body></E>', 'other'],
  ])('%#', (xml, is) => {
    const { fault: said, detail } = read(xml);
    expect(classify(said, detail)).toBe(is);
  });

  it('say their reason, their codes from outside in, and their limits', () => {
    const { fault: said } = read(fault(sub('ter:InvalidArgVal', sub('ter:NoSuch'))));
    expect(said).toEqual({ code: 'Sender', subcodes: ['InvalidArgVal', 'NoSuch'], reason: 'no' });
    const detail =
      '<s:Detail><tev:PullMessagesFaultResponse><tev:MaxTimeout>PT1M30.5S</tev:MaxTimeout><tev:MaxMessageLimit>10</tev:MaxMessageLimit></tev:PullMessagesFaultResponse></s:Detail>';
    expect(pullLimits(read(fault('', detail)).detail)).toEqual({ timeoutMs: 90_500, messages: 10 });
    expect([durationMs('PT10M'), durationMs('P1DT1H'), durationMs('10'), durationMs('PT')]).toEqual([
      600_000,
      90_000_000,
      undefined,
      0,
    ]);
  });

  it('what is no answer of a camera is said to be none', () => {
    const html = bytes('<!DOCTYPE html><html><body>401</body></html>');
    expect(decodeOnvif({ protocol: 'onvif', status: 401, response: html })).toMatchObject({
      outcome: 'reject',
      status: 401,
      code: 'xml.declaration',
    });
    expect(decodeOnvif({ protocol: 'onvif', response: bytes('<html/>') }).outcome).toBe('unexpected');
    expect(decodeOnvif({ protocol: 'onvif', response: bytes('Service Unavailable') })).toMatchObject({
      outcome: 'reject',
      code: 'xml.broken',
    });
  });
});

function watch(points: readonly Partial<StatePoint>[], table = new TopicTable(), items: readonly string[] = []) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const unknown: string[] = [];
  const state = new CameraState({
    clock,
    table,
    points: points.map(
      (p) => ({ deadband: 0, as: 'bool', isEvent: false, id: String(p.event ?? p.id), ...p }) as StatePoint,
    ),
    items,
    tell: (readings) => void told.push(...readings.map((r) => `${r.point}=${r.value}`)),
    onUnknown: (topic) => void unknown.push(topic),
  });
  return {
    clock,
    state,
    unknown,
    hear: (...notes: string[]) => state.take(messagesIn(pull(notes.join('')))).map((r) => `${r.point}=${r.value}`),
    told: () => told.splice(0),
    known: () => state.readings(points.map((p) => String(p.event ?? p.id))).map((r) => `${r.point}=${r.value}`),
  };
}
const CELL = 'tns1:RuleEngine/CellMotionDetector/Motion';
const cell = (value: string, operation = 'Changed', source = '0'): string =>
  note(CELL, { operation, source: item('VideoSourceConfigurationToken', source), data: item('IsMotion', value) });

describe('the state', () => {
  it('changes on differences only; Initialized and repeats are none', () => {
    const w = watch([{ event: 'motion' }]);
    expect(w.hear(cell('false', 'Initialized'))).toEqual(['motion=false']);
    expect(w.hear(cell('false'), cell('true'), cell('true'))).toEqual(['motion=true']);
    expect(w.hear(cell('TRUE', 'Initialized'))).toEqual([]);
    expect(w.hear(cell('0'))).toEqual(['motion=false']);
    expect(w.state.counts.repeats).toBe(2);
    expect(w.known()).toEqual(['motion=false']);
  });

  it('of a point is on while one property is; Deleted and an empty message clear', () => {
    const w = watch([{ event: 'motion' }]);
    w.hear(cell('false', 'Initialized', 'a'), cell('false', 'Initialized', 'b'));
    expect(w.hear(cell('true', 'Changed', 'a'), cell('true', 'Changed', 'b'))).toEqual(['motion=true']);
    expect(w.hear(cell('false', 'Changed', 'a'))).toEqual([]);
    expect(w.hear(note(CELL, { operation: 'Deleted', source: item('VideoSourceConfigurationToken', 'b') }))).toEqual([
      'motion=false',
    ]);
    w.hear(cell('true', 'Changed', 'a'));
    expect(w.hear(`<NotificationMessage><Topic>${CELL}</Topic><Message/></NotificationMessage>`)).toEqual([
      'motion=false',
    ]);
  });

  it('a change to true says that it was false; what is so since before says nothing for a point of happenings', () => {
    const w = watch([{ event: 'motion' }]);
    expect(w.hear(cell('true'))).toEqual(['motion=false', 'motion=true']);
    const s = watch([{ event: 'motion' }]);
    expect(s.hear(cell('true', 'Initialized'))).toEqual(['motion=true']);
    const e = watch([{ event: 'motion', isEvent: true }]);
    expect(e.hear(cell('true', 'Initialized'))).toEqual([]);
    expect(e.hear(cell('false'), cell('true'))).toEqual(['motion=false', 'motion=true']);
  });

  it('is unknown when the camera is lost, and never false for that', () => {
    const w = watch([{ event: 'motion' }]);
    w.hear(cell('false', 'Initialized'), cell('true'));
    w.state.lost();
    expect(w.known()).toEqual([]);
    expect(w.clock.timers()).toEqual([]);
    expect(w.hear(cell('true', 'Initialized'))).toEqual(['motion=true']);
  });

  it('ends by itself where false was never heard, after the row’s time, or the owner’s', async () => {
    const w = watch([{ event: 'motion' }, { event: 'person' }, { event: 'tamper', clear: 5000 }]);
    w.hear(cell('true'));
    await w.clock.advance(59_000);
    expect(w.told()).toEqual([]);
    await w.clock.advance(1000);
    expect(w.told()).toEqual(['motion=false']);
    const shape = note('tns1:UserAlarm/IVA/HumanShapeDetect', { operation: 'Changed', data: item('State', 'true') });
    expect(w.hear(shape)).toEqual(['person=false', 'person=true']);
    await w.clock.advance(15_000);
    expect(w.hear(shape)).toEqual([]);
    await w.clock.advance(19_000);
    expect(w.told()).toEqual([]);
    await w.clock.advance(1000);
    expect(w.told()).toEqual(['person=false']);
    w.hear(cell('false'), cell('true'));
    w.hear(note('tns1:RuleEngine/TamperDetector/Tamper', { operation: 'Changed', data: item('IsTamper', 'true') }));
    await w.clock.advance(5000);
    expect(w.told()).toEqual(['tamper=false']);
    await w.clock.advance(3_600_000);
    expect(w.known()).toContain('motion=true');
  });

  it('of a plain event is a pulse, one for each, within the budget', async () => {
    const w = watch([{ event: 'line_cross' }]);
    const crossed = (id: number): string =>
      note('tns1:RuleEngine/LineDetector/Crossed', { source: item('Rule', 'r'), data: item('ObjectId', String(id)) });
    expect(w.hear(crossed(0))).toEqual(['line_cross=false', 'line_cross=true']);
    expect(w.hear(crossed(0))).toEqual(['line_cross=false', 'line_cross=true']);
    await w.clock.advance(2000);
    expect(w.told()).toEqual(['line_cross=false']);
    const many = w.hear(...Array.from({ length: 400 }, () => crossed(1)));
    expect(many.length).toBeLessThan(250);
    expect(many).toContain('line_cross=true');
    expect(w.state.counts.merged).toBeGreaterThan(250);
  });

  it('in a storm tells that it was on, and what it is at last', () => {
    const w = watch([{ event: 'motion' }]);
    w.hear(cell('false', 'Initialized'));
    const storm = Array.from({ length: 200 }, () => [cell('true'), cell('false')]).flat();
    expect(w.hear(...storm)).toEqual(['motion=true', 'motion=false']);
    expect(w.hear(...storm, cell('true'))).toEqual(['motion=true']);
  });

  it('reads classes, counts, kelvin, and mixes', () => {
    const w = watch([
      { event: 'fire' },
      { event: 'smoke' },
      { event: 'person' },
      { event: 'vehicle' },
      { event: 'count' },
      { event: 'temperature' },
    ]);
    const classes = (list: string): string =>
      note('tns1:RuleEngine/ObjectDetection/Object', { operation: 'Changed', data: item('ClassTypes', list) });
    expect(w.hear(classes('Fire Smoke'))).toEqual(expect.arrayContaining(['fire=true', 'smoke=true', 'person=false']));
    expect(w.hear(classes(''))).toEqual(['fire=false', 'smoke=false']);
    const count = note('tns1:RuleEngine/CountAggregation/Counter', {
      operation: 'Changed',
      data: item('Count', '0042'),
    });
    expect(w.hear(count)).toEqual(['count=42']);
    const reading =
      '<tt:ElementItem Name="Reading"><ttr:BoxTemperature MaxTemperature="373.15" MinTemperature="1"/></tt:ElementItem>';
    expect(w.hear(note('tns1:VideoAnalytics/Radiometry/BoxTemperatureReading', { data: reading }))).toEqual([
      'temperature=100',
    ]);
    const bad = note('tns1:VideoAnalytics/Radiometry/BoxTemperatureReading', {
      data: reading.replace('373.15', '36.5'),
    });
    expect(w.hear(bad)).toEqual([]);
    const mix = note('tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent', {
      operation: 'Changed',
      data: item('IsPeople', 'true') + item('IsVehicle', 'true'),
    });
    expect(w.hear(mix)).toEqual(['person=true', 'vehicle=true']);
  });

  it('invents nothing: no data, two readable items, a word that is neither', () => {
    const w = watch([{ event: 'motion' }]);
    expect(w.hear(note(CELL, { operation: 'Changed', source: item('s', '1') }))).toEqual([]);
    expect(
      w.hear(note('tns1:VideoSource/MotionAlarm', { operation: 'Changed', data: item('a', '1') + item('b', '0') })),
    ).toEqual([]);
    expect(w.hear(cell('maybe'))).toEqual([]);
    expect(w.known()).toEqual([]);
  });

  it('of a point with a source, a rule or a topic is that one’s; personal items need to be named', () => {
    const plate = 'tns1:RuleEngine/Recognition/LicensePlate';
    const points = [
      { id: 'm2', event: 'motion' as const, source: '2' },
      { id: 'log', topic: 'tns1:Vendor/v:Log', item: 'Text', as: 'string' as const },
      { id: 'plate', topic: plate, item: 'PlateNumber', as: 'string' as const },
      { id: 'nation', topic: plate, item: 'Nation', as: 'string' as const },
    ].map((p) => ({ ...p, id: p.id }));
    const seen = note(plate, { data: item('PlateNumber', '粤B12345') + item('Nation', 'CN') });
    const other = note('tns1:Vendor/v:Log', { data: item('Text', 'hello') });
    const hear = (items: string[]) => {
      const clock = new VirtualClock();
      const state = new CameraState({
        clock,
        table: new TopicTable(),
        points: points.map((p) => ({ deadband: 0, as: 'bool', isEvent: false, ...p }) as StatePoint),
        items,
        tell: () => {},
        onUnknown: () => {},
      });
      return state
        .take(messagesIn(pull(cell('true', 'Initialized', '1') + cell('true', 'Initialized', '2') + seen + other)))
        .map((r) => `${r.point}=${r.value}`);
    };
    expect(hear([])).toEqual(['m2=true', 'log=hello']);
    expect(hear(['PlateNumber'])).toEqual(['m2=true', 'plate=粤B12345', 'log=hello']);
  });

  it('meets an unknown topic once, counts it, and stays bounded', () => {
    const w = watch([{ event: 'motion' }]);
    w.hear(note('tns1:X/Y'), note('tns1:X/Y'), note('tns1:Media/ProfileChanged'));
    expect(w.unknown).toEqual(['tns1:X/Y']);
    expect([...w.state.unknown]).toEqual([['tns1:X/Y', 2]]);
    for (let i = 0; i < 60; i++) w.hear(...Array.from({ length: 50 }, (_, n) => note(`tns1:X/T${i * 50 + n}`)));
    expect(w.state.unknown.size).toBe(50);
    const objects = Array.from({ length: 400 }, (_, n) =>
      note('tns1:RuleEngine/FieldDetector/ObjectsInside', {
        operation: 'Changed',
        key: item('ObjectId', String(n)),
        data: item('IsInside', 'true'),
      }),
    );
    for (let i = 0; i < 5; i++)
      w.hear(
        ...objects.map((o) =>
          o.replace(/Value="(\d+)"\/><\/tt:Key>/, (_, n: string) => `Value="${i}.${n}"/></tt:Key>`),
        ),
      );
    expect(w.clock.timers()).toHaveLength(1);
  });
});
