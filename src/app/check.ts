/** Reads and judges a configuration as the daemon would, without touching any device: files, schema, drivers, rules. */
import { driverFaces } from '../../drivers/index.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { SiteModel } from '../base/model.ts';
import type { LocatedProblem } from '../base/problem.ts';
import type { RuleMachine } from '../base/rules.ts';
import { compileStats } from '../engine/stats/index.ts';
import { askChild } from '../io/child.ts';
import { readSecret, systemFiles } from '../io/files.ts';
import { compileRules } from '../rules/index.ts';
import { classlessPoints } from './classless.ts';
import { entryOf, shippedConfig, shippedProfiles } from './shipped.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** A configuration without errors, ready to run. */
export interface CheckedSite {
  readonly model: SiteModel;
  readonly machine: RuleMachine;
}

/** `site` is there if and only if no problem is an error. */
export interface Checked {
  readonly problems: readonly LocatedProblem[];
  readonly site?: CheckedSite;
}

/** What people look at: also the text of each file. */
export interface CheckedHere extends Checked {
  readonly text: (file: string) => string | undefined;
}

/** @param secrets folder that holds `secrets/`, when it is not the configuration's own (a kept copy holds none) */
export async function checkConfig(folder: string, env: Env, secrets: string = folder): Promise<CheckedHere> {
  // Loaded when needed: the daemon has its configuration read by a child, and keeps neither parser nor schemas.
  const { loadConfig, locate } = await import('../config/index.ts');
  const loaded = await loadConfig(folder, {
    files: systemFiles(),
    drivers: await driverFaces(),
    readSecret: (ref) => readSecret(ref, { folder: secrets, env }),
    shipped: shippedConfig(),
    profiles: shippedProfiles,
  });
  const text = (file: string): string | undefined => loaded.sources.get(file)?.text;
  if (loaded.model === undefined) return { problems: loaded.problems, text };
  const { machine, problems } = compileRules(loaded.model);
  const stats = machine === undefined ? [] : compileStats(loaded.model, machine.made).problems;
  const classless = machine === undefined ? [] : classlessPoints(loaded.model, machine.made);
  const all = [
    ...loaded.problems,
    ...[...problems, ...stats, ...classless].map((problem) => locate(loaded.sources, problem)),
  ];
  if (machine === undefined || all.some((p) => p.severity === 'error')) return { problems: all, text };
  return { problems: all, text, site: { model: loaded.model, machine } };
}

/** The site, for who can do nothing without: throws the first error. */
export async function needSite(folder: string, env: Env): Promise<CheckedSite> {
  const { site, problems } = await checkConfig(folder, env);
  if (site !== undefined) return site;
  const first = problems.find((p) => p.severity === 'error');
  throw new WeinaoError(first?.code ?? 'config.invalid', first?.params ?? {});
}

/** What config-child.ts is asked. */
export interface ConfigAsk {
  readonly folder: string;
  readonly env: Env;
  readonly secrets: string;
}

/**
 * The same in a process of its own, for the daemon: parsing thousands of points with their positions takes a hundred megabytes for a moment, and a
 * process that took them once does not give them back.
 */
export async function checkConfigApart(folder: string, env: Env, secrets: string = folder): Promise<Checked> {
  const ask: ConfigAsk = { folder, env: { ...env }, secrets };
  const answer = await askChild(entryOf('config-child'), ask);
  const { problems, model } = answer as { problems: readonly LocatedProblem[]; model?: SiteModel };
  // Rules hold compiled expressions, which no process can hand over; the model was found good, so they compile again.
  const machine = model === undefined ? undefined : compileRules(model).machine;
  return { problems, ...(model === undefined || machine === undefined ? {} : { site: { model, machine } }) };
}
