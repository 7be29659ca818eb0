/**
 * `top`: the words most people used. Words of the estate come first, longest match first; the rest is cut by the runtime's Chinese segmenter,
 * which alone would tear 飞线充电 apart. A word counts once per person and only when `at_least` different people used it, so that no name and
 * no number of one person comes out. Kept are words and a hash of who said them, never the text; at most MOST entries.
 */
import { createHash } from 'node:crypto';
import type { Json } from '../../base/json.ts';
import type { Instant } from '../../base/time.ts';
import type { Mapping, Operator, Sample } from './operator.ts';

const MOST = 5000;
const MOST_WORDS = 40;
const LEAST_LETTERS = 2;
const MOST_LETTERS = 12;

/** What people report about in an estate. */
const ESTATE_WORDS = [
  '飞线充电',
  '电动车上楼',
  '电动自行车',
  '广场舞',
  '高空抛物',
  '消防通道',
  '占用消防通道',
  '乱停车',
  '僵尸车',
  '群租房',
  '违章搭建',
  '装修噪音',
  '楼道堆物',
  '垃圾分类',
  '垃圾清运',
  '宠物粪便',
  '不牵绳',
  '流浪狗',
  '流浪猫',
  '电梯困人',
  '电梯故障',
  '水管爆裂',
  '下水道堵塞',
  '化粪池',
  '停水',
  '停电',
  '漏水',
  '渗水',
  '路灯不亮',
  '井盖',
  '门禁故障',
  '单元门',
  '快递柜',
  '充电桩',
  '外墙脱落',
  '燃气味',
  '陌生人',
  '噪音扰民',
  '油烟',
  '异味',
  '蚊虫',
  '绿化',
] as const;

interface Entry {
  t: number;
  readonly by: string;
  readonly words: readonly string[];
}

export class Top implements Operator {
  closed = 0;
  private entries: Entry[] = [];
  private readonly overMs: number;
  private readonly n: number;
  private readonly atLeast: number;
  private readonly dictionary: readonly string[];
  private readonly segmenter = new Intl.Segmenter('zh', { granularity: 'word' });

  /** @param places names of the site's places: words too */
  constructor(overMs: number, n: number, atLeast: number, places: readonly string[]) {
    this.overMs = overMs;
    this.n = n;
    this.atLeast = atLeast;
    this.dictionary = [...ESTATE_WORDS, ...places]
      .filter((w) => w.length >= LEAST_LETTERS)
      .sort((a, b) => b.length - a.length);
  }

  take({ t, value, by = '' }: Sample, now: Instant): void {
    if (typeof value !== 'string') return;
    this.forget(now.mono);
    const hash = createHash('sha256').update(by).digest('hex').slice(0, 12);
    this.entries.push({ t, by: hash, words: this.wordsOf(value) });
    if (this.entries.length > MOST) this.entries.shift();
    this.closed++;
  }

  read(now: Instant): string {
    this.forget(now.mono);
    const said = new Map<string, Set<string>>();
    for (const { by, words } of this.entries)
      for (const word of words) said.set(word, (said.get(word) ?? new Set()).add(by));
    return [...said]
      .filter(([, people]) => people.size >= this.atLeast)
      .sort(([a, x], [b, y]) => y.size - x.size || (a < b ? -1 : 1))
      .slice(0, this.n)
      .map(([word, people]) => `${word} ${people.size}`)
      .join('、');
  }

  next(): number | undefined {
    const [oldest] = this.entries;
    return oldest === undefined ? undefined : oldest.t + this.overMs + 1;
  }

  ended(): undefined {
    return undefined;
  }

  save({ toWall }: Mapping): Json {
    return this.entries.map(({ t, by, words }) => [toWall(t), by, words]);
  }

  load(saved: Json, { toMono }: Mapping): void {
    this.entries = (saved as [number, string, string[]][]).map(([wall, by, words]) => ({ t: toMono(wall), by, words }));
  }

  shift(ms: number, before: number): void {
    for (const entry of this.entries) if (entry.t < before) entry.t -= ms;
  }

  private forget(mono: number): void {
    while (this.entries[0] !== undefined && this.entries[0].t + this.overMs < mono) this.entries.shift();
  }

  private wordsOf(text: string): string[] {
    const words = new Set<string>();
    let rest = '';
    for (let i = 0; i < text.length && words.size < MOST_WORDS; ) {
      const known = this.dictionary.find((w) => text.startsWith(w, i));
      if (known === undefined) {
        rest += text[i++];
        continue;
      }
      words.add(known);
      rest += ' ';
      i += known.length;
    }
    for (const { segment, isWordLike } of this.segmenter.segment(rest)) {
      if (words.size >= MOST_WORDS) break;
      if (isWordLike === true && isWord(segment)) words.add(segment);
    }
    return [...words];
  }
}

/** Digits make no keyword: they are room numbers and telephones. */
function isWord(text: string): boolean {
  if (text.length < LEAST_LETTERS || text.length > MOST_LETTERS) return false;
  return ![...text].some((c) => c >= '0' && c <= '9');
}
