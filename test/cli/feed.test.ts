/** `weinao feed show | forget | replay` without a daemon and with arguments that mean nothing: exit code and words, in both languages. */
import { expect, it } from 'vitest';
import { cli } from '../../src/cli/index.ts';
import { tempSite } from '../kit/site.ts';

async function run(args: readonly string[], lang: string) {
  const said = { out: '', err: '' };
  const site = tempSite({ 'weinao.yaml': 'site: {id: s1, name: 测试}\ngateway: {data: DATA}\n' });
  const code = await cli([...args, '--config', site.config, '--lang', lang], {
    env: { LANG: 'C.UTF-8' },
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    isTty: false,
    now: () => '2026-06-01T00:00:00.000Z',
    stdin: async function* () {},
    lines: async function* () {},
    stop: new AbortController().signal,
  });
  return { code, ...said };
}

const REPLAY = ['feed', 'replay', 'street', '--stream', 'a', '--from', '1', '--to', '3'];

it.each([
  [['feed', 'show'], 'zh', 6, '守护进程没有运行'],
  [['feed', 'show', 'street', '--json'], 'en', 6, 'not running'],
  [['feed', 'forget', 'street'], 'zh', 6, '守护进程没有运行'],
  [REPLAY, 'en', 6, 'not running'],
  [['feed', 'forget'], 'zh', 2, '缺少参数'],
  [['feed', 'show', 'a', 'b'], 'zh', 2, '参数太多'],
])('%j in %s', async (args, lang, code, words) => {
  const said = await run(args, lang);
  expect(said).toMatchObject({ code, out: '' });
  expect(said.err).toContain(words);
});
