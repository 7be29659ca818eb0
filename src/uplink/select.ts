/** Which events a view lets out, and with which rights to their fields. Pure; the rules of base/view.ts. */
import type { Level, StoredEvent } from '../base/event.ts';
import type { AlarmRights, ResolvedView, Rights } from '../base/view.ts';

/** Undefined = withheld. `everything` needs no rights. */
export function rightsTo(
  view: Extract<ResolvedView, { kind: 'list' }>,
  feed: string,
  event: StoredEvent,
): Rights | undefined {
  const { kind, data, told = [] } = event;
  const family = kind.slice(0, kind.indexOf('.'));
  const isTold = told.includes(feed);
  switch (family) {
    case 'alarm':
      return merged([
        ...view.alarms.filter((rights) => matches(rights, event, isTold)),
        ...(isTold ? [PLAIN_RIGHTS] : []),
      ]);
    case 'report':
      return own(view.forms, data.form);
    case 'stat': {
      const rights = own(view.stats, data.stat);
      return rights !== undefined && (rights.least === 0 || Number(data.k) >= rights.least) ? rights : undefined;
    }
    case 'device':
      return view.devices.includes(String(data.device ?? event.subject)) ? merged([PLAIN_RIGHTS]) : undefined;
    case 'command':
      return merged([
        ...(view.commands === undefined ? [] : [view.commands]),
        ...(isTold ? [PLAIN_RIGHTS] : []),
        ...(data.feed === feed ? [OWN_WORDS] : []),
      ]);
    case 'config':
      return view.config;
    case 'clock':
    case 'feed':
      return PLAIN_RIGHTS;
    default:
      return isTold ? PLAIN_RIGHTS : undefined;
  }
}

/** The result of what a feed's own platform asked repeats what it said. */
const OWN_WORDS: Rights = { classes: ['personal', 'sensitive'], drop: [], scrub: false };
const PLAIN_RIGHTS: Rights = { classes: [], drop: [], scrub: true };

function own<T>(of: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(of, name) ? of[name] : undefined;
}

/** Several selections let the same event out: what one of them shows is shown. */
function merged(all: readonly Rights[]): Rights | undefined {
  const [first, ...others] = all;
  if (first === undefined) return undefined;
  const classes = [...new Set(all.flatMap((r) => r.classes))];
  const drop = first.drop.filter((field) => others.every((r) => r.drop.includes(field)));
  return { classes, drop, scrub: all.every((r) => r.scrub) };
}

function matches({ level, theme, rule, told, about }: AlarmRights, event: StoredEvent, isTold: boolean): boolean {
  const { data } = event;
  const top = (data.top ?? event.level) as Level;
  return (
    (level === undefined || level.includes(top)) &&
    (theme === undefined || theme.includes(String(data.theme))) &&
    (rule === undefined || rule.includes(String(data.rule))) &&
    (told === undefined || isTold) &&
    (about === undefined || thingsOf(event).some((id) => about.includes(id)))
  );
}

/** What an alarm is about: device or asset, instance, place. */
function thingsOf({ data, subject }: StoredEvent): string[] {
  const at = (place: unknown): string => String((place as { path?: unknown } | undefined)?.path ?? '');
  return [
    String(data.device ?? ''),
    subject ?? '',
    ...String(data.key ?? '').split('/'),
    at(data.place),
    at(data.spot),
  ];
}
