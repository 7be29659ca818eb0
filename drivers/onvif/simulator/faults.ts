/**
 * Everything a camera can do wrong, as switches that may be changed while it runs. Each stands in the quirk table of the reference (section 3) or in
 * its list for simulators (section 7); a persona is a set of these and some data.
 */

/** How a time is written. `shifted` is local time without a zone, `broken` has 61 minutes. */
export const TIME_STYLES = [
  'z',
  'fraction',
  'no-zone',
  'offset',
  'shifted',
  'broken',
  'blanks',
  'day-first',
  'epoch',
] as const;
export type TimeStyle = (typeof TIME_STYLES)[number];

/** Where an address in an answer points. `own` is right; `bare` has no scheme; `doubled` has its port twice. */
export const ADDRESS_STYLES = [
  'own',
  'inner-host',
  'loopback',
  'main-port',
  'wrong-port',
  'doubled',
  'no-host',
  'bare',
  'empty',
  'urn',
  'none',
] as const;
export type AddressStyle = (typeof ADDRESS_STYLES)[number];

/** What happens to an answer on its way. */
export const TRANSPORT_FAULTS = [
  'refused',
  'closed-before-header',
  'closed-in-body',
  'closed-after-10s',
  'hang',
  'drip',
  'huge',
  'deep',
  'doctype',
  'chunked',
  'short-length',
  'long-length',
  'html-401',
  'html-503',
  'tls-bytes',
] as const;
export type TransportFault = (typeof TRANSPORT_FAULTS)[number];

export interface CameraFaults {
  /** the camera's clock minus the true time, ms */
  skewMs: number;
  /** GetSystemDateAndTime demands credentials */
  timeNeedsAuth: boolean;
  /** what GetSystemDateAndTime tells; nothing of it: the client has only the HTTP Date */
  timeTold: 'utc' | 'local' | 'none';
  time: TimeStyle;
  /** HTTP status of an answer that refuses credentials */
  refusedAs: 400 | 401 | 200;
  /** HTTP status of every other SOAP fault; 0 = as SOAP 1.2 says */
  faultsAs: 0 | 200 | 500;
  /** with an empty reason and InvalidArgs instead of the true subcode */
  vagueFaults: boolean;
  serviceAddress: AddressStyle;
  subscriptionAddress: AddressStyle;
  /** Address stands in the answer without its SubscriptionReference */
  bareReference: boolean;
  /** both times of a subscription are 1970 */
  epochTimes: boolean;
  /** asks for wsa:To equal to the subscription's address, and for wsa:Action */
  wantsAddressing: boolean;
  /** a pull comes back at once when nothing waits */
  instantEmpty: boolean;
  /** after so many messages of one subscription nothing comes any more */
  silentAfter: number;
  /** states that end are not told */
  noFalse: boolean;
  /** an end is told as a notification with an empty Message */
  emptyEnd: boolean;
  /** an end is told as a second true */
  secondTrue: boolean;
  /** each message so many times */
  copies: number;
  /** Initialized messages tell what was before the last change */
  staleInitial: boolean;
  noInitial: boolean;
  /** messages have no Data */
  noData: boolean;
  /** a pull comes back empty after so many ms at the latest */
  pullEndsAfterMs: number;
  noSlots: 'refuse' | 'kick-oldest';
  renew: 'ok' | 'fault';
  syncPoint: 'dump' | 'nothing' | 'refused';
  /** one Unsubscribe ends every subscription */
  unsubscribeEndsAll: boolean;
  /** these operations answer ActionNotSupported */
  unsupported: readonly string[];
  /** two SOAP calls at once make it restart */
  restartsOnParallel: boolean;
  transport: TransportFault | undefined;
  /** which operations the transport fault hits; empty = all. `GET` is the snapshot */
  transportOn: readonly string[];
  encoding: 'utf-8' | 'gbk';
  /** prefixes that are used and not declared */
  undeclared: readonly string[];
  /** attributes of GetEventProperties stand without quotes */
  unquoted: boolean;
  snapshot: 'jpeg' | 'empty' | 'html' | 'redirect' | 'rtsp-uri' | 'cloud-uri' | 'password-uri' | 'huge' | 'cut';
  snapshotAuth: 'none' | 'digest' | 'basic';
  discovery: 'one' | 'none' | 'several' | 'several-addresses' | 'ipv6' | 'bad-url' | 'unrelated' | 'twice';
}

/** A camera that does everything as the standard says. */
export const faultless = (): CameraFaults => ({
  skewMs: 0,
  timeNeedsAuth: false,
  timeTold: 'utc',
  time: 'z',
  refusedAs: 401,
  faultsAs: 0,
  vagueFaults: false,
  serviceAddress: 'own',
  subscriptionAddress: 'own',
  bareReference: false,
  epochTimes: false,
  wantsAddressing: false,
  instantEmpty: false,
  silentAfter: Number.POSITIVE_INFINITY,
  noFalse: false,
  emptyEnd: false,
  secondTrue: false,
  copies: 1,
  staleInitial: false,
  noInitial: false,
  noData: false,
  pullEndsAfterMs: Number.POSITIVE_INFINITY,
  noSlots: 'refuse',
  renew: 'ok',
  syncPoint: 'dump',
  unsubscribeEndsAll: false,
  unsupported: [],
  restartsOnParallel: false,
  transport: undefined,
  transportOn: [],
  encoding: 'utf-8',
  undeclared: [],
  unquoted: false,
  snapshot: 'jpeg',
  snapshotAuth: 'digest',
  discovery: 'one',
});
