/** Questions to cameras as SOAP 1.2 text (Core 25.12 sections 5 and 9; WS-Addressing 1.0). */
import type { XmlElement } from '../../src/kit/xml.ts';

const WSDL = 'http://www.onvif.org';
const EVENTS = `${WSDL}/ver10/events/wsdl`;
const BASE = 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager';
const NAMESPACES =
  'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing"' +
  ` xmlns:tds="${WSDL}/ver10/device/wsdl" xmlns:trt="${WSDL}/ver10/media/wsdl" xmlns:tt="${WSDL}/ver10/schema"` +
  ` xmlns:tev="${EVENTS}" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"`;

export interface Question {
  readonly action: string;
  readonly body: string;
  /** event calls: some cameras refuse them without addressing headers */
  readonly to?: string;
  /** reference parameters as XML, to be given back unchanged */
  readonly references?: string;
}

const seconds = (ms: number): string => `PT${Math.max(1, Math.round(ms / 1000))}S`;
const device = (name: string, inner = ''): Question => ({
  action: `${WSDL}/ver10/device/wsdl/${name}`,
  body: inner === '' ? `<tds:${name}/>` : `<tds:${name}>${inner}</tds:${name}>`,
});
const media = (name: string, inner = ''): Question => ({
  action: `${WSDL}/ver10/media/wsdl/${name}`,
  body: `<trt:${name}>${inner}</trt:${name}>`,
});

export const QUESTIONS = {
  time: device('GetSystemDateAndTime'),
  capabilities: device('GetCapabilities', '<tds:Category>All</tds:Category>'),
  services: device('GetServices', '<tds:IncludeCapability>false</tds:IncludeCapability>'),
  information: device('GetDeviceInformation'),
  profiles: media('GetProfiles'),
} as const;

export const snapshotUriQuestion = (profile: string): Question =>
  media('GetSnapshotUri', `<trt:ProfileToken>${escapeXml(profile)}</trt:ProfileToken>`);

/** @param end a duration in ms, or the camera's own time at which it ends */
export const createQuestion = (to: string, end: number | Date): Question => ({
  action: `${EVENTS}/EventPortType/CreatePullPointSubscriptionRequest`,
  to,
  body: `<tev:CreatePullPointSubscription><tev:InitialTerminationTime>${
    typeof end === 'number' ? minutes(end) : `${end.toISOString().slice(0, 19)}Z`
  }</tev:InitialTerminationTime></tev:CreatePullPointSubscription>`,
});

const minutes = (ms: number): string => `PT${Math.round(ms / 60_000)}M`;

/** Where a subscription is asked. */
export interface Reference {
  /** as the camera gave it */
  readonly to: string;
  readonly references: string;
}

export const pullQuestion = (at: Reference, timeoutMs: number, messages: number): Question => ({
  action: `${EVENTS}/PullPointSubscription/PullMessagesRequest`,
  ...at,
  body: `<tev:PullMessages><tev:Timeout>${seconds(timeoutMs)}</tev:Timeout><tev:MessageLimit>${messages}</tev:MessageLimit></tev:PullMessages>`,
});

export const syncQuestion = (at: Reference): Question => ({
  action: `${EVENTS}/PullPointSubscription/SetSynchronizationPointRequest`,
  ...at,
  body: '<tev:SetSynchronizationPoint/>',
});

export const renewQuestion = (at: Reference, lifeMs: number): Question => ({
  action: `${BASE}/RenewRequest`,
  ...at,
  body: `<wsnt:Renew><wsnt:TerminationTime>${minutes(lifeMs)}</wsnt:TerminationTime></wsnt:Renew>`,
});

export const unsubscribeQuestion = (at: Reference): Question => ({
  action: `${BASE}/UnsubscribeRequest`,
  ...at,
  body: '<wsnt:Unsubscribe/>',
});

/** @param id of the message, a UUID */
export function envelope({ action, body, to, references = '' }: Question, security: string, id: string): string {
  const addressing =
    to === undefined
      ? ''
      : `<wsa:Action s:mustUnderstand="1">${action}</wsa:Action><wsa:MessageID>urn:uuid:${id}</wsa:MessageID>` +
        '<wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></wsa:ReplyTo>' +
        `<wsa:To s:mustUnderstand="1">${escapeXml(to)}</wsa:To>${references}`;
  const header = `${addressing}${security}`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope ${NAMESPACES}>` +
    `${header === '' ? '' : `<s:Header>${header}</s:Header>`}<s:Body>${body}</s:Body></s:Envelope>`
  );
}

export const contentType = (action: string): string => `application/soap+xml; charset=utf-8; action="${action}"`;

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const MOST_REFERENCES = 4096;

/** The children of ReferenceParameters, each with its namespace written out; '' when they are more than anybody needs. */
export function referencesOf(parameters: XmlElement | undefined): string {
  const text = (parameters?.children ?? []).map(write).join('');
  return text.length > MOST_REFERENCES ? '' : text;
}

function write(element: XmlElement): string {
  const attributes = [...element.attributes].map(([name, value]) => ` ${name}="${escapeXml(value)}"`).join('');
  const inner = escapeXml(element.text) + element.children.map(write).join('');
  const { name, uri = '' } = element;
  if (uri === '') return `<${name}${attributes}>${inner}</${name}>`;
  return `<r:${name} xmlns:r="${escapeXml(uri)}"${attributes}>${inner}</r:${name}>`;
}
