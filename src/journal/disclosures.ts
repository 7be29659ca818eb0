/**
 * The disclosure audit: what of the classes personal and sensitive each feed's platform acknowledged, by the hour. One event `audit.disclosed` for
 * each feed, class and hour in which anything was, made when the hour is over; never counted itself.
 *
 * The account of the running hour is a row of states, written in the transaction that writes the feed's cursor, so that it costs no sync of its own
 * and agrees with the cursor: members that a crash makes acknowledged again are counted once. The row goes in the transaction of its event. What is
 * sent again because the platform asked for it (dn/replay) was counted when it was first acknowledged.
 */
import type { EventDraft } from '../base/event.ts';
import type { MadeMessage } from '../base/feed.ts';
import { type Instant, isoTime } from '../base/time.ts';
import { NAMED_CLASSES, type NamedClass } from '../base/view.ts';
import type { Sqlite } from '../io/sqlite.ts';

const HOUR = 3_600_000;
const ROWS = 'audit/';
/** subjects told apart; of more, this many are told */
const MOST_SUBJECTS = 2000;

interface Account {
  readonly feed: string;
  readonly class: NamedClass;
  /** its beginning, UTC ms */
  readonly hour: number;
  members: number;
  values: number;
  /** counted while the clock was not synchronised: the hour is what the clock said */
  unsynced?: true;
  readonly subjects: Set<string>;
}

export class Disclosures {
  private readonly accounts = new Map<string, Account>();
  private readonly unsaved = new Set<string>();
  /** the one added to last, since accounts were written or dropped */
  private last: Account | undefined;
  private hour = 0;
  private isTimed = false;

  constructor(db: Sqlite) {
    const rows = db.prepare('SELECT key, body FROM states WHERE key >= ? AND key < ?').all(ROWS, `${ROWS}~`);
    for (const { key, body } of rows as { key: string; body: string }[]) {
      const saved = JSON.parse(body) as Omit<Account, 'subjects'> & { subjects: string[] };
      this.accounts.set(key, { ...saved, subjects: new Set(saved.subjects) });
    }
  }

  /** Time goes on. */
  at({ wall, synced }: Instant): void {
    this.hour = Math.floor(wall / HOUR) * HOUR;
    this.isTimed = synced;
  }

  /** A member was acknowledged. */
  add(feed: string, { disclosed, about, type }: Pick<MadeMessage, 'disclosed' | 'about' | 'type'>): void {
    if (type.startsWith('weinao.audit.')) return;
    for (const of of NAMED_CLASSES) {
      const values = disclosed[of] ?? 0;
      if (values === 0) continue;
      const account = this.running(feed, of);
      account.members++;
      account.values += values;
      if (!this.isTimed) account.unsynced = true;
      for (const subject of about[of] ?? []) if (account.subjects.size < MOST_SUBJECTS) account.subjects.add(subject);
    }
  }

  /** The account of this hour, which is to be written. */
  private running(feed: string, of: NamedClass): Account {
    const { last } = this;
    if (last?.feed === feed && last.class === of && last.hour === this.hour) return last;
    const { hour } = this;
    const key = `${ROWS}${feed}/${of}/${hour}`;
    const account = this.accounts.get(key) ?? { feed, class: of, hour, members: 0, values: 0, subjects: new Set() };
    this.accounts.set(key, account);
    this.unsaved.add(key);
    this.last = account;
    return account;
  }

  /** Part of the transaction that writes the cursors. */
  save(db: Sqlite): void {
    const set = db.prepare('INSERT OR REPLACE INTO states VALUES (?, ?)');
    for (const key of this.unsaved) {
      const account = this.accounts.get(key);
      if (account !== undefined) set.run(key, JSON.stringify({ ...account, subjects: [...account.subjects] }));
    }
    this.unsaved.clear();
    this.last = undefined;
  }

  /** Another database came instead: everything is to be written there. */
  again(): void {
    for (const key of this.accounts.keys()) this.unsaved.add(key);
  }

  /** Accounts of hours that are over: to be committed as events, and dropped in the same transaction. */
  ended(now: Instant): readonly { readonly key: string; readonly draft: EventDraft }[] {
    return [...this.accounts]
      .filter(([, { hour }]) => hour + HOUR <= now.wall)
      .map(([key, account]) => ({ key, draft: draftOf(account, now) }));
  }

  /** Part of the transaction of their events. */
  drop(db: Sqlite, keys: readonly string[]): void {
    const drop = db.prepare('DELETE FROM states WHERE key = ?');
    for (const key of keys) drop.run(key);
  }

  dropped(keys: readonly string[]): void {
    for (const key of keys) {
      this.accounts.delete(key);
      this.unsaved.delete(key);
    }
    this.last = undefined;
  }
}

function draftOf({ feed, class: of, hour, members, values, subjects, unsynced }: Account, now: Instant): EventDraft {
  const end = hour + HOUR;
  const isTimed = unsynced !== true;
  return {
    kind: 'audit.disclosed',
    subject: feed,
    at: isTimed ? { wall: end, mono: now.mono - (now.wall - end), synced: now.synced } : now,
    data: {
      feed,
      class: of,
      from: isoTime(hour),
      to: isoTime(end),
      members,
      values,
      subjects: subjects.size,
      ...(isTimed ? {} : { clock: 'unsynced' }),
    },
    classes: { feed: 'none', class: 'none', to: 'none', clock: 'none' },
  };
}
