/**
 * XML of devices, as a small tree read from raw bytes.
 *
 * Bounds: LIMITS below, over any of which the document is refused. A DOCTYPE or any other declaration is refused before anything is read, so that there
 * are no entities but the five of XML and character references. No code point costs more than a constant, whatever stands around it.
 * Text is UTF-8; where the bytes are not, GB18030; where they are not either, U+FFFD stands for what cannot be read.
 * Forgiven are slips that leave no doubt about the structure: attributes without quotes, without value, without a blank between them or of no name, a bare `&`,
 * prefixes nobody declared (then `uri` is undefined). Where the structure itself breaks, and where the bytes end too early, reading ends: what was
 * closed before is good, and `isWhole` is false.
 * It throws WeinaoError xml.* and nothing else.
 */
import sax from 'sax';
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';

export interface XmlElement {
  /** without prefix */
  readonly name: string;
  /** of the namespace; undefined when the prefix was not declared, '' when there is none */
  readonly uri: string | undefined;
  /** by name without prefix; the first of two */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** its own text, not that of its children */
  readonly text: string;
  /** its end was read */
  readonly isClosed: boolean;
  /** the URI a prefix stands for here; undefined when nobody declared it */
  namespace(prefix: string): string | undefined;
}

export interface XmlDocument {
  readonly root: XmlElement;
  readonly isWhole: boolean;
}

export interface XmlLimits {
  readonly bytes: number;
  readonly depth: number;
  /** elements */
  readonly nodes: number;
  /** of one element */
  readonly attributes: number;
  /** characters of one attribute, and of the text of one element */
  readonly text: number;
}

export const LIMITS: XmlLimits = { bytes: 1024 * 1024, depth: 40, nodes: 20_000, attributes: 64, text: 64 * 1024 };
/** slips forgiven in one document */
const MOST_SLIPS = 100;
/** elements that ended in an attribute without quotes */
const MOST_GHOSTS = 2000;
const UNQUOTED = 'Unquoted attribute value';
const UNEXPECTED_CLOSE = 'Unexpected close tag';
/** what sax calls slips that leave the structure alone */
const FORGIVEN = [
  'Attribute without value',
  'Invalid attribute name',
  'No whitespace between attributes',
  'Invalid character entity',
  'Invalid character in entity name',
  'Malformed comment',
];

/** entities: the five of XML, and no others that sax knows of HTML; what has no quotes is told, as a slip */
const OPTIONS = { strictEntities: true, unquotedAttributeValues: false, position: false };

type Scope = { readonly prefix: string; readonly uri: string; readonly outer: Scope } | undefined;

interface Growing extends XmlElement {
  readonly children: Growing[];
  text: string;
  isClosed: boolean;
  readonly scope: Scope;
  /** it ended in `a=b/>`, of which sax knows no end: it is popped with what stands around it */
  isGhost: boolean;
}

/** Reading ends here, and what was read stands. One for all: making one is what costs. */
const ENOUGH = new Error('enough');
ENOUGH.stack = '';

export function parseXml(bytes: Uint8Array, limits: XmlLimits = LIMITS): XmlDocument {
  if (bytes.length > limits.bytes) throw over(limits.bytes, '字节', 'bytes');
  const text = decodeText(firstPart(bytes));
  refuseDeclarations(text);
  const builder = new Builder(limits);
  try {
    builder.read(text);
  } catch (error) {
    if (isWeinaoError(error)) throw error;
    // Besides ENOUGH: sax stumbles over some names of attributes.
  }
  const { root } = builder;
  if (root === undefined) throw new WeinaoError('xml.broken', { detail: text.trimStart().slice(0, 40) });
  return { root, isWhole: root.isClosed };
}

/** What stands first in a MIME message, as devices with MTOM answer: pictures behind it are no XML. Anything else is what it was. */
function firstPart(bytes: Uint8Array): Uint8Array {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let from = 0;
  while (all[from] === 0x0d || all[from] === 0x0a) from++;
  const line = all.indexOf('\n', from);
  if (line < 0 || !all.subarray(from, line).toString('latin1').startsWith('--')) return bytes;
  const blank = ['\r\n\r\n', '\n\n'].map((end) => all.indexOf(end, line)).filter((at) => at >= 0);
  if (blank.length === 0) return bytes;
  const begin = Math.min(...blank);
  const end = all.indexOf(all.subarray(from, line).toString('latin1').trimEnd(), begin, 'latin1');
  return all.subarray(begin, end < 0 ? undefined : end);
}

/** Device text as text: UTF-8 (UTF-16 where its mark says so), else GB18030, else with U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  // As a stream: bytes that end within a character are no other encoding.
  for (const encoding of encodingsOf(bytes)) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
    } catch {
      // the next one
    }
  }
  return new TextDecoder('utf-8').decode(bytes);
}

function encodingsOf([first, second]: Uint8Array): readonly string[] {
  if (first === 0xff && second === 0xfe) return ['utf-16le'];
  return first === 0xfe && second === 0xff ? ['utf-16be'] : ['utf-8', 'gb18030'];
}

function refuseDeclarations(text: string): void {
  for (let at = text.indexOf('<!'); at >= 0; ) {
    const isComment = text.startsWith('<!--', at);
    if (!isComment && !text.startsWith('<![CDATA[', at)) throw new WeinaoError('xml.declaration');
    const end = text.indexOf(isComment ? '-->' : ']]>', at + 4);
    at = end < 0 ? -1 : text.indexOf('<!', end);
  }
}

const over = (limit: number, zh: string, en: string): WeinaoError => new WeinaoError('xml.limit', { limit, zh, en });

class Builder {
  root: Growing | undefined;
  private readonly limits: XmlLimits;
  private readonly open: Growing[] = [];
  private attributes: [string, string][] = [];
  private nodes = 0;
  private slips = 0;
  private ghosts = 0;
  private isUnquoted = false;
  private isEmptyElement = false;

  constructor(limits: XmlLimits) {
    this.limits = limits;
  }

  read(text: string): void {
    const parser = sax.parser(true, OPTIONS);
    parser.onopentagstart = () => {
      this.attributes = [];
    };
    parser.onattribute = ({ name, value }) => this.attribute(name, value);
    parser.onopentag = ({ name }) => this.begin(name);
    parser.onclosetag = () => this.end();
    parser.ontext = (piece) => this.say(piece);
    parser.oncdata = (piece) => this.say(piece);
    parser.onerror = (error) => {
      this.forgive(error);
      parser.resume();
    };
    // What some put before the document says nothing.
    parser.write(text.slice(Math.max(0, text.indexOf('<')))).close();
  }

  private attribute(name: string, value: string): void {
    if (this.attributes.length >= this.limits.attributes) throw over(this.limits.attributes, '属性', 'attributes');
    if (value.length > this.limits.text) throw over(this.limits.text, '字符', 'characters');
    // Without quotes the slash of an empty element looks like the end of the value.
    const isEnd = this.isUnquoted && value.endsWith('/');
    this.isUnquoted = false;
    this.isEmptyElement = isEnd;
    this.attributes.push([name, isEnd ? value.slice(0, -1) : value]);
  }

  private begin(qualified: string): void {
    const { nodes, depth } = this.limits;
    if (++this.nodes > nodes) throw over(nodes, '元素', 'elements');
    if (this.open.length - this.ghosts >= depth) throw over(depth, '层', 'levels');
    const outer = this.open.findLast((element) => !element.isGhost);
    let scope: Scope = outer?.scope;
    const attributes = new Map<string, string>();
    for (const [name, value] of this.attributes) {
      const [prefix, local] = split(name);
      if (name === 'xmlns') scope = { prefix: '', uri: value, outer: scope };
      else if (prefix === 'xmlns') scope = { prefix: local, uri: value, outer: scope };
      else if (!attributes.has(local)) attributes.set(local, value);
    }
    const [prefix, name] = split(qualified);
    const namespace = (asked: string): string | undefined => lookUp(scope, asked);
    const uri = namespace(prefix) ?? (prefix === '' ? '' : undefined);
    const element: Growing = {
      name,
      uri,
      attributes,
      children: [],
      text: '',
      isClosed: false,
      scope,
      isGhost: false,
      namespace,
    };
    if (outer !== undefined) outer.children.push(element);
    this.root ??= element;
    this.open.push(element);
    if (!this.isEmptyElement) return;
    this.isEmptyElement = false;
    if (++this.ghosts > MOST_GHOSTS) throw ENOUGH;
    element.isGhost = true;
    element.isClosed = true;
  }

  private end(): void {
    const element = this.open.pop();
    if (element?.isGhost === true) this.ghosts--;
    if (element !== undefined) element.isClosed = true;
    // Whatever follows the document is none of it.
    if (this.open.length === 0) throw ENOUGH;
  }

  private say(piece: string): void {
    const element = this.open.findLast((one) => !one.isGhost);
    if (element === undefined) return;
    if (element.text.length + piece.length > this.limits.text) throw over(this.limits.text, '字符', 'characters');
    element.text += piece;
  }

  private forgive(error: Error): void {
    const [what = ''] = error.message.split('\n');
    if (what === UNQUOTED) this.isUnquoted = true;
    else if (what === UNEXPECTED_CLOSE && this.open.at(-1)?.isGhost === true) return;
    else if (!FORGIVEN.includes(what) || ++this.slips > MOST_SLIPS) throw ENOUGH;
  }
}

function split(qualified: string): readonly [string, string] {
  const colon = qualified.indexOf(':');
  return colon < 0 ? ['', qualified] : [qualified.slice(0, colon), qualified.slice(colon + 1)];
}

function lookUp(scope: Scope, prefix: string): string | undefined {
  for (let at = scope; at !== undefined; at = at.outer) if (at.prefix === prefix) return at.uri;
  return undefined;
}

/** The first child of that name. */
export const childOf = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((child) => child.name === name);

export const childrenOf = (element: XmlElement | undefined, name: string): readonly XmlElement[] =>
  element?.children.filter((child) => child.name === name) ?? [];

/** Trimmed text of the first child of that name. */
export const textOf = (element: XmlElement | undefined, name: string): string | undefined =>
  childOf(element, name)?.text.trim();

/** The first element of that name anywhere below, itself included. */
export function findIn(element: XmlElement | undefined, name: string): XmlElement | undefined {
  if (element === undefined || element.name === name) return element;
  for (const child of element.children) {
    const found = findIn(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
