/** Writes SOAP 1.2 answers in the hand of one maker: its prefixes, its order of attributes, its forgotten declarations. */
import { escapeXml } from './xml.ts';

const NAMESPACES: Readonly<Record<string, string>> = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  wsa: 'http://www.w3.org/2005/08/addressing',
  wsnt: 'http://docs.oasis-open.org/wsn/b-2',
  tev: 'http://www.onvif.org/ver10/events/wsdl',
  tds: 'http://www.onvif.org/ver10/device/wsdl',
  trt: 'http://www.onvif.org/ver10/media/wsdl',
  tt: 'http://www.onvif.org/ver10/schema',
  ter: 'http://www.onvif.org/ver10/error',
  tns1: 'http://www.onvif.org/ver10/topics',
  wstop: 'http://docs.oasis-open.org/wsn/t-1',
  'wsrf-rw': 'http://docs.oasis-open.org/wsrf/rw-2',
  xs: 'http://www.w3.org/2001/XMLSchema',
};
/** where makers keep their own topics */
const MAKERS: Readonly<Record<string, string>> = {
  tnshik: 'http://www.hikvision.com/2011/event/topics',
  tnsaxis: 'http://www.axis.com/2009/event/topics',
  tnsajax: 'http://www.ajax.systems/event/topics',
};

export interface Hand {
  /** own prefixes by the usual ones */
  readonly prefixes: Readonly<Record<string, string>>;
  /** Value stands before Name */
  readonly valueFirst: boolean;
}

export interface Writer {
  el(name: string, attributes: Readonly<Record<string, string>>, ...children: readonly string[]): string;
  /** an element of text */
  text(name: string, value: string): string;
  item(name: string, value: string): string;
  envelope(header: string, body: string): string;
}

export function createWriter(hand: Hand, undeclared: readonly string[], unquoted: boolean): Writer {
  const own = (name: string): string => {
    const colon = name.indexOf(':');
    const prefix = name.slice(0, Math.max(0, colon));
    return colon < 0 ? name : `${hand.prefixes[prefix] ?? prefix}${name.slice(colon)}`;
  };
  const attribute = ([name, value]: readonly [string, string]): string =>
    unquoted && !value.includes(' ') && value !== '' ? ` ${name}=${value}` : ` ${name}="${escapeXml(value)}"`;
  const writer: Writer = {
    el: (name, attributes, ...children) =>
      `<${own(name)}${Object.entries(attributes).map(attribute).join('')}>${children.join('')}</${own(name)}>`,
    text: (name, value) => writer.el(name, {}, escapeXml(value)),
    item: (name, value) =>
      writer.el('tt:SimpleItem', hand.valueFirst ? { Value: value, Name: name } : { Name: name, Value: value }),
    envelope: (header, body) => {
      const declared = Object.entries({ ...NAMESPACES, ...MAKERS })
        .filter(([prefix]) => !undeclared.includes(prefix))
        .map(([prefix, uri]) => ` xmlns:${hand.prefixes[prefix] ?? prefix}="${uri}"`);
      const s = hand.prefixes.s ?? 's';
      const inside = `<${s}:Header>${header}</${s}:Header><${s}:Body>${body}</${s}:Body>`;
      return `<?xml version="1.0" encoding="UTF-8"?>\n<${s}:Envelope${declared.join('')}>${inside}</${s}:Envelope>`;
    },
  };
  return writer;
}

/** UTC ms in the camera's way of writing times. */
export function timeText(ms: number, style: string): string {
  const iso = new Date(ms).toISOString();
  const whole = iso.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  const [date = '', clock = ''] = whole.split('T');
  const [year, month, day] = date.split('-');
  const [hour, , second] = clock.split(':');
  const styles: Readonly<Record<string, string>> = {
    fraction: `${whole}.7Z`,
    'no-zone': whole,
    offset: `${new Date(ms + EIGHT_HOURS).toISOString().slice(0, whole.length)}+08:00`,
    shifted: `${new Date(ms + EIGHT_HOURS).toISOString().slice(0, whole.length)}.7`,
    broken: `${date}T${hour}:61:${second}Z`,
    blanks: ` ${date} ${clock} `,
    'day-first': `${day}-${month}-${year}T${clock}`,
    epoch: '1970-01-01T00:00:00Z',
  };
  return styles[style] ?? `${whole}Z`;
}

const EIGHT_HOURS = 8 * 3_600_000;

/** GBK bytes: made by reading all of them, as the platform has a reader and no writer. */
export function gbkBytes(text: string): Uint8Array {
  const reader = new TextDecoder('gbk');
  const wanted = new Set([...text].filter((c) => c > '\u007f'));
  const found = new Map<string, readonly number[]>();
  for (let high = 0x81; high <= 0xfe && wanted.size > 0; high++)
    for (let low = 0x40; low <= 0xfe; low++) {
      const c = reader.decode(Uint8Array.of(high, low));
      if (wanted.delete(c)) found.set(c, [high, low]);
    }
  return Uint8Array.from([...text].flatMap((c) => (c > '\u007f' ? (found.get(c) ?? [0x3f]) : [c.charCodeAt(0)])));
}
