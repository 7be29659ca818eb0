/** The command line without a process: what goes out, what goes to the messages, and the exit code, in both languages. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../kit/command-line.ts';
import { tempSite } from '../kit/site.ts';

const CASES = join(import.meta.dirname, '../../drivers/modbus/cases/frames.ndjson');

const GOOD = 'site: {id: s1, name: 测试}\ngateway: {data: DATA}\n';

describe('usage', () => {
  it.each([
    [['frobnicate'], 'en', "unknown command 'frobnicate'"],
    [['frobnicate'], 'zh', '未知的命令 “frobnicate”'],
    [['chek'], 'zh', '是否想写 check'],
    [['status', '--colour'], 'en', "unknown option '--colour'"],
    [['status', '--colour'], 'zh', '未知的选项 “--colour”'],
    [['feed', 'verify'], 'zh', '缺少参数 “source”'],
    [['demo', '--for', 'soon'], 'zh', '不是时长'],
    [['demo', '--for'], 'zh', '选项 “--for <duration>” 缺少参数'],
    [['status', 'extra'], 'zh', '参数太多'],
    [['feed', 'verify', 'x', '--mqtt', '7'], 'zh', '选项 “--mqtt <version>” 的值 “7” 不对，可选：3, 5'],
    [['probe'], 'en', 'not clear what to read'],
    [['decode', 'modbus-rtu', 'zz'], 'en', 'not hex'],
    [['decode', 'morse', '00'], 'en', 'unknown protocol "morse"'],
  ])('%j in %s', async (args, lang, message) => {
    const { code, out, err } = await run(args, [], { LANG: lang });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    if (lang === 'zh') expect(err).not.toMatch(/error:|Did you mean/);
  });

  it.each([
    ['zh', '用法：', '检查配置'],
    ['en', 'Usage:', 'check the configuration'],
  ])('help in %s', async (lang, title, check) => {
    const { code, out } = await run(['--help', '--lang', lang]);
    expect(code).toBe(0);
    expect(out).toContain(title);
    expect(out).toContain(check);
    for (const verb of ['demo', 'check', 'run', 'reload', 'status', 'watch', 'probe', 'decode', 'feed'])
      expect(out).toMatch(new RegExp(`^ {2}${verb}\\b`, 'm'));
  });

  it('help of a verb has nothing English in Chinese', async () => {
    const { out } = await run(['feed', 'verify', '--help', '--lang', 'zh']);
    expect(out).toContain('（可选 3 5，默认 5）');
    expect(out).not.toMatch(/choices|default|display help/);
  });

  it('speaks the language of the locale', async () => {
    expect((await run(['--help'], [], { LANG: 'zh_CN.UTF-8' })).out).toContain('用法：');
    expect((await run(['--help'], [], { LANG: 'zh_CN.UTF-8', LC_ALL: 'C' })).out).toContain('Usage:');
  });
});

describe('check', () => {
  it('says ok, or every problem at once with exit code 4', async () => {
    const good = tempSite({ 'weinao.yaml': GOOD });
    expect(await run(['check', '--config', good.config, '--lang', 'zh'])).toMatchObject({ code: 0, err: '' });
    const bad = tempSite({ 'weinao.yaml': `${GOOD}gatway: 1\nfeds: 2\n` });
    const { code, out } = await run(['check', '--config', bad.config, '--json']);
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ schema: 1, ok: false, problems: [{ line: 3 }, { line: 4 }] });
  });

  it('says where it looked when there is nothing', async () => {
    const { code, out } = await run(['check', '--config', '/nowhere/at/all', '--lang', 'en']);
    expect(code).toBe(4);
    expect(out).toContain('/nowhere/at/all');
  });
});

describe('verbs that need the daemon', () => {
  it.each([['status'], ['reload'], ['watch']])('%s says that none runs: exit code 6', async (verb) => {
    const { config } = tempSite({ 'weinao.yaml': GOOD });
    const { code, err } = await run([verb, '--config', config, '--lang', 'zh']);
    expect(code).toBe(6);
    expect(err).toContain('守护进程没有运行');
    expect(err).toContain('systemctl start weinao');
  });
});

describe('decode', () => {
  it('explains a frame to a technician', async () => {
    const frame = ['decode', 'modbus-rtu', '01', '04', '04', '01', '1D', '02', '7F', '2A', 'FE'];
    const { code, out } = await run([...frame, '--lang', 'zh']);
    expect(code).toBe(0);
    expect(out).toMatch(/站号: 1\n功能码: 4\n/);
    expect(JSON.parse((await run([...frame, '--json'])).out)).toMatchObject({ schema: 1, outcome: 'values', slave: 1 });
  });

  it('answers every line of NDJSON with one line, in order', async () => {
    const lines = readFileSync(CASES, 'utf8').trim().split('\n');
    const { code, out } = await run(['decode', '--ndjson'], [...lines, 'nonsense', '']);
    expect(code).toBe(0);
    const answers = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(answers.map((a) => a.id)).toEqual([...lines.map((l) => (JSON.parse(l) as { id: string }).id), undefined]);
    for (const [i, line] of lines.entries()) {
      const { expected } = JSON.parse(line) as { expected: Record<string, unknown> };
      expect(answers[i]?.outcome).toBe(expected.outcome);
    }
  });
});

describe('feed verify', () => {
  it('finds nothing wrong with nothing, and faults in nonsense: exit code 7', async () => {
    expect((await run(['feed', 'verify', '-', '--json'], [])).code).toBe(0);
    const { code, out } = await run(['feed', 'verify', '-', '--json'], ['nonsense']);
    expect(code).toBe(7);
    expect(JSON.parse(out)).toMatchObject({ schema: 1, unreadable: 1 });
  });
});
