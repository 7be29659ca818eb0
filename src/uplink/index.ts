/** Uplink: a sender for each feed. A reload restarts only the feeds that changed, in the configuration or in what they may see. */
import { WeinaoError } from '../base/errors/index.ts';
import type { JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import type { Entitlement } from '../base/view.ts';
import type { ReplayAsk } from './replay.ts';
import { FeedSender, type SenderDeps, type SenderStatus } from './sender.ts';

export type UplinkDeps = Omit<SenderDeps, 'feed' | 'site' | 'source' | 'entitlement' | 'catalog'> & {
  readonly entitlement: (feed: FeedModel) => Entitlement;
  /** the device model as a feed may see it, by device */
  readonly catalog: (of: Entitlement) => ReadonlyMap<string, JsonObject>;
};

export interface Uplink {
  /** Resolves when every feed has its place in the journal; brokers are reached in their own time. */
  apply(site: string, gateway: string, feeds: ReadonlyMap<string, FeedModel>): Promise<void>;
  /** the journal has something new */
  poke(): void;
  /** feeds whose epoch changed; empty = all */
  renewed(feeds: readonly string[]): void;
  /** manifests have something new to say */
  regreet(): void;
  status(): readonly SenderStatus[];
  /** Delivered members once more. Rejects with journal.no_feed, uplink.not_connected and uplink.no_such_members. */
  again(feed: string, ask: ReplayAsk): Promise<number>;
  stop(): Promise<void>;
}

export function createUplink(deps: UplinkDeps): Uplink {
  const senders = new Map<string, FeedSender>();
  const stop = async (id: string): Promise<void> => {
    const sender = senders.get(id);
    senders.delete(id);
    await sender?.stop();
  };
  return {
    apply: async (site, gateway, feeds) => {
      const source = `urn:weinao:${site}:${gateway}`;
      for (const [id, sender] of senders) {
        const feed = feeds.get(id);
        const isSame = feed?.hash === sender.feed.hash && deps.entitlement(feed).view === sender.entitlement.view;
        if (!isSame) await stop(id);
      }
      for (const [id, feed] of feeds) {
        if (senders.has(id)) continue;
        const entitlement = deps.entitlement(feed);
        const catalog = () => deps.catalog(entitlement);
        const sender = new FeedSender({ ...deps, feed, site, source, entitlement, catalog });
        senders.set(id, sender);
        await sender.start();
      }
    },
    poke: () => {
      for (const sender of senders.values()) sender.poke();
    },
    renewed: (feeds) => {
      for (const [id, sender] of senders) if (feeds.length === 0 || feeds.includes(id)) sender.poke(true);
    },
    again: async (feed, ask) => {
      const sender = senders.get(feed);
      if (sender === undefined) throw new WeinaoError('journal.no_feed', { feed });
      return sender.again(ask);
    },
    regreet: () => {
      for (const sender of senders.values()) sender.regreet();
    },
    status: () => [...senders.values()].map((s) => s.status()),
    stop: async () => {
      await Promise.all([...senders.keys()].map(stop));
    },
  };
}

export { alinkSignIn } from './codecs/alink.ts';
export { connectPost } from './post.ts';
export type { Will } from './sender.ts';
export { createVerifier, type Member, type Summary, type Verifier, type VerifierOptions } from './verifier.ts';
