/** Reads and judges a configuration as the daemon would, without touching any device: files, schema, drivers, rules. */
import { fileURLToPath } from 'node:url';
import { drivers } from '../../drivers/index.ts';
import type { SiteModel } from '../base/model.ts';
import type { LocatedProblem } from '../base/problem.ts';
import type { RuleMachine } from '../base/rules.ts';
import { loadConfig, locate } from '../config/index.ts';
import { readSecret, systemFiles } from '../io/files.ts';
import { compileRules } from '../rules/index.ts';

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

/** @param secrets folder that holds `secrets/`, when it is not the configuration's own (a kept copy holds none) */
export async function checkConfig(folder: string, env: Env, secrets: string = folder): Promise<Checked> {
  const loaded = await loadConfig(folder, {
    files: systemFiles(),
    drivers,
    readSecret: (ref) => readSecret(ref, { folder: secrets, env }),
    shipped: fileURLToPath(new URL('../../config', import.meta.url)),
    profiles: (driver) => fileURLToPath(new URL(`../../drivers/${driver}/profiles`, import.meta.url)),
  });
  if (loaded.model === undefined) return { problems: loaded.problems };
  const { machine, problems } = compileRules(loaded.model);
  const all = [...loaded.problems, ...problems.map((problem) => locate(loaded.sources, problem))];
  if (machine === undefined || all.some((p) => p.severity === 'error')) return { problems: all };
  return { problems: all, site: { model: loaded.model, machine } };
}
