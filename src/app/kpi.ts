/** How good the alarms are, out of the journal: EEMUA 191's numbers for a duty room, and who causes the noise; and what was disclosed to whom. */
import type { JsonObject } from '../base/json.ts';
import type { History, PastEvent } from '../journal/history.ts';

const WINDOW = 10 * 60_000;
const FLOOD = 10;
const CHATTER = { times: 3, within: 10 * 60_000 };
const STANDING = 24 * 3_600_000;
const WORST = 10;

export interface AlarmReport {
  readonly from: string;
  readonly to: string;
  readonly raised: number;
  /** new alarms in ten minutes: on average, in the worst ten minutes; EEMUA asks for at most one on average */
  readonly per_10min: { readonly mean: number; readonly worst: number; readonly floods: number };
  readonly by_level: Readonly<Record<string, number>>;
  /** who raised most */
  readonly worst: readonly { readonly key: string; readonly name: string; readonly count: number }[];
  /** raised three times or more within ten minutes */
  readonly chattering: readonly string[];
  /** open for more than a day at the end */
  readonly standing: readonly { readonly key: string; readonly name: string; readonly hours: number }[];
  /** s from the raise to the acknowledgement; absent when nobody acknowledged any */
  readonly median_ack_s?: number;
  /** what platforms took of the classes personal and sensitive, by feed */
  readonly disclosed: readonly Disclosed[];
}

export interface Disclosed {
  readonly feed: string;
  readonly class: string;
  readonly hours: number;
  readonly members: number;
  readonly values: number;
  /** in the hour that had most */
  readonly subjects: number;
}

interface Life {
  readonly key: string;
  readonly name: string;
  readonly raised: number;
}

export function reportOf(history: History, from: number, to: number): AlarmReport {
  const raises: { key: string; name: string; level: string; at: number }[] = [];
  const open = new Map<string, Life>();
  const acks: number[] = [];
  const disclosed = new Map<string, Disclosed>();
  for (const row of history.rows(from, to)) {
    if (row.kind === 'event' && row.event.kind === 'audit.disclosed') disclose(disclosed, row.event.data);
    if (row.kind !== 'event' || !row.event.kind.startsWith('alarm.')) continue;
    const { key, name, level, aid } = fieldsOf(row.event.data);
    const at = row.event.at.wall;
    if (row.event.kind === 'alarm.raised') {
      raises.push({ key, name, level, at });
      if (!open.has(aid)) open.set(aid, { key, name, raised: at });
    }
    const life = open.get(aid);
    if (row.event.kind === 'alarm.acked' && life !== undefined) acks.push((at - life.raised) / 1000);
    if (isOver(row)) open.delete(aid);
  }
  const windows = new Map<number, number>();
  for (const { at } of raises) windows.set(Math.floor(at / WINDOW), (windows.get(Math.floor(at / WINDOW)) ?? 0) + 1);
  const counts = [...windows.values()];
  const median = middle(acks);
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    raised: raises.length,
    per_10min: {
      mean: Math.round((raises.length / Math.max(1, (to - from) / WINDOW)) * 100) / 100,
      worst: Math.max(0, ...counts),
      floods: counts.filter((n) => n > FLOOD).length,
    },
    by_level: counted(raises.map((r) => r.level)),
    worst: worstOf(raises),
    chattering: chattering(raises),
    standing: [...open.values()]
      .filter((life) => to - life.raised > STANDING)
      .map(({ key, name, raised }) => ({ key, name, hours: Math.floor((to - raised) / 3_600_000) })),
    ...(median === undefined ? {} : { median_ack_s: Math.round(median) }),
    disclosed: [...disclosed.values()],
  };
}

function disclose(all: Map<string, Disclosed>, data: JsonObject): void {
  const { feed, class: of, members, values, subjects } = data;
  const key = `${String(feed)} ${String(of)}`;
  const before = all.get(key) ?? {
    feed: String(feed),
    class: String(of),
    hours: 0,
    members: 0,
    values: 0,
    subjects: 0,
  };
  all.set(key, {
    ...before,
    hours: before.hours + 1,
    members: before.members + Number(members),
    values: before.values + Number(values),
    subjects: Math.max(before.subjects, Number(subjects)),
  });
}

function fieldsOf(data: JsonObject): { key: string; name: string; level: string; aid: string } {
  const text = (field: string): string => String(data[field] ?? '');
  return { key: text('key'), name: text('name'), level: text('level'), aid: text('aid') };
}

/** The condition ended; whether somebody still has to acknowledge it is another question. */
const isOver = ({ event }: PastEvent): boolean => event.kind === 'alarm.cleared' || event.kind === 'alarm.closed';

function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function worstOf(raises: readonly { key: string; name: string }[]): AlarmReport['worst'] {
  const names = new Map(raises.map((r) => [r.key, r.name]));
  return Object.entries(counted(raises.map((r) => r.key)))
    .map(([key, count]) => ({ key, name: names.get(key) ?? '', count }))
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
    .slice(0, WORST);
}

function chattering(raises: readonly { key: string; at: number }[]): string[] {
  const times = new Map<string, number[]>();
  for (const { key, at } of raises) times.set(key, [...(times.get(key) ?? []), at]);
  const often = (all: readonly number[]): boolean =>
    all.some((at, i) => (all[i + CHATTER.times - 1] ?? Number.POSITIVE_INFINITY) - at <= CHATTER.within);
  return [...times].filter(([, all]) => often(all)).map(([key]) => key);
}

function middle(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
