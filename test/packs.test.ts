/** Every shipped rule pack: its own tests pass, it speaks both languages, and it works when it is copied into a configuration. */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../src/app/check.ts';
import { testRules } from '../src/app/rules.ts';
import { tempSite } from './kit/site.ts';

const PACKS = join(import.meta.dirname, '../config/packs');

const packs = readdirSync(PACKS, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

describe.each(packs)('pack %s', (pack) => {
  it('passes its tests, and each rule has some', async () => {
    const { results, problems } = await testRules(join(PACKS, pack), {});
    expect(problems.filter((p) => p.severity === 'error')).toEqual([]);
    expect(results.flatMap((r) => r.faults.map((f) => `${r.of} ${r.name}: ${f.en}`))).toEqual([]);
    const rules = readFileSync(join(PACKS, pack, 'rules.yaml'), 'utf8').match(/^(rule|control|point): .*/gm) ?? [];
    const tested = new Set(results.map((r) => r.of));
    expect(tested.size).toBeGreaterThanOrEqual(Math.min(rules.length, 1));
    expect(results.length).toBeGreaterThanOrEqual(rules.length - 1);
  });

  it('tells the duty room in Chinese and in English what it does', () => {
    const text = readFileSync(join(PACKS, pack, 'README.md'), 'utf8');
    const headings = text.split('\n').filter((l) => l.startsWith('# '));
    expect(headings.length).toBe(2);
    expect(headings[0]).toMatch(/[\u4e00-\u9fff]/);
    expect(headings[1]).not.toMatch(/[\u4e00-\u9fff]/);
    for (const word of ['值班室', 'Duty room', 'weinao rules check']) expect(text).toContain(word);
  });

  it('works when its folder is copied into rules/', async () => {
    const example = readFileSync(join(PACKS, pack, 'example.yaml'), 'utf8').replace('/tmp/weinao-pack', 'DATA');
    const site = tempSite({ 'weinao.yaml': example, 'secrets/voice_robot': 'http://robot.local/\n' });
    mkdirSync(join(site.config, 'rules'));
    cpSync(join(PACKS, pack), join(site.config, 'rules', pack), { recursive: true });
    const { site: checked, problems } = await checkConfig(site.config, {});
    expect(problems).toEqual([]);
    expect(checked?.model.rules.length).toBeGreaterThan(0);
  });
});
