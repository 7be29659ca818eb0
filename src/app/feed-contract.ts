/** `weinao feed contract`: the contract of one feed, as the configuration is now. */
import { join } from 'node:path';
import { blockYaml } from '../base/block-yaml.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { FeedModel, SiteModel } from '../base/model.ts';
import { hints, nearest } from '../base/suggest.ts';
import { writeAtomic } from '../io/files.ts';
import { ensureFolder } from '../io/process.ts';
import { type Env, needSite } from './check.ts';
import { contractOf, type FeedContract } from './contract/index.ts';
import { resolveView } from './views.ts';

/** Throws config.unknown_ref, and what is wrong with the configuration. */
export async function feedContract(configFolder: string, env: Env, name: string): Promise<FeedContract> {
  const { model, machine } = await needSite(configFolder, env);
  const feed = feedNamed(model, name);
  return contractOf(feed, resolveView(feed, model, machine.made), model, machine.made);
}

/** Throws config.unknown_ref. */
export function feedNamed(model: SiteModel, name: string): FeedModel {
  const feed = model.feeds.get(name);
  if (feed !== undefined) return feed;
  const known = [...model.feeds.keys()];
  const what = { what_zh: '上报通道', what_en: 'feed' };
  throw new WeinaoError('config.unknown_ref', {
    ...what,
    given: name,
    known: known.join(' '),
    ...hints(nearest(name, known)),
  });
}

/** @returns the files written */
export async function writeContract(
  { asyncapi, schemas, page }: FeedContract,
  folder: string,
): Promise<readonly string[]> {
  const files: Record<string, string> = {
    ...(asyncapi === undefined ? {} : { 'asyncapi.yaml': blockYaml(asyncapi) }),
    'contract.zh.md': page.zh,
    'contract.en.md': page.en,
  };
  for (const [kind, schema] of Object.entries(schemas))
    files[`schemas/${kind}.json`] = `${JSON.stringify(schema, undefined, 2)}\n`;
  ensureFolder(join(folder, 'schemas'));
  for (const [file, text] of Object.entries(files)) await writeAtomic(join(folder, file), text);
  return Object.keys(files).sort();
}
