/**
 * What a camera answers, read out of its XML (Core 25.12, WS-BaseNotification 1.3, SOAP 1.2 and 1.1).
 *
 * Elements are known by their local names, because makers forget to declare prefixes; only in topics a namespace decides. Every value stays the text it
 * was. Of a document that broke off, the messages that came whole are read. Bounds: those of kit/xml.ts, MOST_MESSAGES, and ELEMENT_TEXT for what
 * is kept of an ElementItem.
 */
import { childOf, childrenOf, parseXml, textOf, type XmlElement } from '../../src/kit/xml.ts';
import { readTime, type TimeFlag } from './times.ts';

export const ONVIF_TOPICS = 'http://www.onvif.org/ver10/topics';
export const MOST_MESSAGES = 500;
const ELEMENT_TEXT = 1024;

export interface Notification {
  /** prefixes as `convention`: ONVIF's namespace is tns1, a maker's stays as written */
  readonly topic: string;
  /** PropertyOperation; null for a plain event */
  readonly operation: string | null;
  /** the camera's claim, ISO 8601 */
  readonly utcTime: string | null;
  readonly utcTimeFlag: TimeFlag;
  readonly source: Readonly<Record<string, string>>;
  readonly key: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
  /** makers' prefixes of the topic and what they stand for; null when nobody declared them */
  readonly vendorNs?: Readonly<Record<string, string | null>>;
  /** `section.name` of its ElementItems */
  readonly elementItems?: readonly string[];
  /** attributes found within them, by `section.name`; bounded, for readings that come no other way */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** its Message says nothing */
  readonly isEmpty: boolean;
}

export interface Fault {
  /** local name */
  readonly code: string;
  /** local names, outermost first */
  readonly subcodes: readonly string[];
  readonly reason: string;
}

export interface Batch {
  readonly type: 'pull' | 'notify';
  readonly currentTime: string | null;
  readonly terminationTime: string | null;
  readonly messages: readonly Notification[];
}

export type Answer =
  | (Batch & { readonly isWhole: boolean })
  | { readonly type: 'fault'; readonly fault: Fault; readonly detail: XmlElement | undefined }
  /** any other answer, by its element in the body */
  | { readonly type: 'other'; readonly body: XmlElement; readonly isWhole: boolean };

/** Undefined when it is XML, but no answer of a camera. Throws WeinaoError xml.*. */
export function readAnswer(bytes: Uint8Array): Answer | undefined {
  const { root, isWhole } = parseXml(bytes);
  const body = childOf(root, 'Body') ?? (root.name === 'Envelope' ? undefined : root);
  const fault = body?.name === 'Fault' ? body : childOf(body, 'Fault');
  if (fault !== undefined)
    return { type: 'fault', fault: readFault(fault), detail: childOf(fault, 'Detail') ?? childOf(fault, 'detail') };
  const [first] = root.name === 'Body' || body !== root ? (body?.children ?? []) : [root];
  if (first === undefined || !ANSWERS.some((end) => first.name.endsWith(end))) return undefined;
  if (first.name === 'PullMessagesResponse')
    return {
      type: 'pull',
      currentTime: readTime(textOf(first, 'CurrentTime')).time,
      terminationTime: readTime(textOf(first, 'TerminationTime')).time,
      messages: messagesOf(first),
      isWhole,
    };
  if (first.name === 'Notify')
    return { type: 'notify', currentTime: null, terminationTime: null, messages: messagesOf(first), isWhole };
  return { type: 'other', body: first, isWhole };
}

const ANSWERS = ['Response', 'Notify'];

const messagesOf = (element: XmlElement): Notification[] =>
  childrenOf(element, 'NotificationMessage')
    .filter((message) => message.isClosed)
    .slice(0, MOST_MESSAGES)
    .flatMap((message) => readNotification(message) ?? []);

/** Undefined when it has no topic. */
function readNotification(element: XmlElement): Notification | undefined {
  const topicElement = childOf(element, 'Topic');
  if (topicElement === undefined) return undefined;
  const { topic, vendorNs } = readTopic(topicElement);
  if (topic === '') return undefined;
  const outer = childOf(element, 'Message');
  // Some leave one of the two out.
  const message = childOf(outer, 'Message') ?? outer;
  const { time, flag } = readTime(message?.attributes.get('UtcTime'));
  const sections = SECTIONS.map((name) => childOf(message, name));
  const elements = new Map(
    sections.flatMap((section, i) =>
      childrenOf(section, 'ElementItem').map((item) => [
        `${SECTIONS[i]?.toLowerCase()}.${item.attributes.get('Name') ?? ''}`,
        attributesWithin(item),
      ]),
    ) as [string, ReadonlyMap<string, string>][],
  );
  const [source = {}, key = {}, data = {}] = sections.map(simpleItems);
  return {
    topic,
    operation: message?.attributes.get('PropertyOperation') ?? null,
    utcTime: time,
    utcTimeFlag: flag,
    source,
    key,
    data,
    ...(vendorNs === undefined ? {} : { vendorNs }),
    ...(elements.size === 0 ? {} : { elementItems: [...elements.keys()] }),
    elements,
    isEmpty: sections.every((section) => section === undefined),
  };
}

const SECTIONS = ['Source', 'Key', 'Data'] as const;

const simpleItems = (section: XmlElement | undefined): Record<string, string> =>
  Object.fromEntries(
    childrenOf(section, 'SimpleItem').map((item) => [
      item.attributes.get('Name') ?? '',
      item.attributes.get('Value') ?? item.text.trim(),
    ]),
  );

function attributesWithin(item: XmlElement): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let length = 0;
  const visit = (element: XmlElement): void => {
    for (const [name, value] of element === item ? [] : element.attributes) {
      length += name.length + value.length;
      if (length <= ELEMENT_TEXT && !found.has(name)) found.set(name, value);
    }
    element.children.forEach(visit);
  };
  visit(item);
  return found;
}

/** Trimmed, with prefixes resolved where the topic stands, repeated ONVIF prefixes dropped, and what makers hang behind it removed. */
function readTopic(element: XmlElement): { topic: string; vendorNs?: Record<string, string | null> } {
  let text = element.text.trim();
  while (text.endsWith('/') || text.endsWith('.')) text = text.slice(0, -1).trimEnd();
  const vendors = new Map<string, string | null>();
  const segments = text.split('/').map((segment, i) => {
    const colon = segment.indexOf(':');
    if (colon < 0) return i === 0 && isOnvif(element.namespace('') ?? '') ? `tns1:${segment}` : segment;
    const prefix = segment.slice(0, colon);
    const uri = element.namespace(prefix);
    // A prefix nobody declared is ONVIF's where it has the usual name of that.
    if (uri === undefined ? prefix === 'tns1' : isOnvif(uri))
      return i === 0 ? `tns1:${segment.slice(colon + 1)}` : segment.slice(colon + 1);
    vendors.set(prefix, uri ?? null);
    return segment;
  });
  const topic = segments.join('/');
  return vendors.size === 0 ? { topic } : { topic, vendorNs: Object.fromEntries(vendors) };
}

const isOnvif = (uri: string): boolean => {
  const trimmed = uri.trim();
  return trimmed === ONVIF_TOPICS || trimmed === `${ONVIF_TOPICS}/`;
};

function readFault(fault: XmlElement): Fault {
  const code = childOf(fault, 'Code');
  const reason = childOf(fault, 'Reason');
  // SOAP 1.1 says it otherwise.
  if (code === undefined)
    return { code: local(textOf(fault, 'faultcode')), subcodes: [], reason: textOf(fault, 'faultstring') ?? '' };
  const subcodes: string[] = [];
  for (let at = childOf(code, 'Subcode'); at !== undefined; at = childOf(at, 'Subcode')) {
    const value = local(textOf(at, 'Value'));
    if (value !== '') subcodes.push(value);
  }
  return {
    code: local(textOf(code, 'Value')),
    subcodes,
    reason: textOf(reason, 'Text') ?? reason?.text.trim() ?? '',
  };
}

const local = (name: string | undefined): string => name?.slice(name.indexOf(':') + 1) ?? '';
