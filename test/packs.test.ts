/** Every shipped rule pack: its own tests pass, it speaks both languages, and it works when it is copied into a configuration. */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkConfig } from '../src/app/check.ts';
import { testRules } from '../src/app/rules.ts';
import { rulesJsonSchema } from '../src/rules/index.ts';
import { tempSite } from './kit/site.ts';

const PACKS = join(import.meta.dirname, '../config/packs');

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly required?: readonly string[];
  readonly items?: Schema;
}
const schema = rulesJsonSchema() as unknown as { anyOf: readonly Schema[] };

/** As much of JSON schema as ours uses. */
function fits(value: unknown, s: Schema): boolean {
  if (s.anyOf !== undefined) return s.anyOf.some((one) => fits(value, one));
  if (s.enum !== undefined) return s.enum.includes(value);
  const types = Array.isArray(value) ? ['array'] : Number.isInteger(value) ? ['number', 'integer'] : [typeof value];
  if (s.type !== undefined && ![s.type].flat().some((type) => types.includes(type))) return false;
  if (typeof value === 'number' && (value < (s.minimum ?? value) || value > (s.maximum ?? value))) return false;
  if (typeof value === 'string') return s.pattern === undefined || new RegExp(s.pattern).test(value);
  if (Array.isArray(value)) return value.every((v) => fits(v, s.items ?? {}));
  if (typeof value !== 'object' || value === null) return true;
  if (!(s.required ?? []).every((key) => key in value)) return false;
  return Object.entries(value).every(([key, v]) => {
    const known = s.properties?.[key] ?? s.additionalProperties;
    return known === undefined ? s.type === undefined || s.properties === undefined : known !== false && fits(v, known);
  });
}

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

  it('is what the schema for editors says', () => {
    for (const document of parseAllDocuments(readFileSync(join(PACKS, pack, 'rules.yaml'), 'utf8')))
      expect(schema.anyOf.some((s) => fits(document.toJS(), s))).toBe(true);
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
