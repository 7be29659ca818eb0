/**
 * XML as a camera reads and writes it. Written apart from the client's parser on purpose: what one misunderstands, the other must not hide.
 * The reader takes what a conforming client sends (namespaces, the five entities, CDATA) and refuses the rest.
 */

export interface Element {
  readonly local: string;
  /** '' when the prefix is not declared */
  readonly ns: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  readonly text: string;
  /** as it stood in the document */
  readonly prefix: string;
}

interface Open {
  readonly name: string;
  readonly scope: ReadonlyMap<string, string>;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
}

const DEEPEST = 40;
const LONGEST = 256 * 1024;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** @returns the root, or undefined when this is no document a camera would take */
export function readXml(text: string): Element | undefined {
  if (text.length > LONGEST) return undefined;
  const stack: Open[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    if (text[at] !== '<') {
      const end = text.indexOf('<', at);
      const upTo = end < 0 ? text.length : end;
      const top = stack.at(-1);
      if (top !== undefined) top.text += unescapeXml(text.slice(at, upTo));
      at = upTo;
      continue;
    }
    if (text.startsWith('<!--', at)) at = after(text, '-->', at);
    else if (text.startsWith('<?', at)) at = after(text, '?>', at);
    else if (text.startsWith('<![CDATA[', at)) {
      const end = text.indexOf(']]>', at);
      const top = stack.at(-1);
      if (end < 0 || top === undefined) return undefined;
      top.text += text.slice(at + '<![CDATA['.length, end);
      at = end + 3;
    } else if (text.startsWith('<!', at)) return undefined;
    else {
      const end = closing(text, at);
      if (end < 0) return undefined;
      const tag = text.slice(at + 1, end);
      at = end + 1;
      const root = tag.startsWith('/') ? leave(stack, tag.slice(1).trim()) : enter(stack, tag);
      if (root === false) return undefined;
      if (root !== undefined) return root;
    }
    if (at < 0 || stack.length > DEEPEST) return undefined;
  }
  return undefined;
}

const after = (text: string, what: string, from: number): number => {
  const found = text.indexOf(what, from);
  return found < 0 ? -1 : found + what.length;
};

/** where a tag ends: `>` in an attribute's value does not end it */
function closing(text: string, from: number): number {
  let quote = '';
  for (let i = from; i < text.length; i++) {
    const c = text[i] ?? '';
    if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === '>') return i;
  }
  return -1;
}

/** undefined: go on; false: not well formed; an element: the root is complete */
function enter(stack: Open[], tag: string): Element | false | undefined {
  const isEmpty = tag.endsWith('/');
  const body = isEmpty ? tag.slice(0, -1) : tag;
  const blank = [...body].findIndex((c) => c === ' ' || c === '\n' || c === '\t' || c === '\r');
  const name = blank < 0 ? body : body.slice(0, blank);
  const attributes = blank < 0 ? new Map<string, string>() : readAttributes(body.slice(blank));
  if (attributes === undefined || name === '') return false;
  const scope = new Map(stack.at(-1)?.scope);
  for (const [key, value] of attributes)
    if (key === 'xmlns') scope.set('', value);
    else if (key.startsWith('xmlns:')) scope.set(key.slice('xmlns:'.length), value);
  stack.push({ name, scope, attributes, children: [], text: '' });
  return isEmpty ? leave(stack, name) : undefined;
}

function leave(stack: Open[], name: string): Element | false | undefined {
  const open = stack.pop();
  if (open === undefined || open.name !== name) return false;
  const colon = name.indexOf(':');
  const prefix = colon < 0 ? '' : name.slice(0, colon);
  const { scope, attributes, children, text } = open;
  const done = { local: name.slice(colon + 1), prefix, ns: scope.get(prefix) ?? '', attributes, children, text };
  const above = stack.at(-1);
  if (above === undefined) return done;
  above.children.push(done);
  return undefined;
}

function readAttributes(text: string): Map<string, string> | undefined {
  const found = new Map<string, string>();
  let rest = text.trim();
  while (rest !== '') {
    const equals = rest.indexOf('=');
    const quote = rest.slice(equals + 1).trimStart()[0];
    const begin = rest.indexOf(quote ?? '"', equals);
    const end = rest.indexOf(quote ?? '"', begin + 1);
    if (equals <= 0 || (quote !== '"' && quote !== "'") || end < 0) return undefined;
    found.set(rest.slice(0, equals).trim(), unescapeXml(rest.slice(begin + 1, end)));
    rest = rest.slice(end + 1).trim();
  }
  return found;
}

function unescapeXml(text: string): string {
  const [first = '', ...parts] = text.split('&');
  const told = parts.map((part) => {
    const end = part.indexOf(';');
    const name = part.slice(0, Math.max(0, end));
    const number = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    if (name.startsWith('#') && number > 0 && number <= 0x10ffff)
      return String.fromCodePoint(number) + part.slice(end + 1);
    const known = ENTITIES[name];
    return known === undefined ? `&${part}` : known + part.slice(end + 1);
  });
  return first + told.join('');
}

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export const child = (element: Element | undefined, local: string): Element | undefined =>
  element?.children.find((c) => c.local === local);

/** the first element of this name, however deep */
export function within(element: Element | undefined, local: string): Element | undefined {
  if (element === undefined || element.local === local) return element;
  for (const c of element.children) {
    const found = within(c, local);
    if (found !== undefined) return found;
  }
  return undefined;
}

export const textOf = (element: Element | undefined): string | undefined => element?.text.trim();
