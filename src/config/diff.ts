/** What a new configuration changes, by section. */
import type { SiteModel } from '../base/model.ts';

export interface ConfigDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

export function diffModels(
  before: SiteModel,
  after: SiteModel,
): Readonly<Record<'channels' | 'devices' | 'feeds', ConfigDiff>> {
  return {
    channels: diff(before.channels, after.channels, (c) => JSON.stringify(c)),
    devices: diff(before.devices, after.devices, (d) => d.hash),
    feeds: diff(before.feeds, after.feeds, (f) => f.hash),
  };
}

function diff<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  mark: (value: T) => string,
): ConfigDiff {
  const added = [...after.keys()].filter((id) => !before.has(id));
  const removed = [...before.keys()].filter((id) => !after.has(id));
  const changed = [...after].flatMap(([id, value]) => {
    const old = before.get(id);
    return old !== undefined && mark(old) !== mark(value) ? [id] : [];
  });
  return { added, removed, changed };
}
