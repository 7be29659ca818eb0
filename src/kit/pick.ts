/**
 * Paths into JSON that somebody else sent: `payload.temperature`, `rxInfo[0].rssi`. Names and indexes only; nothing is evaluated and nothing is
 * searched. Only an object's own keys are found, whatever their names, so `__proto__` is a word like any other.
 *
 * Bounds: MOST_STEPS steps of a path; a payload of MOST_BYTES, nested MOST_DEPTH deep, in valid UTF-8.
 */
const MOST_STEPS = 16;
const MOST_NAME = 64;
const MOST_INDEX = 9999;
export const MOST_BYTES = 64 * 1024;
const MOST_DEPTH = 32;

export type Path = readonly (string | number)[];

/** Undefined when the text is no path. */
export function parsePath(text: string): Path | undefined {
  const steps: (string | number)[] = [];
  for (const part of text.split('.')) {
    const [name = '', ...indexes] = part.split('[');
    if (name === '' ? steps.length > 0 || indexes.length === 0 : name.length > MOST_NAME || name.includes(']'))
      return undefined;
    if (name !== '') steps.push(name);
    for (const index of indexes) {
      const n = index.endsWith(']') && index.length > 1 && index.length < 6 ? Number(index.slice(0, -1)) : Number.NaN;
      if (!Number.isInteger(n) || n < 0 || n > MOST_INDEX) return undefined;
      steps.push(n);
    }
  }
  return steps.length > MOST_STEPS ? undefined : steps;
}

/** Undefined when there is nothing. */
export function pick(root: unknown, path: Path): unknown {
  let at = root;
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    if (typeof step === 'number') {
      if (!Array.isArray(at)) return undefined;
      at = at[step];
    } else {
      if (Array.isArray(at) || !Object.hasOwn(at, step)) return undefined;
      at = (at as Record<string, unknown>)[step];
    }
  }
  return at;
}

/** What a payload says, or why it says nothing; the reasons are counted under these words. */
export type Read<T> = { readonly value: T } | { readonly refused: 'too_big' | 'not_utf8' | 'too_deep' | 'not_json' };

export function readText(bytes: Uint8Array): Read<string> {
  if (bytes.length > MOST_BYTES) return { refused: 'too_big' };
  try {
    return { value: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { refused: 'not_utf8' };
  }
}

export function readJson(bytes: Uint8Array): Read<unknown> {
  const text = readText(bytes);
  if ('refused' in text) return text;
  if (isDeep(text.value)) return { refused: 'too_deep' };
  try {
    return { value: JSON.parse(text.value) as unknown };
  } catch {
    return { refused: 'not_json' };
  }
}

function isDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) inString = false;
    } else if (c === QUOTE) inString = true;
    else if (c === BRACKET || c === BRACE) {
      if (++depth > MOST_DEPTH) return true;
    } else if (c === BRACKET + 2 || c === BRACE + 2) depth--;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;
