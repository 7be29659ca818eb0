/** An HTTP channel: a server that is opened again with growing pauses when its port cannot be had. Bounds: src/io/http-server.ts. */
import type { LineStats, WireRecord } from '../base/line.ts';
import type { HttpChannel } from '../base/model.ts';
import type { Acceptor, Clock, Log, Random } from '../base/ports.ts';
import type { HttpAnswer, HttpAsk } from '../io/http-server.ts';
import { PortKeeper, type PortState } from './keeper.ts';

export interface HttpDoorDeps {
  readonly channel: HttpChannel;
  readonly serve: (handler: (ask: HttpAsk) => Promise<HttpAnswer>) => Promise<Acceptor>;
  readonly request: (ask: HttpAsk) => Promise<HttpAnswer>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
}

export class HttpDoor {
  readonly channel: HttpChannel;
  private readonly deps: HttpDoorDeps;
  private readonly keeper: PortKeeper<Acceptor>;
  private readonly watchers = new Set<(record: WireRecord) => void>();
  private requests = 0;
  private refused = 0;

  constructor(deps: HttpDoorDeps) {
    this.deps = deps;
    this.channel = deps.channel;
    const { clock, log, random, channel } = deps;
    this.keeper = new PortKeeper({
      channel: channel.id,
      port: `${channel.host}:${channel.port}`,
      open: () => deps.serve((ask) => this.answer(ask)),
      clock,
      log,
      random,
      onOpen: () => {},
      onClose: () => {},
    });
  }

  start(): void {
    this.keeper.start();
  }

  state(): PortState {
    return this.keeper.state;
  }

  stats(): LineStats {
    const none = { turns: 0, timeouts: 0, drains: 0, busyMs: 0, wastedMs: 0, strayBytes: 0 };
    return { ...none, replies: this.requests, badFrames: this.refused, reopens: this.keeper.reopens };
  }

  capture(listener: (record: WireRecord) => void): () => void {
    this.watchers.add(listener);
    return () => void this.watchers.delete(listener);
  }

  close(): Promise<void> {
    return this.keeper.close();
  }

  private async answer(ask: HttpAsk): Promise<HttpAnswer> {
    this.requests++;
    this.keeper.alive();
    this.show('rx', `${ask.method} ${ask.path} ${ask.from}`, ask.body);
    let reply: HttpAnswer;
    try {
      reply = await this.deps.request(ask);
    } catch (error) {
      this.deps.log.error('intake.failed', { channel: this.channel.id, detail: String(error) });
      reply = { status: 500, json: { error: 'unexpected' } };
    }
    if (reply.status >= 400) this.refused++;
    this.show('tx', String(reply.status), new TextEncoder().encode(JSON.stringify(reply.json)));
    return reply;
  }

  private show(direction: 'tx' | 'rx', note: string, bytes: Uint8Array): void {
    if (this.watchers.size === 0) return;
    const record = { channel: this.channel.id, wall: this.deps.clock.now().wall, direction, bytes, isText: true, note };
    for (const watcher of this.watchers) watcher(record);
  }
}
