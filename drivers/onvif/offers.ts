/** The topics a camera offers, for the person who sets it up. Nothing of it is needed for the gateway's work. */
import { findIn, type XmlElement } from '../../src/kit/xml.ts';
import type { Question } from './soap.ts';
import { KINDS, type TopicTable } from './topics.ts';

const EVENTS = 'http://www.onvif.org/ver10/events/wsdl';
const ONVIF_TOPICS = 'http://www.onvif.org/ver10/topics';
const MOST_TOPICS = 200;

export interface OfferedTopic {
  readonly topic: string;
  /** what it is taken for; undefined: it is told as an unknown one */
  readonly kind?: string;
  readonly zh?: string;
}

export const eventPropertiesQuestion = (to: string): Question => ({
  action: `${EVENTS}/EventPortType/GetEventPropertiesRequest`,
  to,
  body: '<tev:GetEventProperties/>',
});

/** The elements of a TopicSet that are marked as topics, as paths. */
export function topicsOf(body: XmlElement, table: TopicTable): readonly OfferedTopic[] {
  const found: OfferedTopic[] = [];
  const walk = (element: XmlElement, path: string): void => {
    for (const child of element.children) {
      if (child.name === 'MessageDescription' || found.length >= MOST_TOPICS) continue;
      const prefix = child.uri === ONVIF_TOPICS ? 'tns1:' : child.uri === undefined || child.uri === '' ? '' : 'tnsx:';
      const here = path === '' ? `${prefix}${child.name}` : `${path}/${prefix === 'tns1:' ? '' : prefix}${child.name}`;
      if (child.attributes.get('topic')?.toLowerCase() === 'true') found.push(offered(here, table));
      walk(child, here);
    }
  };
  const set = findIn(body, 'TopicSet');
  if (set !== undefined) walk(set, '');
  return found;
}

function offered(topic: string, table: TopicTable): OfferedTopic {
  const row = table.row(topic);
  return row === undefined ? { topic } : { topic, kind: row.kind, zh: KINDS[row.kind].says.zh };
}
