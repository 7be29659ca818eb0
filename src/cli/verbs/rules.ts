/** `weinao rules check|test|replay|explain`. */
import { checkConfig, needSite } from '../../app/check.ts';
import { findClient } from '../../app/client.ts';
import { type Raise, type Replayed, replayRules, testRules } from '../../app/rules.ts';
import { EXIT } from '../../base/exit.ts';
import type { Lang } from '../../base/text.ts';
import { caret, showProblem } from '../../config/index.ts';
import { period } from '../moment.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';
import { describe, local, oneAlarm } from './alarms.ts';

/** Every problem of the rules, with the line it stands in. */
export async function rulesCheck({ world, lang, config, json }: Call): Promise<number> {
  const { site, problems, text } = await checkConfig(config, world.env);
  const mine = problems.filter((p) => p.file.startsWith('rules/') || p.severity === 'error');
  if (json) {
    const told = mine.map((p) => ({ ...p, zh: showProblem(p, 'zh'), en: showProblem(p, 'en') }));
    world.out(`${JSON.stringify({ schema: 1, ok: site !== undefined, problems: told })}\n`);
  } else {
    for (const problem of mine) world.out(`${showProblem(problem, lang)}\n${caret(problem, text(problem.file))}`);
    const errors = mine.filter((p) => p.severity === 'error').length;
    const rules = site?.model.rules.length ?? 0;
    if (errors > 0) world.err(lang === 'zh' ? `${errors} 个错误\n` : `${errors} errors\n`);
    else world.out(lang === 'zh' ? `规则正确：${rules} 个文档\n` : `ok: ${rules} documents\n`);
  }
  return site === undefined ? EXIT.invalidConfig : EXIT.ok;
}

/** The tests written beside the rules, of the configuration or of a pack's folder. */
export async function rulesTest({ world, lang, config, json }: Call, folder: string | undefined): Promise<number> {
  const { problems, results } = await testRules(folder ?? config, world.env);
  const errors = problems.filter((p) => p.severity === 'error');
  for (const problem of errors) world.err(`${showProblem(problem, lang)}\n`);
  const failed = results.filter((r) => !r.ok);
  if (json)
    world.out(
      `${JSON.stringify({ schema: 1, passed: results.length - failed.length, failed: failed.length, results })}\n`,
    );
  else {
    for (const { file, line, of, name, ok, faults } of results) {
      world.out(`${ok ? 'ok  ' : 'FAIL'}  ${of}  ${name}${ok ? '' : `  ${file}:${line}`}\n`);
      for (const fault of faults) world.out(`      ${fault[lang]}\n`);
    }
    const [good, bad] = [results.length - failed.length, failed.length];
    world.out(lang === 'zh' ? `通过 ${good}，失败 ${bad}\n` : `${good} passed, ${bad} failed\n`);
  }
  if (errors.length > 0) return EXIT.invalidConfig;
  return failed.length === 0 ? EXIT.ok : EXIT.faults;
}

export interface ReplayOptions {
  readonly from: string;
  readonly to?: string;
  readonly rule?: string;
}

/** Stored history through the rules as they are written now, beside what was really raised. */
export async function rulesReplay({ world, lang, config, json }: Call, options: ReplayOptions): Promise<number> {
  const site = await needSite(config, world.env);
  const now = Date.parse(world.now());
  const { from, to } = period(options, now);
  const replayed = replayRules(site.model, from, to, options.rule);
  world.out(json ? `${JSON.stringify({ schema: 1, ...replayed })}\n` : replayScreen(replayed, lang));
  return EXIT.ok;
}

/** Which inputs, when, made an alarm so; and how they stand now. */
export async function rulesExplain(call: Call, aid: string): Promise<number> {
  const { world, lang, config, json } = call;
  const alarm = await oneAlarm(call, aid);
  const client = await findClient(config, world.env);
  const look = (await client.call('GET', `/v1/look?rule=${encodeURIComponent(alarm.key)}`)).json as {
    instances: readonly { inputs: readonly { name: string; value: unknown; quality: string; ts: number }[] }[];
  };
  if (json) {
    world.out(`${JSON.stringify({ schema: 1, alarm, now: look.instances[0]?.inputs ?? [] })}\n`);
    return EXIT.ok;
  }
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en);
  world.out(table(describe(alarm, lang)));
  const { why } = alarm;
  if (why === undefined) {
    world.out(
      say('这条报警由网关自身产生，没有规则输入\n', 'this alarm is about the gateway itself; no rule made it\n'),
    );
    return EXIT.ok;
  }
  world.out(
    say(
      `\n条件自 ${local(new Date(why.since).toISOString())} 起成立，报警时：\n`,
      `\nthe condition held since ${local(new Date(why.since).toISOString())}; at the raise:\n`,
    ),
  );
  const now = new Map((look.instances[0]?.inputs ?? []).map((i) => [i.name, i]));
  const head = [
    say('输入', 'input'),
    say('当时', 'then'),
    say('质量', 'quality'),
    say('时间', 'time'),
    say('现在', 'now'),
  ];
  const rows = why.inputs.map((i) => [
    i.name,
    show(i.value),
    i.quality,
    local(new Date(i.ts).toISOString()),
    show(now.get(i.name)?.value),
  ]);
  world.out(table([head, ...rows]));
  return EXIT.ok;
}

const show = (value: unknown): string =>
  value === null || value === undefined
    ? '—'
    : typeof value === 'number'
      ? String(Math.round(value * 1000) / 1000)
      : String(value);

function replayScreen({ from, to, samples, both, only_now, only_then }: Replayed, lang: Lang): string {
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en);
  const list = (label: string, raises: readonly Raise[]): string =>
    `${label}: ${raises.length}\n${table(raises.slice(0, 50).map((r) => ['  ', local(r.at), r.level, r.key, r.name]))}`;
  return (
    `${local(from)} .. ${local(to)}  ${say('样本', 'samples')} ${samples}\n` +
    list(say('两次都有', 'then and now'), both) +
    list(say('只有现在的规则会报', 'only these rules'), only_now) +
    list(say('只有当时报过', 'only then'), only_then)
  );
}
