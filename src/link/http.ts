/** An HTTP channel: a server that is opened again with growing pauses when its port cannot be had. Bounds: src/io/http-server.ts. */
import type { HttpChannel } from '../base/model.ts';
import type { Acceptor } from '../base/ports.ts';
import type { HttpAnswer, HttpAsk } from '../io/http-server.ts';
import { Door, type DoorDeps } from './door.ts';

export interface HttpDoorDeps extends DoorDeps {
  readonly channel: HttpChannel;
  readonly serve: (handler: (ask: HttpAsk) => Promise<HttpAnswer>) => Promise<Acceptor>;
  readonly request: (ask: HttpAsk) => Promise<HttpAnswer>;
}

export class HttpDoor extends Door<HttpChannel, Acceptor> {
  private readonly deps: HttpDoorDeps;

  constructor(deps: HttpDoorDeps) {
    const { channel } = deps;
    super(deps, {
      channel,
      port: `${channel.host}:${channel.port}`,
      open: () => deps.serve((ask) => this.answer(ask)),
    });
    this.deps = deps;
  }

  private async answer(ask: HttpAsk): Promise<HttpAnswer> {
    this.taken++;
    this.keeper.alive();
    this.show('rx', ask.body, { isText: true, note: `${ask.method} ${ask.path} ${ask.from}` });
    let reply: HttpAnswer;
    try {
      reply = await this.deps.request(ask);
    } catch (error) {
      this.deps.log.error('intake.failed', { channel: this.channel.id, detail: String(error) });
      reply = { status: 500, json: { error: 'unexpected' } };
    }
    if (reply.status >= 400) this.refused++;
    this.show('tx', new TextEncoder().encode(JSON.stringify(reply.json)), { isText: true, note: String(reply.status) });
    return reply;
  }
}
