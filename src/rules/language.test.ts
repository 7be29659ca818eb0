/** What the language says to people who are no programmers. */
import { describe, expect, it } from 'vitest';
import { door, site, tank } from '../../test/kit/hand.ts';
import { compileRules } from './index.ts';

describe('language for technicians', () => {
  const problem = (yaml: string, devices = [tank, door]) => compileRules(site(yaml, devices)).problems[0];
  const rule = (when: string): string => `rule: a\nlevel: blue\neach: {type: home_door}\nwhen: ${when}\n`;
  it.each([
    ['"open and true"', /&& \|\| !/],
    ['"open = true"', /==/],
    ['"（open）"', /full-width/],
    ['"open ＆＆ true"', /full-width/],
  ])('%s gets a hint', (when, hint) => {
    const found = problem(rule(when));
    expect(found?.code).toBe('rules.expression');
    expect(String(found?.params.hint_en)).toMatch(hint);
    expect(found?.range).toBeDefined();
  });

  it('when: !open is a YAML tag', () => {
    const found = problem(rule('!open'));
    expect(found?.code).toBe('rules.empty');
    expect(String(found?.params.hint_zh)).toContain('open == false');
  });

  it.each([
    ['rull: a\nlevel: blue\n', 'rules.no_kind'],
    ['rule: a\nlevel: blue\nwhen: x\nwith: {x: {mox: level, over: 1h}}\n', 'rules.no_function'],
    ['rule: a\nlevel: blue\nwhen: x > 1\nwith: {x: {max: tank.level}}\n', 'rules.no_span'],
    ['rule: a\nlevel: blue\nwhen: x > 1\nwith: {x: {max: tank.level, over: 1ms}}\n', 'rules.bad_span'],
    ['rule: a\nlevel: blue\nwhen: x > 1\nwith: {x: {max: tank.lewel, over: 1h}}\n', 'rules.unknown_name'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\nonly: sometimes\n', 'rules.bad_span_text'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\ndo: [{write: {tank.open: true}}]\n', 'rules.unknown_output'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\ndo: [{write: {tank.level: true}}]\n', 'rules.output_type'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\ndo: [{shout: duty}]\n', 'rules.bad_choice'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\nescalate: {0s: dutty}\n', 'rules.unknown_person'],
    ['rule: a\nlevel: blue\ntogether: {a: door.open}\nwithin: 1s\n', 'rules.few_parts'],
    ['rule: a\nlevel: blue\ntogether: {a: door.open, b: tank.level}\n', 'rules.missing'],
    ['point: eff\nvalue: "1.0"\n', 'rules.bad_point_id'],
    ['point: tank.level\nvalue: "1.0"\n', 'rules.point_taken'],
    ['times: {night: "23:00 .. 05:00"}\n', 'rules.other_time'],
    ['rule: a\nlevel: blue\nwhen: double > 1\nwith: {double: {max: tank.level, over: 1h}}\n', 'rules.reserved'],
    ['form: f\nfields: [{id: a}]\n', 'rules.missing'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 7/2\n', 'rules.whole_division'],
  ])('%s -> %s', (yaml, code) => {
    expect(compileRules(site(yaml, [tank, door])).problems.map((p) => p.code)).toContain(code);
  });

  it('sunrise that fits no place', () => {
    const yaml = 'times: {dark: "sunset .. sunrise"}\n---\nrule: a\nlevel: blue\nwhen: tank.level > 1 && dark\n';
    const odd = { site: { id: 's', name: 's', lat: 22.54, lon: -114.05, timezone: 'Asia/Shanghai' } };
    expect(compileRules(site(yaml, [tank], odd)).problems.map((p) => p.code)).toContain('rules.odd_sun');
    const none = { site: { id: 's', name: 's', timezone: 'Asia/Shanghai' } };
    expect(compileRules(site(yaml, [tank], none)).problems.map((p) => p.code)).toContain('rules.no_sun');
  });

  it('a standard point the device has not is unknown, with a warning', () => {
    const types = new Map([['tank', [{ id: 'people', kind: 'number' as const }]]]);
    const { problems, machine } = compileRules(
      site('rule: a\nlevel: blue\neach: {type: tank}\nwhen: people > 1\n', [tank], { types }),
    );
    expect(machine).toBeDefined();
    expect(problems.map((p) => [p.code, p.severity])).toContainEqual(['rules.point_missing', 'warning']);
  });
});
