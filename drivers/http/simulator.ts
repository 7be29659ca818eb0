/** A system that sends events, as the bodies of its requests. */
export interface Sent {
  readonly contentType: string;
  readonly body: string;
}

export const cloudEvent = (source: string, id: string, data: unknown, more: object = {}): object => ({
  specversion: '1.0',
  type: 'org.example.measured.v1',
  source,
  id,
  datacontenttype: 'application/json',
  data,
  ...more,
});

export const sent = (event: object): Sent => ({
  contentType: 'application/cloudevents+json; charset=utf-8',
  body: JSON.stringify(event),
});

export const sentTogether = (events: readonly object[]): Sent => ({
  contentType: 'application/cloudevents-batch+json',
  body: JSON.stringify(events),
});

export const plain = (body: unknown): Sent => ({ contentType: 'application/json', body: JSON.stringify(body) });
