/**
 * The main makers' cameras as data. What each does differently is out of the quirk table of the reference (section 3); paths and model names are
 * typical, not copied from one device.
 */
import type { AuthRules } from './auth.ts';
import type { CameraFaults } from './faults.ts';
import type { Hand } from './writer.ts';

export interface Property {
  readonly topic: string;
  readonly source: Readonly<Record<string, string>>;
  readonly key?: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

export interface Persona {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly hand: Hand;
  readonly paths: {
    readonly device: string;
    readonly events: string;
    readonly media: string;
    readonly snapshot: string;
  };
  /** path of the n-th subscription; `same` = it is called at the event service */
  readonly subscription: (n: number) => string | 'same';
  /** port of the n-th subscription where it is not the camera's */
  readonly subscriptionPort?: (n: number) => number;
  /** must come back with each call */
  readonly referenceParameters?: (n: number) => string;
  readonly auth: AuthRules;
  readonly slots: number;
  /** what it says a subscription lives, ms; its true life is what was asked for */
  readonly saysLifeMs?: number;
  /** a pull makes the subscription live on; where not, only Renew does */
  readonly pullExtends: boolean;
  readonly booleans: readonly [on: string, off: string];
  readonly faults: Partial<CameraFaults>;
  readonly properties: readonly Property[];
}

const HOUR = 3_600_000;
const PLAIN: Hand = { prefixes: {}, valueFirst: false };
const GSOAP: Hand = { prefixes: { s: 'SOAP-ENV', wsa: 'wsa5' }, valueFirst: false };
const AUTH: AuthRules = { wsse: true, digest: ['MD5'], windowMs: 300_000, lockAfter: 7, lockMs: HOUR / 2 };
const PATHS = {
  device: '/onvif/device_service',
  events: '/onvif/event_service',
  media: '/onvif/media_service',
  snapshot: '/onvif/snapshot.jpg',
};
const VSC = { VideoSourceConfigurationToken: 'V1', VideoAnalyticsConfigurationToken: 'A1' };
const cell = (rule: string): Property => ({
  topic: 'tns1:RuleEngine/CellMotionDetector/Motion',
  source: { ...VSC, Rule: rule },
  data: { IsMotion: 'false' },
});
const alarm = (source: string, off = 'false'): Property => ({
  topic: 'tns1:VideoSource/MotionAlarm',
  source: { Source: source },
  data: { State: off },
});
const input = (token: string): Property => ({
  topic: 'tns1:Device/Trigger/DigitalInput',
  source: { InputToken: token },
  data: { LogicalState: 'false' },
});

const conforming: Persona = {
  manufacturer: 'Example',
  model: 'EX-1',
  firmware: '1.0',
  hand: PLAIN,
  paths: PATHS,
  subscription: (n) => `/onvif/subscription?Idx=${n}`,
  auth: { ...AUTH, digest: ['SHA-256', 'MD5'] },
  slots: 10,
  pullExtends: true,
  booleans: ['true', 'false'],
  faults: {},
  properties: [cell('MotionRule'), input('IN1')],
};

const tplink: Persona = {
  ...conforming,
  manufacturer: 'TP-Link',
  model: 'VIGI C340',
  firmware: '2.0.1 Build 240312',
  hand: GSOAP,
  paths: { device: '/onvif/service', events: '/onvif/service', media: '/onvif/service', snapshot: '/snapshot.jpg' },
  subscription: (n) => `/event-${1024 + n}_1024`,
  subscriptionPort: () => 1024,
  auth: { ...AUTH, digest: [] },
  slots: 6,
  faults: {
    refusedAs: 400,
    pullEndsAfterMs: 10_000,
    staleInitial: true,
    noSlots: 'kick-oldest',
    snapshotAuth: 'none',
  },
  properties: [
    { ...cell('MyMotionDetectorRule'), source: { ...TAPO('MyMotionDetectorRule') } },
    {
      topic: 'tns1:RuleEngine/PeopleDetector/People',
      source: TAPO('MyPeopleDetectorRule'),
      data: { IsPeople: 'false' },
    },
  ],
};

function TAPO(rule: string): Record<string, string> {
  return {
    VideoSourceConfigurationToken: 'vsconf',
    VideoAnalyticsConfigurationToken: 'VideoAnalyticsToken',
    Rule: rule,
  };
}

export const PERSONAS = {
  conforming,
  hikvision: {
    ...conforming,
    manufacturer: 'HIKVISION',
    model: 'DS-2CD2143G2-I',
    firmware: 'V5.7.12 build 230606',
    paths: {
      device: '/onvif/device_service',
      events: '/onvif/Events',
      media: '/onvif/Media',
      snapshot: '/onvif-http/snapshot?Profile_1',
    },
    subscription: (n) => `/onvif/Events/PullSubManager_2026-01-01T00:00:00Z_${n}`,
    auth: { ...AUTH, digest: ['MD5', 'SHA-256'] },
    slots: 5,
    saysLifeMs: HOUR / 6,
    faults: { wantsAddressing: true },
    properties: [
      { ...cell('MyMotionDetectorRule') },
      { topic: 'tns1:Device/Trigger/tnshik:AlarmIn', source: { AlarmInToken: 'AlarmIn_1' }, data: { State: 'false' } },
      {
        topic: 'tns1:RuleEngine/FieldDetector/ObjectsInside',
        source: { ...VSC, Rule: 'MyFieldDetector1' },
        data: { IsInside: 'false' },
      },
      {
        topic: 'tns1:RuleEngine/TamperDetector/Tamper',
        source: { ...VSC, Rule: 'MyTamperDetectorRule' },
        data: { IsTamper: 'false' },
      },
    ],
  },
  dahua: {
    ...conforming,
    manufacturer: 'Dahua',
    model: 'IPC-HFW2431S',
    firmware: '2.800.0000000.16.R',
    hand: { prefixes: { wsa: 'wsa5' }, valueFirst: true },
    subscription: () => 'same',
    slots: 5,
    saysLifeMs: 22 * HOUR,
    booleans: ['1', '0'],
    faults: { subscriptionAddress: 'empty', wantsAddressing: false, snapshotAuth: 'digest' },
    properties: [
      { ...cell('00000'), source: { VideoSourceConfigurationToken: '00000', Rule: '00000' }, data: { IsMotion: '0' } },
      alarm('00000', '0'),
    ],
  },
  uniview: {
    ...conforming,
    manufacturer: 'Uniview',
    model: 'IPC2324SB',
    firmware: 'IPC_Q1201-B0006P60D1907',
    faults: { secondTrue: true },
    properties: [
      {
        topic: 'tns1:UserAlarm/IVA/HumanShapeDetect',
        source: { VideoSourceConfigurationToken: 'V1' },
        data: { State: 'false' },
      },
      alarm('V1'),
    ],
  },
  tapo: tplink,
  tl_ipc: {
    ...tplink,
    manufacturer: 'TP-LINK',
    model: 'TL-IPC44AW',
    firmware: '1.0.6',
    slots: 4,
    faults: {
      ...tplink.faults,
      pullEndsAfterMs: Number.POSITIVE_INFINITY,
      bareReference: true,
      unquoted: true,
      restartsOnParallel: true,
    },
  },
  reolink: {
    ...conforming,
    manufacturer: 'Reolink',
    model: 'RLC-810A',
    firmware: 'v3.1.0.2368',
    hand: GSOAP,
    subscription: (n) => `/onvif/PullManager?Idx=00_${n}`,
    booleans: ['true', 'false'],
    faults: { noInitial: true, time: 'epoch', vagueFaults: true, renew: 'fault', snapshotAuth: 'none' },
    properties: [
      alarm('000'),
      { topic: 'tns1:RuleEngine/MyRuleDetector/PeopleDetect', source: { Source: '000' }, data: { State: 'false' } },
    ],
  },
  axis: {
    ...conforming,
    manufacturer: 'AXIS',
    model: 'M3065-V',
    firmware: '10.12.114',
    hand: { prefixes: { s: 'SOAP-ENV', wsa: 'wsa5' }, valueFirst: false },
    paths: {
      device: '/onvif/device_service',
      events: '/onvif/services',
      media: '/onvif/services',
      snapshot: '/onvif-cgi/jpg/image.cgi?resolution=640x360',
    },
    subscription: () => 'same',
    referenceParameters: (n) =>
      `<dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event">${n}</dom0:SubscriptionId>`,
    booleans: ['1', '0'],
    properties: [
      { topic: 'tns1:Device/tnsaxis:Sensor/PIR', source: { sensor: '0' }, data: { state: '0' } },
      { topic: 'tnsaxis:CameraApplicationPlatform/VMD/Camera1ProfileANY', source: {}, data: { active: '0' } },
      { topic: 'tns1:Device/tnsaxis:Casing/Open', source: { Name: 'Casing' }, data: { Open: '0' } },
    ],
  },
  bosch: {
    ...conforming,
    manufacturer: 'Bosch',
    model: 'FLEXIDOME IP 3000i',
    firmware: '7.81.0066',
    faults: { renew: 'fault', syncPoint: 'refused' },
    properties: [
      {
        topic: 'tns1:RuleEngine/MotionRegionDetector/Motion',
        source: { ...VSC, Rule: 'Region 1' },
        data: { State: 'false' },
      },
    ],
  },
  xmeye: {
    ...conforming,
    manufacturer: 'H264',
    model: 'HI3516EV200',
    firmware: '4.03.R11',
    hand: GSOAP,
    auth: { ...AUTH, digest: [] },
    faults: {
      refusedAs: 400,
      instantEmpty: true,
      time: 'shifted',
      noFalse: true,
      encoding: 'gbk',
      snapshotAuth: 'none',
    },
    properties: [
      alarm('V_SRC_000'),
      { topic: 'tns1:UserAlarm/VideoCover', source: { VideoSourceToken: 'V_SRC_000' }, data: { State: 'false' } },
    ],
  },
  asecam: {
    ...conforming,
    manufacturer: 'asecam',
    model: 'IPC',
    firmware: '2.1',
    faults: { emptyEnd: true },
    properties: [alarm('VideoSource_1')],
  },
  'onvif-25.06': {
    ...conforming,
    manufacturer: 'Example',
    model: 'EX-2506',
    firmware: '25.06',
    auth: { ...AUTH, wsse: false, digest: ['SHA-256', 'MD5'] },
    faults: { renew: 'fault' },
    properties: [
      {
        topic: 'tns1:RuleEngine/ObjectDetection/Object',
        source: { VideoSourceToken: 'VS1', Rule: 'Detect' },
        data: { ClassTypes: '' },
      },
    ],
  },
} as const satisfies Readonly<Record<string, Persona>>;

export type PersonaName = keyof typeof PERSONAS;
