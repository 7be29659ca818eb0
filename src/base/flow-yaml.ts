/** A value as YAML on one line, as the configuration's examples are written: `{driver: modbus, address: 5}`. */

export function flowYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowYaml).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, inner]) => `${key}: ${flowYaml(inner)}`)
      .join(', ')}}`;
  return typeof value === 'string' ? scalar(value) : String(value);
}

/** Quoted when it could be read as anything but this text. */
function scalar(text: string): string {
  const plain = [...text].every((c, i) => isWordly(c) || (i > 0 && ' .-/'.includes(c))) && !text.endsWith(' ');
  const first = text[0] ?? '';
  const isPlain = plain && text !== '' && (first < '0' || first > '9') && !WORDS.includes(text.toLowerCase());
  return isPlain || isDuration(text) ? text : JSON.stringify(text);
}

const WORDS = ['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'nan'];
const isWordly = (c: string): boolean =>
  (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c === '_';
/** `15m`: digits and a unit are no number to YAML */
const isDuration = (text: string): boolean =>
  'smhd'.includes(text.at(-1) ?? '-') && text.length > 1 && [...text.slice(0, -1)].every((c) => c >= '0' && c <= '9');
