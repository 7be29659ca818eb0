/** Configuration: load, check, explain, compare. It knows drivers only through the list it is given. */
export { type Added, type NewDevice, withDevices } from './add.ts';
export { type ConfigDiff, diffModels } from './diff.ts';
export { siteJsonSchema } from './json-schema.ts';
export { type ConfigSources, type LoadDeps, type Loaded, loadConfig, locate } from './load.ts';
export { peekData } from './peek.ts';
export { caret, showProblem } from './show.ts';
