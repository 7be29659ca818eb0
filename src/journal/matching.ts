/** Whether something is about what is to be erased. */
import type { EventDraft } from '../base/event.ts';
import type { EraseWhat } from '../base/feed.ts';
import type { Json } from '../base/json.ts';
import type { PastSample } from './history.ts';

export type { PastSample };

export function isAbout(event: EventDraft, what: EraseWhat): boolean {
  const { wall } = event.at;
  if (wall < what.from || wall >= what.to) return false;
  const { subject = '', data, kind } = event;
  if (isErased(data)) return false;
  const isForm = kind.startsWith('report.') && what.forms.some((form) => form === subject || form === data.form);
  return (
    isForm ||
    what.devices.some((id) => id === subject || id === data.device || isOf(data.key, id)) ||
    what.points.some((id) => tellsOf(event, id)) ||
    isPerson(event, what)
  );
}

export function isSampleOf({ d, p, t, v }: PastSample, what: EraseWhat): boolean {
  const wall = Date.parse(t);
  if (wall < what.from || wall >= what.to) return false;
  if (what.devices.includes(d) || what.points.includes(`${d}.${p}`)) return true;
  return what.person !== undefined && typeof v === 'string' && v.includes(what.person);
}

/** Alarms and rule states by their key (`rule/instance`) and what they hold. */
export function mentions(key: string, body: string, { devices, points, forms, person }: EraseWhat): boolean {
  if (devices.some((id) => isOf(key, id)) || points.some((id) => isOf(key, id))) return true;
  if (forms.some((id) => key.split('/').includes(id))) return true;
  return person !== undefined && (key.includes(person) || body.includes(person));
}

const isOf = (key: Json | undefined, id: string): boolean =>
  typeof key === 'string' && key.split('/').some((part) => part === id || part.startsWith(`${id}.`));

/** An event does not say which point a value came from: those of the point's device that hold something personal may tell of it. */
function tellsOf({ subject, data, classes = {} }: EventDraft, point: string): boolean {
  const device = point.slice(0, point.indexOf('.'));
  if (isOf(data.key, point)) return true;
  const isOfDevice = subject === device || data.device === device;
  return isOfDevice && Object.entries(classes).some(([path, held]) => path.startsWith('values.') && held !== 'none');
}

const isErased = (data: EventDraft['data']): boolean => data.erased === true;

function isPerson({ subject, data }: EventDraft, { person }: EraseWhat): boolean {
  return person !== undefined && (subject === person || holds(data, person));
}

function holds(value: Json, text: string): boolean {
  if (typeof value === 'string') return value.includes(text);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key.includes(text) || holds(inner as Json, text));
}
