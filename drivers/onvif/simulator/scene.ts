/** What the camera sees: its properties, and how it tells that one changed. */
import type { CameraFaults } from './faults.ts';
import type { Persona } from './personas.ts';
import type { Notice } from './subscriptions.ts';

type Items = Readonly<Record<string, string>>;

interface Kept {
  readonly topic: string;
  readonly source: Items;
  readonly key: Items;
  data: Items;
  before: Items;
  /** the camera's time, UTC ms; 0 = it never changed, which is told as 1970 */
  changed: number;
}

const OFF = ['false', 'FALSE', '0', 'inactive', ''];

export interface Scene {
  /** a property takes this value; undefined when the camera does not tell */
  set(topic: string, source: Items, data: Items, key: Items, at: number): Notice | undefined;
  remove(topic: string, source: Items, at: number): Notice | undefined;
  /** what every property says */
  all(stale: boolean): readonly Notice[];
  /** the first property of this name, all off */
  named(end: string | undefined): { readonly topic: string; readonly source: Items; readonly item: string } | undefined;
  reset(): void;
}

export function createScene(persona: Persona, faults: CameraFaults): Scene {
  const kept = new Map<string, Kept>();
  const keyOf = (topic: string, source: Items, key: Items): string => JSON.stringify([topic, source, key]);
  const reset = (): void => {
    kept.clear();
    for (const { topic, source, data, key = {} } of persona.properties)
      kept.set(keyOf(topic, source, key), { topic, source, key, data, before: data, changed: 0 });
  };
  reset();
  const notice = (p: Kept, operation: Notice['operation'], data: Items | undefined): Notice => ({
    topic: p.topic,
    operation,
    source: p.source,
    key: p.key,
    data,
    elements: {},
    at: p.changed,
  });
  return {
    set: (topic, source, data, key, at) => {
      const id = keyOf(topic, source, key);
      const p = kept.get(id) ?? { topic, source, key, data, before: data, changed: 0 };
      kept.set(id, p);
      Object.assign(p, { before: p.data, data, changed: at });
      const isEnd = Object.values(data).every((value) => OFF.includes(value));
      if (!isEnd) return notice(p, 'Changed', data);
      if (faults.noFalse) return undefined;
      if (faults.emptyEnd) return notice(p, undefined, undefined);
      return notice(p, 'Changed', faults.secondTrue ? p.before : data);
    },
    remove: (topic, source, at) => {
      const id = keyOf(topic, source, {});
      const p = kept.get(id);
      if (p === undefined) return undefined;
      kept.delete(id);
      p.changed = at;
      return notice(p, 'Deleted', {});
    },
    all: (stale) => [...kept.values()].map((p) => notice(p, 'Initialized', stale ? p.before : p.data)),
    named: (end) => {
      const p = [...kept.values()].find((one) => end === undefined || one.topic.endsWith(end));
      const item = Object.keys(p?.data ?? {})[0];
      return p === undefined || item === undefined ? undefined : { topic: p.topic, source: p.source, item };
    },
    reset,
  };
}
