/**
 * What topics mean: a table, extended by `topics:` in a device's section or profile. A topic is known by its segments without prefixes, whole or by its last two
 * (makers nest the same topics differently); `*` stands for any last segment.
 *
 * Sources: ONVIF Core 25.12 and Analytics 24.12 for what has no maker; else what the makers' cameras were seen to send (README.md names them).
 */
import type { Text } from '../../src/base/text.ts';

/** On or off, or a number; `name` is the point's usual name, `hint` the word other systems use. */
export interface Kind {
  readonly says: Text;
  readonly unit?: string;
  readonly isNumber?: boolean;
  readonly hint?: string;
  /** it may be so for hours: it never ends by itself */
  readonly lasts?: boolean;
}

const kind = (zh: string, en: string, more: Omit<Kind, 'says'> = {}): Kind => ({ says: { zh, en }, ...more });

export const KINDS = {
  motion: kind('移动侦测', 'motion'),
  line_cross: kind('越界', 'line crossing', { hint: 'line-crossing' }),
  intrusion: kind('区域入侵', 'intrusion'),
  region_enter: kind('进入区域', 'region entered'),
  region_leave: kind('离开区域', 'region left'),
  loitering: kind('徘徊', 'loitering'),
  tamper: kind('遮挡', 'tampering', { lasts: true }),
  picture_bad: kind('画面异常', 'picture too dark, bright, blurred or changed', { lasts: true }),
  picture_lost: kind('视频丢失', 'signal loss', { hint: 'signal-loss', lasts: true }),
  casing: kind('外壳打开', 'casing open', { lasts: true }),
  digital_input: kind('报警输入', 'digital input', { hint: 'digital-input', lasts: true }),
  relay: kind('继电器', 'relay', { lasts: true }),
  person: kind('有人', 'person', { hint: 'people' }),
  vehicle: kind('车辆', 'vehicle'),
  animal: kind('动物', 'animal'),
  parcel: kind('包裹', 'parcel'),
  visitor: kind('门铃', 'doorbell', { hint: 'doorbell' }),
  face: kind('有人脸（不含身份）', 'a face, without who it is'),
  plate: kind('有车牌（不含号码）', 'a plate, without its number'),
  crowd: kind('人员聚集', 'crowd'),
  parking: kind('违停', 'parking', { lasts: true }),
  left_object: kind('遗留物', 'object left', { lasts: true }),
  taken_object: kind('物品搬移', 'object taken'),
  fall: kind('跌倒', 'fall'),
  fire: kind('火焰', 'fire', { lasts: true }),
  smoke: kind('烟雾', 'smoke', { lasts: true }),
  overheat: kind('温度报警', 'temperature alarm', { lasts: true }),
  sound: kind('异常声音', 'sound'),
  storage_failure: kind('存储故障', 'storage failure', { hint: 'storage-failure', lasts: true }),
  hardware_failure: kind('硬件故障', 'hardware failure', { hint: 'hardware-failure', lasts: true }),
  network_failure: kind('网络断开', 'network failure', { hint: 'network-failure', lasts: true }),
  illegal_access: kind('非法登录', 'illegal access', { hint: 'illegal-access' }),
  people: kind('人数', 'people present', { isNumber: true, hint: 'occupancy' }),
  count: kind('累计人数', 'counter of passages', { isNumber: true, hint: 'people-count' }),
  temperature: kind('最高温度', 'highest temperature', { isNumber: true, unit: 'Cel' }),
  cpu: kind('处理器占用', 'processor usage', { isNumber: true }),
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as [KindName, ...KindName[]];

/** How a row's value is read. `classes`: a list of what is seen. `kelvin`: the attributes of a reading. `always`: the message itself says it. */
export type Reads = 'bool' | 'number' | 'classes' | 'kelvin' | 'always';

export interface TopicRow {
  readonly topic: string;
  readonly kind: KindName;
  /** items that carry it, the first that is there */
  readonly items?: readonly string[];
  readonly reads?: Reads;
  /** its end never comes: over after so many ms without a repeat */
  readonly clearMs?: number;
}

/** Items that say themselves what they mean, whatever the topic: the mixes of TP-Link. */
export const ITEM_KINDS: ReadonlyMap<string, KindName> = new Map([
  ['IsMotion', 'motion'],
  ['IsPeople', 'person'],
  ['IsVehicle', 'vehicle'],
  ['IsPet', 'animal'],
  ['IsLineCross', 'line_cross'],
  ['IsIntrusion', 'intrusion'],
  ['IsTamper', 'tamper'],
  ['IsInside', 'intrusion'],
  ['IsRegionEntrance', 'region_enter'],
  ['IsRegionExiting', 'region_leave'],
  ['IsUnattendedBaggage', 'left_object'],
  ['IsObjectTaken', 'taken_object'],
  ['IsLoitering', 'loitering'],
  ['IsFall', 'fall'],
  ['IsSoundDetected', 'sound'],
  ['IsFaceDetect', 'face'],
]);

/** Classes of tt:ObjectType (Analytics 24.12, annex on object classification). */
export const CLASS_KINDS: ReadonlyMap<string, KindName> = new Map([
  ['Human', 'person'],
  ['HumanFace', 'face'],
  ['Animal', 'animal'],
  ['Vehicle', 'vehicle'],
  ['Bicycle', 'vehicle'],
  ['Bike', 'vehicle'],
  ['LicensePlate', 'plate'],
  ['Fire', 'fire'],
  ['Smoke', 'smoke'],
]);

const rows = (kindName: KindName, topics: readonly string[], more: Omit<TopicRow, 'topic' | 'kind'> = {}): TopicRow[] =>
  topics.map((topic) => ({ topic, kind: kindName, ...more }));

/** A crossing is told once and has no end. */
export const PULSE_MS = 2000;
/** Uniview tells the end of a human shape by saying true once more, some 15 s later. */
const SHAPE_MS = 20_000;

export const TOPICS: readonly TopicRow[] = [
  ...rows('motion', [
    'RuleEngine/CellMotionDetector/Motion',
    'RuleEngine/MotionRegionDetector/Motion',
    'VideoSource/MotionAlarm',
    'VideoAnalytics/MotionAlarm',
    'Device/Trigger/MotionDetector',
    'RuleEngine/MotionDetector/Detection',
    'Device/Sensor/PIR',
    'CameraApplicationPlatform/VMD/*',
  ]),
  ...rows('line_cross', ['RuleEngine/LineDetector/Crossed'], { reads: 'always', clearMs: PULSE_MS }),
  ...rows('line_cross', ['RuleEngine/LineDetector/Crossing'], { reads: 'always', clearMs: PULSE_MS }),
  ...rows('line_cross', ['RuleEngine/CellMotionDetector/LineCross', 'RuleEngine/LineCrossDetector/LineCross']),
  ...rows('intrusion', [
    'RuleEngine/FieldDetector/ObjectsInside',
    'RuleEngine/CellMotionDetector/Intrusion',
    'RuleEngine/IntrusionDetector/Intrusion',
  ]),
  ...rows('region_enter', ['RuleEngine/RegionDetector/Enter']),
  ...rows('region_leave', ['RuleEngine/RegionDetector/Leave']),
  ...rows('loitering', ['RuleEngine/LoiteringDetector/Detect']),
  ...rows('loitering', ['RuleEngine/LoiteringDetector/ObjectIsLoitering'], { reads: 'always', clearMs: 60_000 }),
  ...rows('tamper', [
    'RuleEngine/TamperDetector/Tamper',
    'RuleEngine/CellMotionDetector/Tamper',
    'UserAlarm/VideoCover',
    'VideoAnalytics/MaskAlarm',
  ]),
  ...rows('picture_bad', [
    'VideoSource/GlobalSceneChange/*',
    'VideoSource/ImageTooDark/*',
    'VideoSource/ImageTooBright/*',
    'VideoSource/ImageTooBlurry/*',
  ]),
  ...rows('picture_lost', ['VideoSource/SignalLoss', 'UserAlarm/VideoLost']),
  ...rows('casing', ['Device/Casing/Open']),
  ...rows('digital_input', ['Device/Trigger/DigitalInput', 'Device/Trigger/AlarmIn']),
  ...rows('relay', ['Device/Trigger/Relay']),
  ...rows('person', [
    'RuleEngine/PeopleDetector/People',
    'RuleEngine/CellMotionDetector/People',
    'RuleEngine/MyRuleDetector/PeopleDetect',
  ]),
  ...rows('person', ['UserAlarm/IVA/HumanShapeDetect'], { clearMs: SHAPE_MS }),
  ...rows('vehicle', ['RuleEngine/MyRuleDetector/VehicleDetect', 'VehicleAlarm/IVB/VehicleDetect']),
  ...rows('animal', ['RuleEngine/MyRuleDetector/DogCatDetect', 'UserAlarm/IVA/AnimalDetect']),
  ...rows('parcel', ['RuleEngine/MyRuleDetector/Package', 'UserAlarm/IVA/PackageDetect']),
  ...rows('visitor', ['RuleEngine/MyRuleDetector/Visitor']),
  ...rows('face', [
    'RuleEngine/MyRuleDetector/FaceDetect',
    'RuleEngine/FaceDetector/Detect',
    'FaceAnalysis/FaceDetector',
  ]),
  ...rows('face', ['RuleEngine/Recognition/Face'], { reads: 'always', clearMs: PULSE_MS }),
  ...rows('plate', ['RuleEngine/Recognition/LicensePlate'], { reads: 'always', clearMs: PULSE_MS }),
  ...rows('plate', ['RuleEngine/VehicleDetector/Vehicle'], { reads: 'always', clearMs: PULSE_MS }),
  ...rows('person', ['RuleEngine/ObjectDetection/Object'], { reads: 'classes', items: ['ClassTypes'] }),
  ...rows('people', ['RuleEngine/CountAggregation/OccupancyCounter', 'RuleEngine/OccupancyCounter'], {
    reads: 'number',
    items: ['Count'],
  }),
  ...rows('count', ['RuleEngine/CountAggregation/Counter'], { reads: 'number', items: ['Count'] }),
  ...rows('crowd', ['RuleEngine/CrowdDetector/Gathering']),
  ...rows('parking', ['RuleEngine/ParkingDetector/Detect']),
  ...rows('left_object', ['RuleEngine/ObjectDetector/Unattended']),
  ...rows('taken_object', ['RuleEngine/ObjectDetector/Removal']),
  ...rows('fall', ['RuleEngine/MilesightRule/Fall']),
  ...rows('fire', ['RuleEngine/FireDetector', 'RuleEngine/FireDetector/Fire', 'RuleEngine/FireDetector/Detect']),
  ...rows('smoke', ['RuleEngine/SmokeDetector', 'RuleEngine/SmokeDetector/Smoke', 'RuleEngine/SmokeDetector/Detect']),
  ...rows('overheat', ['RuleEngine/Radiometry/TemperatureAlarm'], { items: ['AlarmActive'] }),
  ...rows(
    'temperature',
    ['VideoAnalytics/Radiometry/SpotTemperatureReading', 'VideoAnalytics/Radiometry/BoxTemperatureReading'],
    { reads: 'kelvin' },
  ),
  ...rows('sound', [
    'AudioAnalytics/Audio/DetectedSound',
    'RuleEngine/AudioDetector/Anomaly',
    'RuleEngine/AudioDetector/SuddenRise',
  ]),
  ...rows('storage_failure', ['Device/HardwareFailure/StorageFailure']),
  ...rows('hardware_failure', [
    'Device/HardwareFailure/FanFailure',
    'Device/HardwareFailure/PowerSupplyFailure',
    'Device/HardwareFailure/TemperatureCritical',
  ]),
  ...rows('network_failure', ['Device/Network/EthernetBroken']),
  ...rows('illegal_access', ['UserAlarm/IllegalAccess'], { reads: 'always', clearMs: PULSE_MS }),
  ...rows('cpu', ['Monitoring/ProcessorUsage'], { reads: 'number', items: ['Value'] }),
];

/** Topics that say nothing a rule could want; they count as known. */
export const QUIET: readonly string[] = [
  'Media/ConfigurationChanged',
  'Media/ProfileChanged',
  'Configuration/',
  'Monitoring/OperatingTime/',
];

/** Items that tell who somebody is, or show him: they go no further than the driver unless the configuration names them. */
export const PERSONAL: readonly string[] = [
  'PlateNumber',
  'LicensePlate',
  'LicensePlateInfo',
  'Plate',
  'PictureUri',
  'ImageUri',
  'Image',
  'Picture',
  'Snapshot',
  'Label',
  'Name',
  'PersonName',
  'EnrollmentID',
  'FaceID',
  'FaceId',
  'Face',
  'PersonID',
  'IdNumber',
  'CardNo',
  'Gender',
  'Age',
];

/** The rows of a device: its own before the built-in ones. */
export class TopicTable {
  private readonly whole = new Map<string, TopicRow>();
  private readonly tails = new Map<string, TopicRow>();

  constructor(own: readonly TopicRow[] = []) {
    for (const row of [...own, ...TOPICS]) {
      const path = withoutPrefixes(row.topic);
      if (!this.whole.has(path)) this.whole.set(path, row);
      const tail = tailOf(path);
      if (!path.endsWith('*') && !this.tails.has(tail)) this.tails.set(tail, row);
    }
  }

  /** @param topic normalised, as codec.ts makes it */
  row(topic: string): TopicRow | undefined {
    const path = withoutPrefixes(topic);
    const any = `${path.slice(0, path.lastIndexOf('/') + 1)}*`;
    return this.whole.get(path) ?? this.whole.get(any) ?? this.tails.get(tailOf(path));
  }

  /** Whatever is said of a face or a plate is somebody's, whatever its maker calls it. */
  isPersonal(topic: string, item: string): boolean {
    const kind = this.row(topic)?.kind;
    return PERSONAL.includes(item) || kind === 'face' || kind === 'plate';
  }

  isQuiet(topic: string): boolean {
    const path = withoutPrefixes(topic);
    return QUIET.some((quiet) => path.startsWith(quiet));
  }
}

export const withoutPrefixes = (topic: string): string =>
  topic
    .split('/')
    .map((segment) => segment.slice(segment.indexOf(':') + 1))
    .join('/');

const tailOf = (path: string): string => path.split('/').slice(-2).join('/');
