/** Devices added to a configuration file as a person would: lines put before its first device, everything else as it was, comments and all. */
import { isMap, isScalar, parseDocument } from 'yaml';
import { flowYaml } from '../base/flow-yaml.ts';

export interface NewDevice {
  /** made different from those that are there */
  readonly id: string;
  readonly section: Readonly<Record<string, unknown>>;
}

export interface Added {
  readonly text: string;
  /** the ids as they were written */
  readonly ids: readonly string[];
}

/** Undefined when the file is no YAML, or its devices stand in braces on one line: then a person must decide where to write. */
export function withDevices(text: string, devices: readonly NewDevice[]): Added | undefined {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  const section = document.contents.items.find((pair) => isScalar(pair.key) && pair.key.value === 'devices');
  const taken = new Set<string>();
  if (section !== undefined && isMap(section.value))
    for (const { key } of section.value.items) if (isScalar(key)) taken.add(String(key.value));
  const ids = devices.map(({ id }) => unused(id, taken));
  const lines = (indent: string): string =>
    devices.map(({ section: keys }, i) => `${indent}${ids[i]}: ${flowYaml(keys)}\n`).join('');
  if (section === undefined)
    return { text: `${text.endsWith('\n') || text === '' ? text : `${text}\n`}devices:\n${lines('  ')}`, ids };
  if (!isMap(section.value) || section.value.flow === true) return undefined;
  const first = section.value.items[0]?.key;
  const at = isScalar(first) ? first.range?.[0] : undefined;
  if (at === undefined) return undefined;
  const begin = text.lastIndexOf('\n', at - 1) + 1;
  return { text: text.slice(0, begin) + lines(text.slice(begin, at)) + text.slice(begin), ids };
}

function unused(id: string, taken: Set<string>): string {
  let name = id;
  for (let n = 2; taken.has(name); n++) name = `${id}_${n}`;
  taken.add(name);
  return name;
}
