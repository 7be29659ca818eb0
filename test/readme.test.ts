/** What the READMEs promise is true: files they name exist, the configuration and the rule they show are good, both languages agree. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../src/app/check.ts';
import { tempSite } from './kit/site.ts';

const ROOT = join(import.meta.dirname, '..');
const READMES = ['README.md', 'README.zh-CN.md'];
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const blocks = (text: string): string[] =>
  [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((m) => (m[1] ?? '').replaceAll(/^ {3}/gm, ''));

describe.each(READMES)('%s', (name) => {
  it('names only what exists', () => {
    const links = [...read(name).matchAll(/\]\(([^)#]+)\)/g)].map((m) => m[1] ?? '');
    const code = [...read(name).matchAll(/`((?:src|scripts|test|config|drivers)\/[\w./-]+)`/g)].map((m) => m[1] ?? '');
    expect([...links, ...code].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(links.length).toBeGreaterThan(3);
  });

  it('shows a configuration and a rule that are good', async () => {
    const [site = '', rule = ''] = blocks(read(name));
    const { config } = tempSite({ 'weinao.yaml': site.replace('/var/lib/weinao', 'DATA'), 'rules/first.yaml': rule });
    const { problems } = await checkConfig(config, {});
    expect(problems).toEqual([]);
  });
});

describe('both READMEs', () => {
  it('show the same commands and the same code', () => {
    const [en = [], zh = []] = READMES.map((name) => blocks(read(name)));
    expect(zh).toEqual(en);
    const commands = READMES.map((name) => [...new Set(read(name).match(/scripts\/weinao [a-z]+/g))].sort());
    expect(commands[0]).toEqual(commands[1]);
  });
});

describe('CONTRIBUTING.md', () => {
  it('names only what exists', () => {
    const code = [...read('CONTRIBUTING.md').matchAll(/`((?:src|scripts|test|config)\/[\w./-]+\w)`/g)].map(
      (m) => m[1] ?? '',
    );
    expect(code.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
