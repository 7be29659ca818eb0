/** The usual slips of people who write no CEL. */

const WIDE = '（），＞＜＝＆｜！；：“”‘’。';

export function slip(text: string, given: string): { hint_zh: string; hint_en: string } {
  if ([...text].some((c) => WIDE.includes(c)))
    return { hint_zh: '有全角符号，请改为半角', hint_en: 'there are full-width characters; use ASCII ones' };
  const words = text.split(' ');
  if (words.includes('and') || words.includes('or') || words.includes('not'))
    return { hint_zh: '与、或、非写成 && || !', hint_en: 'write && || ! for and, or, not' };
  if (given === '=' || hasLoneEquals(text)) return { hint_zh: '相等写成 ==', hint_en: 'equality is ==' };
  return { hint_zh: '例如 level < 1.5 && pump', hint_en: 'for example level < 1.5 && pump' };
}

function hasLoneEquals(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '=') continue;
    if (text[i + 1] === '=') i++;
    else if (!'<>!='.includes(text[i - 1] ?? ' ')) return true;
  }
  return false;
}
