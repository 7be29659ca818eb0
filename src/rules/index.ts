/** Rules: documents in, a pure machine out. It imports nothing but base and the expression library. */
import type { CompileRules } from '../base/rules.ts';
import { compileInstances, rulesetHash } from './compile.ts';
import { createMachine } from './machine.ts';

export const compileRules: CompileRules = (site) => {
  const { instances, problems } = compileInstances(site);
  if (problems.some((p) => p.severity === 'error')) return { machine: undefined, problems };
  return { machine: createMachine(site, instances, rulesetHash(site)), problems };
};
