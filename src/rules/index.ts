/** Rules: documents in, a pure machine out. It imports nothing but base, the expression library and the sun. */
import type { SiteModel } from '../base/model.ts';
import type { CompileRules } from '../base/rules.ts';
import { readDocuments } from './compile/documents.ts';
import { compileSet, rulesetHash } from './compile/index.ts';
import type { FormSpec } from './language/form.ts';
import { createMachine } from './machine/index.ts';

export const compileRules: CompileRules = (site) => {
  const { units, shop, problems } = compileSet(site);
  if (problems.some((p) => p.severity === 'error')) return { machine: undefined, problems };
  return { machine: createMachine(shop, units, rulesetHash(site)), problems };
};

/** The forms of a site without errors. */
export const formsOf = (site: SiteModel): readonly FormSpec[] => [...readDocuments(site, []).forms.values()];

export type { FormSpec } from './language/form.ts';
export { rulesJsonSchema } from './language/json-schema.ts';
export { BUILT_IN } from './machine/no-data.ts';
export { createOpenings } from './openings.ts';
export { SmallGateway } from './trial/gateway.ts';
export { patient } from './trial/patient.ts';
export { runTests, type TestReport, type TestResult } from './trial/run.ts';
