/** The event service and its pull points (core specification 9). */
import { addressOf, type Done, fault, type Ground, timeOf } from './ground.ts';
import { durationMs, lifeAsked } from './services.ts';
import type { Notice, Subscription, Subscriptions } from './subscriptions.ts';
import { child, type Element, escapeXml, textOf } from './xml.ts';

const LONGEST_PULL = 120_000;
const MOST_MESSAGES = 100;
const LONGEST_LIFE = 24 * 3_600_000;
const TOPIC_DIALECT = 'http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet';

export interface EventCall {
  readonly operation: string;
  readonly request: Element;
  readonly header: Element | undefined;
  /** path and query, and the port it came to */
  readonly path: string;
  readonly port: number;
  readonly signal: AbortSignal;
}

export interface EventDesk {
  readonly ground: Ground;
  readonly subscriptions: Subscriptions;
  /** what every property says now; `stale` = what it said before */
  properties(stale: boolean): readonly Notice[];
}

const ON_SUBSCRIPTION = new Set(['PullMessages', 'SetSynchronizationPoint', 'Renew', 'Unsubscribe']);
const HOMELESS: readonly string[] = ['empty', 'none', 'urn', 'no-host'];
const UNKNOWN = (): Done => fault('Sender', 'The subscription does not exist', 'wsrf-rw:ResourceUnknownFault');

/** undefined: no operation of events */
export async function answerEvent(call: EventCall, desk: EventDesk): Promise<Done | undefined> {
  const { operation } = call;
  if (operation === 'CreatePullPointSubscription') return create(call, desk);
  if (operation === 'GetEventProperties') return eventProperties(desk);
  if (operation === 'GetServiceCapabilities') return serviceCapabilities(desk.ground);
  if (!ON_SUBSCRIPTION.has(operation)) return undefined;
  const subscription = find(call, desk);
  if (subscription === undefined) return UNKNOWN();
  if (operation === 'PullMessages') return pull(call, desk, subscription);
  if (operation === 'Renew') return renew(call, desk, subscription);
  if (operation === 'Unsubscribe') {
    if (desk.ground.faults.unsubscribeEndsAll) desk.subscriptions.closeAll();
    else desk.subscriptions.close(subscription.id);
    return { body: desk.ground.writer().el('wsnt:UnsubscribeResponse', {}) };
  }
  const { syncPoint } = desk.ground.faults;
  if (syncPoint === 'refused') return fault('Sender', 'Sender not authorized', 'ter:NotAuthorized');
  if (syncPoint === 'dump') dump(desk, subscription.id);
  return { body: desk.ground.writer().el('tev:SetSynchronizationPointResponse', {}) };
}

function create({ request }: EventCall, desk: EventDesk): Done {
  const { ground, subscriptions } = desk;
  const { persona, faults, place } = ground;
  const asked = lifeAsked(request, 'InitialTerminationTime', ground);
  if (asked === undefined || asked <= 0)
    return fault('Sender', 'not acceptable', 'wsnt:UnacceptableInitialTerminationTimeFault');
  // Without an address of its own it can only be called where it was made.
  const isHomeless = HOMELESS.includes(faults.subscriptionAddress);
  const where = (n: number) => {
    const path = isHomeless ? 'same' : persona.subscription(n);
    const eventPort = place.eventPort ?? persona.subscriptionPort?.(n);
    return {
      path: path === 'same' ? persona.paths.events : path,
      port: path === 'same' ? place.port : (eventPort ?? place.port),
    };
  };
  if (subscriptions.live().length >= persona.slots && faults.noSlots === 'kick-oldest') subscriptions.kick();
  const made = subscriptions.open(where, Math.min(asked, LONGEST_LIFE));
  if (made === undefined) return fault('Receiver', 'too many subscriptions', 'wsnt:SubscribeCreationFailedFault');
  if (!faults.noInitial) dump(desk, made.id);
  const { el, text } = ground.writer();
  const parameters = persona.referenceParameters?.(made.id) ?? '';
  const reference = [
    text('wsa:Address', addressOf(faults.subscriptionAddress, place, made.path, made.port)),
    parameters === '' ? '' : el('wsa:ReferenceParameters', {}, parameters),
  ];
  return {
    body: el(
      'tev:CreatePullPointSubscriptionResponse',
      {},
      faults.bareReference ? reference.join('') : el('tev:SubscriptionReference', {}, ...reference),
      ...times('wsnt', ground, made.lifeMs),
    ),
  };
}

function times(prefix: string, ground: Ground, lifeMs: number): string[] {
  const { text } = ground.writer();
  const now = ground.now();
  const end = now + (ground.persona.saysLifeMs ?? lifeMs);
  const told = (ms: number): string => (ground.faults.epochTimes ? '1970-01-01T00:00:00Z' : timeOf(ground, ms));
  return [text(`${prefix}:CurrentTime`, told(now)), text(`${prefix}:TerminationTime`, told(end))];
}

function dump(desk: EventDesk, id: number): void {
  for (const notice of desk.properties(desk.ground.faults.staleInitial)) desk.subscriptions.tell(notice, id);
}

/** By its address, and where it has reference parameters by those. */
function find({ path, port, header }: EventCall, { ground, subscriptions }: EventDesk): Subscription | undefined {
  const { persona, place, faults } = ground;
  const isHere = (s: Subscription): boolean => s.path === path && s.port === port;
  if (persona.referenceParameters !== undefined) {
    const given = textOf(child(header, 'SubscriptionId'));
    return subscriptions.find((s) => isHere(s) && String(s.id) === given);
  }
  // Where all of them share one address the newest is meant: such a camera keeps one for each client, or mixes them up.
  const found = subscriptions.live().findLast(isHere);
  if (found === undefined || !faults.wantsAddressing) return found;
  const to = textOf(child(header, 'To'));
  const wanted = addressOf(faults.subscriptionAddress, place, found.path, found.port);
  return to === wanted && textOf(child(header, 'Action')) !== undefined ? found : undefined;
}

async function pull(call: EventCall, desk: EventDesk, { id, lifeMs }: Subscription): Promise<Done> {
  const { ground, subscriptions } = desk;
  const timeoutMs = durationMs(textOf(child(call.request, 'Timeout')) ?? '');
  const limit = Number(textOf(child(call.request, 'MessageLimit')));
  if (timeoutMs === undefined || !(limit > 0)) return fault('Sender', 'invalid', 'ter:InvalidArgVal');
  if (timeoutMs > LONGEST_PULL) return tooLong(ground);
  const pulled = await subscriptions.pull(id, {
    timeoutMs: Math.min(timeoutMs, ground.faults.pullEndsAfterMs),
    limit: Math.min(limit, MOST_MESSAGES),
    extend: ground.persona.pullExtends,
    instantEmpty: ground.faults.instantEmpty,
    silentAfter: ground.faults.silentAfter,
    signal: call.signal,
  });
  if ('gone' in pulled) return UNKNOWN();
  if ('busy' in pulled) return fault('Receiver', 'another pull waits', 'wsnt:UnableToGetMessagesFault');
  const { el } = ground.writer();
  const messages = pulled.messages.flatMap((m) => new Array<string>(ground.faults.copies).fill(message(m, ground)));
  return { body: el('tev:PullMessagesResponse', {}, ...times('tev', ground, lifeMs), ...messages) };
}

function tooLong(ground: Ground): Done {
  const { el, text } = ground.writer();
  const limits = [text('tev:MaxTimeout', `PT${LONGEST_PULL / 1000}S`), text('tev:MaxMessageLimit', `${MOST_MESSAGES}`)];
  const detail = el('tev:PullMessagesFaultResponse', {}, ...limits);
  return { fault: { code: 'Sender', subcodes: ['ter:InvalidArgVal'], reason: 'Timeout too long', detail } };
}

function renew({ request }: EventCall, { ground, subscriptions }: EventDesk, { id }: Subscription): Done {
  if (ground.faults.renew === 'fault')
    return fault('Receiver', 'Optional Action Not Implemented', 'ter:ActionNotSupported');
  const asked = lifeAsked(request, 'TerminationTime', ground);
  if (asked === undefined || asked <= 0)
    return fault('Sender', 'not acceptable', 'wsnt:UnacceptableTerminationTimeFault');
  subscriptions.renew(id, Math.min(asked, LONGEST_LIFE));
  return { body: ground.writer().el('wsnt:RenewResponse', {}, ...times('wsnt', ground, asked).reverse()) };
}

export function message(notice: Notice, ground: Ground): string {
  const { el, item } = ground.writer();
  const items = (name: string, values: Readonly<Record<string, string>>, more = ''): string =>
    Object.keys(values).length === 0 && more === ''
      ? ''
      : el(name, {}, ...Object.entries(values).map(([k, v]) => item(k, v)), more);
  const elements = Object.entries(notice.elements).map(([name, xml]) => el('tt:ElementItem', { Name: name }, xml));
  const operation = notice.operation === undefined ? {} : { PropertyOperation: notice.operation };
  const body =
    notice.data === undefined
      ? ''
      : el(
          'tt:Message',
          { UtcTime: timeOf(ground, notice.at), ...operation },
          items('tt:Source', notice.source),
          items('tt:Key', notice.key),
          ground.faults.noData ? '' : items('tt:Data', notice.data, elements.join('')),
        );
  return el(
    'wsnt:NotificationMessage',
    {},
    el('wsnt:Topic', { Dialect: TOPIC_DIALECT }, escapeXml(notice.topic)),
    el('wsnt:Message', {}, body),
  );
}

function serviceCapabilities(ground: Ground): Done {
  const { el } = ground.writer();
  const told = { WSPullPointSupport: 'true', MaxPullPoints: String(ground.persona.slots) };
  return { body: el('tev:GetServiceCapabilitiesResponse', {}, el('tev:Capabilities', told)) };
}

/** Topics as the tree of elements that WS-Topics makes of them. */
function eventProperties({ ground, properties }: EventDesk): Done {
  const { el, text } = ground.writer(true);
  const topics = properties(false).map(({ topic, source, data }) => {
    const described = (name: string, items: Readonly<Record<string, string>>, type: string): string =>
      el(name, {}, ...Object.keys(items).map((key) => el('tt:SimpleItemDescription', { Name: key, Type: type })));
    const inner = el(
      'tt:MessageDescription',
      { IsProperty: 'true' },
      described('tt:Source', source, 'tt:ReferenceToken'),
      described('tt:Data', data ?? {}, 'xs:boolean'),
    );
    const [root = '', ...path] = topic.split('/').reverse();
    return path.reduce((below, name) => el(name, {}, below), el(root, { 'wstop:topic': 'true' }, inner));
  });
  const set = el('wstop:TopicSet', {}, ...topics);
  return {
    body: el(
      'tev:GetEventPropertiesResponse',
      {},
      text('wsnt:FixedTopicSet', 'true'),
      set,
      text('wsnt:TopicExpressionDialect', TOPIC_DIALECT),
    ),
  };
}
