/** The registry of errors: what is thrown is listed, what is listed is thrown, and each says what happened and what to do, in both languages. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@babel/parser';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../src/base/errors/index.ts';
import { ERRORS } from '../src/base/errors/index.ts';
import { exitCode } from '../src/base/exit.ts';

const ROOT = join(import.meta.dirname, '..');

function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).flatMap((entry) => {
    const path = `${folder}/${entry}`;
    if (statSync(join(ROOT, path)).isDirectory()) return files(path);
    return path.endsWith('.ts') && !path.endsWith('.test.ts') ? [path] : [];
  });
}

/** Every string literal of the sources outside the registry that has the form of a code. */
function codesUsed(): Map<string, string> {
  const used = new Map<string, string>();
  for (const file of [...files('src'), ...files('drivers')]) {
    if (file.startsWith('src/base/errors/') || file === 'src/base/exit.ts') continue;
    const tree = parse(readFileSync(join(ROOT, file), 'utf8'), {
      sourceType: 'module',
      plugins: ['typescript'],
      tokens: true,
    });
    for (const token of (tree.tokens ?? []) as { type: { label: string }; value?: unknown }[])
      if (token.type.label === 'string' && typeof token.value === 'string') used.set(token.value, file);
  }
  return used;
}

const codes = Object.keys(ERRORS) as ErrorCode[];
const used = codesUsed();

describe('error codes', () => {
  it('are all used', () => {
    expect(codes.filter((code) => !used.has(code))).toEqual([]);
  });

  it('are area.reason, and speak both languages', () => {
    for (const code of codes) {
      expect(code).toMatch(/^[a-z]+\.[a-z_]+$/);
      const { says, next } = ERRORS[code];
      // A problem of the configuration may say in one line what is wrong and what would be right.
      const parts = /^(config|rules)\./.test(code) && next.zh === '' && next.en === '' ? [says] : [says, next];
      for (const text of parts) {
        // A text that is nothing but a parameter brings both languages itself.
        if (/^\{\w+\}$/.test(text.zh)) continue;
        expect(text.zh, code).toMatch(/[\u4e00-\u9fff]/);
        expect(text.en, code).toMatch(/[a-z]/);
        expect(text.en, code).not.toMatch(/[\u4e00-\u9fff]/);
        // The same parameters in both, or one reader is told less.
        const names = (s: string): string[] =>
          [...s.matchAll(/\{(\w+)\}/g)].map((m) => (m[1] ?? '').replace(/_?(zh|en)$/, '')).sort();
        expect(names(text.zh), code).toEqual(names(text.en));
      }
    }
  });

  it('end the command line with a code of the contract', () => {
    for (const code of codes) expect([1, 2, 3, 4, 5, 6, 7, 8], code).toContain(exitCode(code));
  });
});
