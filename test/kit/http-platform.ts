/** A platform behind HTTP or HTTPS: takes CloudEvents by POST, proves the feed in them, and has every vice it is told to have. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createVerifier, type Member, type Summary } from '../../src/uplink/index.ts';

/** `hangs`: takes the request and never answers; `resets`: breaks off; `floods`: 2xx with an answer without end */
export type Mood = 'well' | 'fails' | 'busy' | 'hangs' | 'resets' | 'floods' | 'moved';

export interface HttpPlatform {
  readonly port: number;
  mood: Mood;
  readonly members: Member[];
  /** requests by the mood they met */
  readonly met: Partial<Record<Mood, number>>;
  readonly authorizations: Set<string>;
  /** names in the clients' certificates */
  readonly clients: Set<string>;
  /** `weinao.feed.{what}.v1` that came */
  readonly told: Set<string>;
  /** connections it accepted */
  connections: number;
  summary(): Summary;
}

export async function httpPlatform(tls?: { ca: string; cert: string; key: string }): Promise<HttpPlatform> {
  const verifier = createVerifier();
  const take = (event: { type?: string; subject?: string; wnstream?: string; data?: unknown }): void => {
    const what = /^weinao\.feed\.(hello|state|device|proof)\.v1$/.exec(event.type ?? '')?.[1];
    if (what !== undefined) platform.told.add(what);
    const tail = what === undefined ? `up/${event.wnstream?.split('.')[1]}` : `up/${what}/${event.subject ?? ''}`;
    const body = what === undefined ? event : event.data;
    const topic = `wn/1/f/t1/${tail}`.replace('/hello/', '/hello').replace('/state/', '/state');
    const member = verifier.take(topic, new TextEncoder().encode(JSON.stringify(body)));
    if (member !== undefined) platform.members.push(member);
  };
  const handle: RequestListener = (req, res) => {
    const { mood } = platform;
    platform.met[mood] = (platform.met[mood] ?? 0) + 1;
    platform.authorizations.add(req.headers.authorization ?? '');
    const { subject } = (req.socket as Partial<import('node:tls').TLSSocket>).getPeerCertificate?.() ?? {};
    if (typeof subject?.CN === 'string') platform.clients.add(subject.CN);
    void read(req).then((text) => {
      if (mood === 'well' || mood === 'floods')
        for (const event of [JSON.parse(text)].flat() as Parameters<typeof take>[0][]) take(event);
      answer(mood, res);
    });
  };
  const server = tls === undefined ? createServer(handle) : createSecure({ ...tls, requestCert: true }, handle);
  const platform: HttpPlatform = {
    port: 0,
    mood: 'well',
    members: [],
    met: {},
    authorizations: new Set(),
    clients: new Set(),
    told: new Set(),
    connections: 0,
    summary: () => verifier.summary(),
  };
  server.on(tls === undefined ? 'connection' : 'secureConnection', () => {
    platform.connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(platform, { port: (server.address() as AddressInfo).port });
}

async function read(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function answer(mood: Mood, res: ServerResponse): void {
  if (mood === 'hangs') return;
  if (mood === 'resets') return void res.destroy();
  if (mood === 'moved') return void res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  if (mood === 'busy') return void res.writeHead(429, { 'retry-after': '1' }).end();
  if (mood !== 'floods') return void res.writeHead(mood === 'well' ? 204 : 500).end();
  res.writeHead(200);
  const more = (): void => {
    while (!res.destroyed) if (!res.write(Buffer.alloc(64 * 1024))) return void res.once('drain', more);
  };
  more();
}
