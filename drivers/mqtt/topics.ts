/** Topics as the MQTT standard has them (3.1.1 and 5, section 4.7), and placeholders that a device fills in. */
const MOST = 256;

/** `zigbee2mqtt/{address}` with the device's words; `missing` = a placeholder nothing was given for. */
export function filled(
  template: string,
  words: Readonly<Record<string, string>>,
): { readonly topic: string } | { readonly missing: string } {
  let topic = '';
  let at = 0;
  for (;;) {
    const open = template.indexOf('{', at);
    const close = template.indexOf('}', open);
    if (open < 0 || close < 0) return { topic: topic + template.slice(at) };
    const name = template.slice(open + 1, close);
    if (!Object.hasOwn(words, name)) return { missing: name };
    topic += template.slice(at, open) + (words[name] ?? '');
    at = close + 1;
  }
}

/** May be subscribed. */
export function isFilter(topic: string): boolean {
  const levels = topic.split('/');
  return (
    isTopicText(topic) &&
    levels.every((level, i) =>
      level === '#' ? i === levels.length - 1 : level === '+' || !(level.includes('+') || level.includes('#')),
    )
  );
}

/** May be published to. */
export const isTopic = (topic: string): boolean => isTopicText(topic) && !topic.includes('+') && !topic.includes('#');

const isTopicText = (topic: string): boolean => topic !== '' && topic.length <= MOST && !topic.includes('\u0000');

export const isPattern = (filter: string): boolean => filter.includes('+') || filter.endsWith('#');

/** Topics that begin with $ belong to the broker: wildcards at the beginning do not mean them. */
export function covers(filter: readonly string[], topic: readonly string[]): boolean {
  if (topic[0]?.startsWith('$') === true && (filter[0] === '+' || filter[0] === '#')) return false;
  for (const [i, level] of filter.entries()) {
    if (level === '#') return true;
    if (i >= topic.length || (level !== '+' && level !== topic[i])) return false;
  }
  return filter.length === topic.length;
}
