/** Runs the tests of a rule set on virtual time. */
import { renderAlarmText } from '../../base/alarm-text.ts';
import { createCalendar } from '../../base/calendar.ts';
import type { SiteModel } from '../../base/model.ts';
import type { Problem } from '../../base/problem.ts';
import type { Reading, Value } from '../../base/reading.ts';
import type { RuleMachine } from '../../base/rules.ts';
import { formatDuration, type Instant } from '../../base/time.ts';
import { compileSet, rulesetHash } from '../compile/index.ts';
import type { Unit } from '../compile/units.ts';
import { complainer, Fields } from '../language/fields.ts';
import { createMachine } from '../machine/index.ts';
import {
  type Case,
  type Expected,
  type ExpectedDeed,
  type ExpectedEdge,
  type Fed,
  isEdge,
  readCases,
  sayExpected,
} from './case.ts';
import { type Happened, SmallGateway } from './gateway.ts';
import { patient } from './patient.ts';

const NOON = { year: 2026, month: 6, day: 1 };
const STALE_POLLS = 3;

export interface TestResult {
  readonly file: string;
  readonly doc: number;
  /** rule, point, control or form */
  readonly of: string;
  readonly name: string;
  readonly ok: boolean;
  /** what was expected and did not come, or came and was not expected */
  readonly faults: readonly { readonly zh: string; readonly en: string }[];
}

export interface TestReport {
  readonly results: readonly TestResult[];
  readonly problems: readonly Problem[];
}

/** A rule set that runs; tests of one pace share it, for a machine keeps no state. */
interface Stage {
  readonly units: readonly Unit[];
  readonly machine: RuleMachine;
}

export function runTests(site: SiteModel): TestReport {
  const problems: Problem[] = [...compileSet(site).problems];
  const results: TestResult[] = [];
  const stages = new Map<number, Stage>();
  // Values are read every `poll` of the test: that is how long they may be silent.
  const stageFor = (pollMs: number): Stage => {
    const known = stages.get(pollMs);
    if (known !== undefined) return known;
    const { units, shop } = compileSet(patient(site, () => STALE_POLLS * pollMs));
    const stage = { units, machine: createMachine(shop, units, rulesetHash(site)) };
    stages.set(pollMs, stage);
    return stage;
  };
  for (const document of site.rules) {
    if (document.body.tests === undefined) continue;
    const fields = new Fields(document.body, [], complainer(document, problems));
    const of = String(document.body.rule ?? document.body.point ?? document.body.control ?? document.body.form ?? '');
    for (const one of readCases(fields)) {
      const isWrong = problems.some((p) => p.severity === 'error');
      const faults = isWrong ? [] : runCase(one, of, site, stageFor(one.pollMs));
      results.push({ file: document.file, doc: document.doc, of, name: one.name, ok: faults.length === 0, faults });
    }
  }
  return { results, problems };
}

function runCase(one: Case, of: string, site: SiteModel, { units, machine }: Stage): TestResult['faults'] {
  const mine = units.filter((u) => u.spec.id === of);
  const unit = one.on === undefined ? mine[0] : mine.find((u) => u.id === one.on);
  if (unit === undefined) {
    const name = one.on === undefined ? '' : ` ${one.on}`;
    return [{ zh: `没有实例${name}`, en: `no instance${name}` }];
  }
  const begin = beginOf(one, site);
  if (begin === undefined) return [{ zh: `“${one.at}” 不是时间`, en: `"${one.at}" is no time` }];
  return new CaseRun(one, unit, machine, begin).faults();
}

function beginOf(one: Case, site: SiteModel): number | undefined {
  const calendar = createCalendar(site.site.timezone);
  if (one.at === undefined) return calendar.at(NOON, 720);
  const [date = '', time = '0:00'] = one.at.split(' ');
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const wall = calendar.at({ year, month, day }, hour * 60 + minute);
  return Number.isFinite(wall) && year > 2000 ? wall : undefined;
}

class CaseRun {
  private readonly one: Case;
  private readonly unit: Unit;
  private readonly begin: number;
  private readonly gateway: SmallGateway;
  private readonly values: { at: number; value: Value | undefined }[] = [];

  constructor(one: Case, unit: Unit, machine: RuleMachine, begin: number) {
    this.one = one;
    this.unit = unit;
    this.begin = begin;
    this.gateway = new SmallGateway(machine, this.at(0));
    this.run();
  }

  faults(): TestResult['faults'] {
    const { one, unit, gateway } = this;
    const mine = gateway.happened.filter((h) => h.alarm.key === unit.key);
    const edges = mine.filter((h) => h.transition === 'raised' || h.transition === 'cleared');
    const wanted = one.expect.filter(isEdge);
    const faults: { zh: string; en: string }[] = [];
    for (let i = 0; i < Math.max(edges.length, wanted.length); i++) {
      const [came, expected] = [edges[i], wanted[i]];
      if (came !== undefined && expected !== undefined && this.fits(came, expected)) continue;
      const said = came === undefined ? '—' : this.sayEdge(came);
      const asked = expected === undefined ? '—' : sayExpected(expected);
      faults.push({ zh: `应为 ${asked}，实际 ${said}`, en: `expected ${asked}, came ${said}` });
    }
    for (const expected of one.expect) {
      if (isEdge(expected) || this.isDone(expected)) continue;
      const asked = sayExpected(expected);
      const said = this.sayDone(expected);
      faults.push({ zh: `没有发生 ${asked}（实际 ${said}）`, en: `${asked} did not happen (came ${said})` });
    }
    for (const answer of gateway.answers)
      if (!answer.ok) faults.push({ zh: `被拒绝：${answer.code}`, en: `refused: ${answer.code}` });
    return faults;
  }

  private at(mono: number): Instant {
    return { wall: this.begin + mono, mono, synced: true };
  }

  private run(): void {
    const { one, gateway } = this;
    const moments = this.moments();
    let off: number | undefined;
    for (const t of moments) {
      if (off !== undefined && t < off) continue;
      off = undefined;
      gateway.tick(t, (mono) => this.at(mono));
      const restart = one.restarts.find((r) => r.at === t);
      if (restart !== undefined) {
        off = t + restart.downMs;
        gateway.restart(this.at(t), this.at(off));
        if (restart.downMs > 0) continue;
      }
      this.feed(t);
      this.act(t);
      gateway.tick(t, (mono) => this.at(mono));
      if (this.unit.kind === 'point')
        this.values.push({
          at: t,
          value: gateway.made.get(`${this.unit.owner}.${this.unit.model.id}`)?.value ?? undefined,
        });
    }
  }

  private moments(): number[] {
    const { one } = this;
    const times = new Set<number>();
    for (let t = 0; t <= one.untilMs; t += one.pollMs) times.add(t);
    for (const f of one.feed) for (const s of f.steps) times.add(s.at);
    for (const r of one.restarts) times.add(r.at).add(r.at + r.downMs);
    for (const a of [...one.acts, ...one.entered, ...one.expect]) times.add(a.at);
    return [...times].filter((t) => t <= one.untilMs).sort((a, b) => a - b);
  }

  private feed(t: number): void {
    const now = this.at(t);
    const readings: Reading[] = [];
    for (const fed of this.one.feed) {
      const first = fed.steps[0];
      if (first === undefined || t < first.at) continue;
      const value = valueAt(fed, t);
      const dot = fed.point.indexOf('.');
      readings.push({
        device: dot < 0 ? (this.unit.device ?? '') : fed.point.slice(0, dot),
        point: fed.point.slice(dot + 1),
        value: value ?? null,
        quality: value === undefined ? 'bad' : 'good',
        ...(value === undefined ? { why: 'timeout' as const } : {}),
        ts: now.wall,
        at: now,
      });
    }
    this.gateway.input({ kind: 'readings', readings }, now);
  }

  private act(t: number): void {
    const now = this.at(t);
    const aid = this.unit.key;
    for (const act of this.one.acts) {
      if (act.at !== t) continue;
      if (act.do === 'shelve')
        this.gateway.input({ kind: 'shelve', aid, by: 'test', reason: 'test', forMs: 3_600_000 }, now);
      else this.gateway.input({ kind: act.do, aid, by: 'test' }, now);
    }
    for (const { at, form, by, confirmed, fields } of this.one.entered) {
      if (at !== t) continue;
      this.gateway.input({ kind: 'form', form, fields, by }, now);
      const answer = this.gateway.answers.at(-1);
      if (confirmed !== undefined && answer?.ok === true)
        this.gateway.input({ kind: 'confirm', id: answer.id ?? '', by: confirmed }, now);
    }
  }

  private isNear(came: number, at: number): boolean {
    return Math.abs(came - at) <= this.one.pollMs;
  }

  private fits({ transition, at, alarm }: Happened, expected: ExpectedEdge): boolean {
    if (expected.kind !== (transition === 'raised' ? 'raise' : 'clear') || !this.isNear(at, expected.at)) return false;
    if (expected.level !== undefined && expected.level !== alarm.level) return false;
    return expected.text === undefined || renderAlarmText(alarm).includes(expected.text);
  }

  private isDone(expected: ExpectedDeed): boolean {
    if (expected.kind === 'value')
      return this.values.some((v) => this.isNear(v.at, expected.at) && v.value === expected.is);
    return this.gateway.acts.some(({ at, act: { step } }) => {
      if (!this.isNear(at, expected.at)) return false;
      if (expected.kind === 'tell') return step.do === 'tell' && step.to === expected.to;
      return step.do === 'write' && `${step.device}.${step.point}` === expected.to && step.value === expected.value;
    });
  }

  private sayEdge({ transition, at, alarm }: Happened): string {
    return `${transition === 'raised' ? 'raise' : 'clear'} ${formatDuration(Math.round(at))} ${alarm.level} ${renderAlarmText(alarm)}`;
  }

  private sayDone(expected: Expected): string {
    if (expected.kind === 'value') {
      const near = this.values.filter((v) => this.isNear(v.at, expected.at)).map((v) => String(v.value));
      return near.join(' ') || '—';
    }
    const all = this.gateway.acts.map(({ at, act: { step } }) => {
      const what =
        step.do === 'tell'
          ? `tell ${step.to}`
          : step.do === 'write'
            ? `write ${step.device}.${step.point} = ${String(step.value)}`
            : step.do;
      return `${formatDuration(Math.round(at))} ${what}`;
    });
    return all.slice(0, 6).join(', ') || '—';
  }
}

/** Straight lines between two numbers, steps otherwise. */
function valueAt({ steps }: Fed, t: number): Value | undefined {
  const i = steps.findLastIndex((s) => s.at <= t);
  const [from, to] = [steps[i], steps[i + 1]];
  if (to?.isLine === true && typeof from?.value === 'number' && typeof to.value === 'number')
    return from.value + ((to.value - from.value) * (t - from.at)) / (to.at - from.at);
  return from?.value;
}
