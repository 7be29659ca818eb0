/** Every verb of the command line, walked along its own help: in Chinese nothing is only English, and whatever is written wrongly ends with 2. */
import { describe, expect, it } from 'vitest';
import { cli } from '../../src/cli/index.ts';
import { reasonText } from '../../src/cli/reasons.ts';
import { run as runWith } from '../kit/command-line.ts';
import { tempSite } from '../kit/site.ts';

const CHINESE = /[\u4e00-\u9fff]/;
/** three words in a row are a sentence, or the beginning of one */
const ENGLISH = /[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}/;
const NOBODY = '/nowhere/weinao.sock';

const run = (args: readonly string[]) => runWith(args, [], { WEINAO_SOCKET: NOBODY });

async function* nothing(): AsyncGenerator<string> {}

const isEnglish = (line: string): boolean => ENGLISH.test(line) && !CHINESE.test(line);
const english = (text: string): string[] => text.split('\n').filter(isEnglish);

interface Way {
  readonly words: readonly string[];
  readonly below: readonly string[];
  readonly help: string;
}

async function waysFrom(words: readonly string[]): Promise<Way[]> {
  const { code, out } = await run([...words, '--help', '--lang', 'zh']);
  expect({ words, code }).toEqual({ words, code: 0 });
  const listed = out.split('\n命令：\n')[1] ?? '';
  const below = [...listed.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name);
  const ways: Way[] = [{ words, below, help: out }];
  for (const name of below) ways.push(...(await waysFrom([...words, name])));
  return ways;
}

const ways = await waysFrom([]);

describe('every verb', () => {
  it('is found by the help', () => {
    const names = ways.map((way) => way.words.join(' '));
    expect(names).toEqual(expect.arrayContaining(['status', 'feed show', 'alarms ack', 'form submit', 'rules test']));
    expect(names.length).toBeGreaterThan(45);
  });

  it.each(ways.map((way) => [way.words.join(' '), way] as const))(
    '%s: its help is Chinese, and English',
    async (_, way) => {
      expect(english(way.help)).toEqual([]);
      expect(way.help).not.toMatch(/\[options\]|\[command\]|Options:|default:|choices:/);
      const { code, out } = await run([...way.words, '--help', '--lang', 'en']);
      expect({ code, hasChinese: CHINESE.test(out) }).toEqual({ code: 0, hasChinese: false });
    },
  );

  it.each(ways.map((way) => [way.words.join(' '), way] as const))(
    '%s: written wrongly it ends with 2',
    async (_, way) => {
      const many = Array.from({ length: 12 }, () => 'x');
      const wrongs = [['--nonsense'], ['--config'], ...(way.below.length > 0 ? [[], ['nonsense']] : [many])];
      const options = [...way.help.matchAll(/^ {2}(--[a-z]+) <.*>/gm)].map(([, name = '']) => name);
      // The last word of a line: its value is missing.
      for (const name of options) wrongs.push([name]);
      for (const lang of ['zh', 'en'])
        for (const wrong of wrongs) {
          const { code, out, err } = await run(['--lang', lang, ...way.words, ...wrong]);
          const asked = [...way.words, ...wrong].join(' ');
          expect({ asked, code, out }).toEqual({ asked, code: 2, out: '' });
          if (lang === 'zh') expect({ asked, english: english(err) }).toEqual({ asked, english: [] });
          else expect({ asked, hasChinese: CHINESE.test(err) }).toEqual({ asked, hasChinese: false });
        }
    },
  );
});

describe('values that are none', () => {
  it.each([
    [['feed', 'view', 'street', '--last', 'abc'], '1 到 10000 的整数'],
    [['feed', 'view', 'street', '--last', '0'], '1 到 10000 的整数'],
    [['alarms', 'history', '--last', 'abc'], '1 到 10000 的整数'],
    [['feed', 'replay', 'street', '--from', '5', '--to', '3'], '不小于 --from'],
    [['feed', 'replay', 'street', '--from', 'a', '--to', '3'], '不小于 --from'],
    [['feed', 'replay', 'street', '--to', '3'], '必须写明选项 “--from <n>”'],
    [['erase', '--device', 'x'], '必须写明选项 “--reason <text>”'],
    [['alarms', 'shelve', 'abc', 'soon', 'why'], '时长'],
    [['maint', 'on', 'tank', 'soon', 'why'], '时长'],
    [['form', 'submit', 'report', 'text'], '字段=值'],
    [['report', '--from', 'soon'], '不是时间'],
    [['scan', 'pump_room', '--ids', 'a-b'], '不是站号范围'],
  ])('%j', async (args, says) => {
    const { config } = tempSite({ 'weinao.yaml': 'site: {id: s1, name: 测试}\ngateway: {data: DATA}\n' });
    const { code, err } = await run([...args, '--config', config, '--lang', 'zh']);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(says) as string });
    expect(english(err)).toEqual([]);
  });
});

it('a language that is none is said in the one there is', async () => {
  const { code, err } = await run(['feed', 'show', '--lang', 'de']);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('zh en') as string });
});

it('options that all verbs have may stand before the verb, before its group and behind both', async () => {
  const { config } = tempSite({ 'weinao.yaml': 'site: {id: s1, name: 测试}\ngateway: {data: DATA}\n' });
  for (const args of [
    ['--lang', 'zh', '--config', config, 'feed', 'contract', 'nobody'],
    ['feed', '--lang', 'zh', '--config', config, 'contract', 'nobody'],
    ['feed', 'contract', 'nobody', '--lang', 'zh', '--config', config],
  ])
    expect((await run(args)).err).toContain('上报通道 “nobody” 不存在');
  const { out } = await run(['--json', '--config', config, 'profiles', 'list']);
  expect(JSON.parse(out)).toMatchObject({ schema: 1 });
});

it('a result that cannot be written is no result', async () => {
  const world = { env: {}, out: () => {}, isTty: false, now: () => '', stdin: nothing, lines: nothing };
  const { signal: stop } = new AbortController();
  let err = '';
  const say = (text: string): void => {
    err += text;
  };
  const full = { ...world, err: say, stop, flush: () => Promise.resolve('ENOSPC') };
  expect(await cli(['profiles', 'list', '--lang', 'zh'], full)).toBe(1);
  expect(err).toContain('结果写不出去：ENOSPC');
  const broken = { ...world, err: say, stop, onBroken: (listener: (detail: string) => void) => listener('EIO') };
  expect(await cli(['profiles', 'list', '--lang', 'en'], broken)).toBe(1);
  expect(err).toContain('cannot be written: EIO');
});

it('words of the contract are told in Chinese; what nobody translated is told as it is', () => {
  expect(reasonText('out_of_range', 'zh')).toBe('超出允许的值');
  expect(reasonText('out_of_range', 'en')).toBe('out_of_range');
  expect(reasonText('read back 3', 'zh')).toBe('读回 3');
  expect(reasonText('no driver of this device takes pictures', 'zh')).toMatch(CHINESE);
  expect(reasonText('cli.starting', 'en')).toBe('the daemon is starting');
  expect(reasonText('toString', 'zh')).toBe('toString');
});
