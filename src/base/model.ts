/**
 * The site as the configuration describes it, checked and resolved: what engine, rules and uplink are built from.
 * Ids are the mapping keys of the YAML; every duration is in milliseconds.
 */

import type { Verb } from './command.ts';
import type { ProfileUse } from './confirmed.ts';
import type { DataClass } from './data-class.ts';
import type { Path } from './problem.ts';
import type { Text } from './text.ts';
import type { ViewSpec } from './view.ts';

export type ValueKind = 'bool' | 'number' | 'string';
/** what `typeof` says of a value of each kind */
export const VALUE_TYPE = { bool: 'boolean', number: 'number', string: 'string' } as const satisfies Record<
  ValueKind,
  string
>;

/** How long pictures are kept, and how much of the disk they may take. */
export interface MediaLimits {
  readonly keepMs: number;
  readonly maxBytes: number;
}

export interface SiteModel {
  readonly site: {
    readonly id: string;
    readonly name: string;
    readonly lat?: number;
    readonly lon?: number;
    readonly timezone: string;
  };
  readonly gateway: {
    readonly id: string;
    readonly data: string;
    readonly commitWindowMs: number;
    /** bytes the journal may take; by the size of the disk when left out */
    readonly budget?: number;
    readonly media: MediaLimits;
  };
  readonly places: ReadonlyMap<string, Place>;
  readonly channels: ReadonlyMap<string, ChannelModel>;
  readonly devices: ReadonlyMap<string, DeviceModel>;
  readonly feeds: ReadonlyMap<string, FeedModel>;
  readonly people: ReadonlyMap<string, Person>;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly times: ReadonlyMap<string, string>;
  readonly stats: ReadonlyMap<string, StatModel>;
  /** standard points of every device type */
  readonly types: ReadonlyMap<string, readonly { readonly id: string; readonly kind: ValueKind }[]>;
  readonly rules: readonly RuleDocument[];
  /** hash of everything read; changes when anything that matters changed */
  readonly hash: string;
}

export interface Place {
  readonly id: string;
  readonly name: string;
  /** what it is (building, unit, floor, …): statistics are grouped by it */
  readonly kind?: string;
  readonly lat?: number;
  readonly lon?: number;
  /** enclosing place */
  readonly in?: string;
  /** whether its name and position tell of somebody; else it follows from what stands in it (privacy.ts) */
  readonly class?: DataClass;
}

/** Degrees, WGS 84. */
export interface Position {
  readonly lat: number;
  readonly lon: number;
}

/** A name alarms may be sent to, and how. */
export interface Person {
  readonly id: string;
  readonly name?: string;
  /** whoever listens on the local event stream */
  readonly screen?: boolean;
  /** the URL is a secret */
  readonly webhook?: SecretRef;
  readonly feed?: string;
  /** another system on a broker of the site */
  readonly mqtt?: {
    readonly to: string;
    readonly topic: string;
    readonly user?: string;
    readonly password?: SecretRef;
  };
}

/** Something that is no device but has some: a flat with its meters, a fence with its beams. */
export interface Asset {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly zone?: string;
  readonly tags: readonly string[];
  readonly at?: Position;
  /** what it calls its devices */
  readonly members: Readonly<Record<string, string>>;
  /** as a device's, by its type */
  readonly keepDays?: number;
  readonly lets: Lets;
}

/** Constants of rules, overridden for one device or asset. */
export type Lets = Readonly<Record<string, boolean | number | string>>;

export interface SerialSettings {
  readonly baud: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly dataBits: 7 | 8;
  readonly stopBits: 1 | 2;
}

/** `serial`: a local port. `tcp`: a transparent RS-485 server (frames as on the wire). `modbus_tcp`: Modbus TCP with MBAP header. */
export type LineChannel = {
  readonly id: string;
  readonly name?: string;
  /** how long a reply may take, from the last byte sent to the first received */
  readonly timeoutMs: number;
  /** silence kept before each request, at least the 3.5 characters of the line's speed */
  readonly gapMs: number;
} & (
  | { readonly carries: 'serial'; readonly path: string; readonly line: SerialSettings }
  | { readonly carries: 'tcp'; readonly host: string; readonly port: number; readonly line: SerialSettings }
  | { readonly carries: 'modbus_tcp'; readonly host: string; readonly port: number }
);

/** Devices connect to us. */
export interface ListenChannel {
  readonly id: string;
  readonly name?: string;
  readonly carries: 'listen';
  readonly host: string;
  readonly port: number;
}

/** A broker of the estate, shared by all devices that speak through it. */
export interface BrokerChannel {
  readonly id: string;
  readonly name?: string;
  readonly carries: 'mqtt';
  /** mqtt:// or mqtts:// */
  readonly to: string;
  readonly version: 3 | 5;
  readonly client?: string;
  readonly user?: string;
  readonly password?: SecretRef;
  readonly ca?: SecretRef;
  readonly cert?: SecretRef;
  readonly key?: SecretRef;
}

/** Other systems send requests to us; TLS when both secrets are there. */
export interface HttpChannel {
  readonly id: string;
  readonly name?: string;
  readonly carries: 'http';
  readonly host: string;
  readonly port: number;
  readonly cert?: SecretRef;
  readonly key?: SecretRef;
}

export type ChannelModel = LineChannel | ListenChannel | BrokerChannel | HttpChannel;

/** Devices on it are asked, one after the other. */
export const isLine = (channel: ChannelModel): channel is LineChannel => 'timeoutMs' in channel;

export interface PointModel {
  readonly id: string;
  readonly name?: string;
  readonly kind: ValueKind;
  /** UCUM code; absent for bool, string and plain numbers */
  readonly unit?: string;
  readonly class: DataClass;
  /** smallest change worth an event; 0 = every change */
  readonly deadband: number;
  /** longest silence of an unchanged point */
  readonly heartbeatMs: number;
  readonly staleAfterMs: number;
  /** told only when it happens (a button, a beam): silence means nothing, and what comes late still counts */
  readonly event?: boolean;
  /** a counter begins anew here */
  readonly rollover?: number;
  /** how often it is read, when less often than its device; of a device that speaks by itself, how often it comes */
  readonly pollMs?: number;
  /** days after which what is stored of it is erased; none = its feeds' and the journal's own retention */
  readonly keepDays?: number;
  /** from the unit the technician wrote to the standard unit of the device's type: `unit` and `deadband` are already the latter's */
  readonly convert?: { readonly scale: number; readonly offset: number };
}

export interface DeviceModel {
  readonly id: string;
  readonly name?: string;
  readonly driver: string;
  readonly channel?: string;
  readonly pollMs: number;
  readonly type?: string;
  readonly tags: readonly string[];
  readonly zone?: string;
  /** where it stands, when not just somewhere in its place */
  readonly at?: Position;
  readonly lets?: Lets;
  readonly points: readonly PointModel[];
  /** days after which everything stored of it is erased, its own or its type's; wins over any other retention */
  readonly keepDays?: number;
  /** the profile it is built from */
  readonly profile?: ProfileUse;
  /** the device's own section as its driver's schema parsed it */
  readonly config: unknown;
  /** level of the technical alarm when no data comes */
  readonly noData: 'blue' | 'yellow' | 'orange' | 'red';
  /** hash of this section and of the channel: equal hash = nothing to restart */
  readonly hash: string;
}

export interface SecretRef {
  readonly file?: string;
  readonly env?: string;
}

/** How a feed's members are said; `cloudevents` is the stream itself, the others are copies with less in them. */
export const CODECS = ['cloudevents', 'alink', 'thingsboard'] as const;
export type CodecName = (typeof CODECS)[number];

/** A point's name on a platform, and what it is there when not what it is here; false = not told. */
export type PointName = false | { readonly name: string; readonly as?: 'float' | 'int' | 'bool' | 'text' };

/** A device, or all of a type, as a platform calls it; what is left out keeps its id. */
export interface ThingNames {
  readonly product?: string;
  readonly name?: string;
  readonly points?: Readonly<Record<string, PointName>>;
}

export interface AlinkOptions {
  /** the gateway's own product key and device name */
  readonly product: string;
  readonly device: string;
  /** the device's secret it signs in with; without it, user and password as given */
  readonly secret?: SecretRef;
  /** product key of devices whose `things` give none */
  readonly subProduct?: string;
  /** identifier of the alarm event in the product's model */
  readonly event: string;
  readonly version: string;
}

export interface FeedModel {
  readonly id: string;
  /** mqtt:// or mqtts://, https:// or http:// */
  readonly to: string;
  readonly codec?: CodecName;
  readonly alink?: AlinkOptions;
  readonly things?: Readonly<Record<string, ThingNames>>;
  /** HTTP: members in one POST at most */
  readonly batch?: number;
  /** HTTP: bearer token; ThingsBoard: access token */
  readonly token?: SecretRef;
  readonly user?: string;
  readonly password?: SecretRef;
  readonly ca?: SecretRef;
  readonly cert?: SecretRef;
  readonly key?: SecretRef;
  readonly client?: string;
  readonly mqtt: 3 | 5;
  readonly ack: 'broker' | 'app';
  readonly encoding: 'json' | 'json+zstd';
  /** telemetry messages a second while a backlog drains */
  readonly rate: number;
  /** 0..9, 9 = the last to lose anything when the disk is full */
  readonly priority: number;
  readonly keepMs: number;
  readonly view: ViewSpec;
  /** what its platform may ask of us; nothing when left out */
  readonly commands?: FeedCommands;
  /** what it is for, as the page of its contract says it */
  readonly purpose?: Text;
  /** legal basis, or number of the record of consent */
  readonly basis?: string;
  readonly hash: string;
}

export const STAT_FUNCTIONS = ['mean', 'sum', 'min', 'max', 'share', 'delta', 'count'] as const;
export type StatFunction = (typeof STAT_FUNCTIONS)[number];

/** A statistic: one event for each window and group. */
export interface StatModel {
  readonly id: string;
  readonly name?: string;
  readonly of: StatSources;
  readonly make: readonly StatFunction[];
  /** what a count calls those that are, and those that are not */
  readonly words?: readonly [string, string];
  /** `estate`, `place`, `device`, a kind of place; of alarms `estate`, `rule`, `theme`, `level` */
  readonly by: string;
  /** a part of a day, or whole days */
  readonly everyMs: number;
  /** fewest sources a group is told of */
  readonly atLeast?: number;
}

export type StatSources =
  | {
      readonly kind: 'points';
      readonly point: string;
      readonly type?: readonly string[];
      readonly tag?: readonly string[];
      /** places */
      readonly in?: readonly string[];
      readonly device?: readonly string[];
    }
  | {
      readonly kind: 'alarms';
      readonly level?: readonly string[];
      readonly theme?: readonly string[];
      readonly rule?: readonly string[];
    };

export interface FeedCommands {
  readonly grants: readonly Grant[];
  /** Ed25519 public keys by kid, SPKI DER in base64 */
  readonly signers: Readonly<Record<string, string>>;
  /** how far ahead the expiry of a command may lie */
  readonly maxTtlMs: number;
}

/** One thing a platform may ask. A grant of `write` declares its outputs itself: no rule need write them. */
export interface Grant {
  readonly allow: readonly Verb[];
  /** devices it is about; all when left out */
  readonly devices?: readonly string[];
  readonly point?: string;
  readonly range?: readonly [number, number];
  readonly values?: readonly (boolean | number | string)[];
  /** named times of which one must be open */
  readonly only?: readonly string[];
  readonly rate: { readonly count: number; readonly perMs: number };
  /** whose yes it needs */
  readonly confirm?: string;
  readonly signed: boolean;
  readonly forms?: readonly string[];
}

/** One YAML document of `rules/*.yaml`, as plain data; `rules` gives it meaning. */
export interface RuleDocument {
  readonly file: string;
  readonly doc: number;
  readonly body: { readonly [key: string]: unknown };
}

export type { Path };
