/** Where a database stands: its epoch, the next position and the newest recorded time. The last rows tell, and what was written before rows went. */
import type { Sqlite } from '../io/sqlite.ts';

export interface Stand {
  /** undefined in a database that was never begun */
  readonly epoch: string | undefined;
  readonly head: number;
  /** UTC ms */
  readonly newest: number;
}

type Last = { readonly position: number; readonly recorded: number } | undefined;

export function standOf(db: Sqlite): Stand {
  const rows = db.prepare('SELECT key, value FROM meta').all() as { key: string; value: string }[];
  const meta = new Map(rows.map((r) => [r.key, r.value]));
  const kept = JSON.parse(meta.get('clock') ?? '{"head":1,"newest":0}') as { head: number; newest: number };
  const row = db.prepare('SELECT position, recorded FROM rows ORDER BY position DESC LIMIT 1').get() as Last;
  const group = lastGroup(db);
  return {
    epoch: meta.get('epoch'),
    head: Math.max(kept.head, (row?.position ?? 0) + 1, (group?.position ?? 0) + 1),
    newest: Math.max(kept.newest, row?.recorded ?? 0, group?.recorded ?? 0),
  };
}

function lastGroup(db: Sqlite): Last {
  const segment = db.prepare('SELECT max(n) FROM segments WHERE groups > 0').pluck().get() as number | null;
  if (segment === null) return undefined;
  return db.prepare(`SELECT position, recorded FROM tel_${segment} ORDER BY position DESC LIMIT 1`).get() as Last;
}
