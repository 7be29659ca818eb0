/**
 * Erasures one after the other, each written down (`erasing.json` in the data folder, for its owner only) before anything goes, and until the event
 * that it was done is on the disk: what a cut or a kill interrupted goes on at the next start, and ends as it would have. The file holds what is to be
 * erased and goes with it. Not promised: an event only once, when the cut comes between the event and the end of the file; and counts of what had gone
 * before the cut.
 */
import { join } from 'node:path';
import type { Log } from '../base/ports.ts';
import { readText, removeFile, writeAtomic } from '../io/files.ts';
import type { EraseAsk, Erased } from './erase.ts';

const FILE = 'erasing.json';

export class Erasures {
  private readonly path: string;
  private readonly erase: (ask: EraseAsk) => Promise<Erased>;
  private readonly log: Log;
  private asks: readonly EraseAsk[] = [];
  private tail: Promise<unknown> = Promise.resolve();

  constructor(data: string, erase: (ask: EraseAsk) => Promise<Erased>, log: Log) {
    this.path = join(data, FILE);
    this.erase = erase;
    this.log = log;
  }

  /** What the last life had not finished. */
  async resume(): Promise<void> {
    const text = await readText(this.path);
    if (text === undefined) return removeFile(this.path);
    this.asks = JSON.parse(text) as readonly EraseAsk[];
    this.log.warn('data.erasing_again', { asks: this.asks.length });
    await Promise.all(this.asks.map((ask) => this.alone(() => this.finish(ask))));
  }

  run(ask: EraseAsk): Promise<Erased> {
    return this.alone(async () => {
      await this.keep([...this.asks, ask]);
      return this.finish(ask);
    });
  }

  private async finish(ask: EraseAsk): Promise<Erased> {
    const erased = await this.erase(ask);
    // What only memory forgot is still on the card.
    if (erased.durable) await this.keep(this.asks.filter((one) => one !== ask));
    return erased;
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.tail.then(work);
    this.tail = done.catch(() => {});
    return done;
  }

  private async keep(asks: readonly EraseAsk[]): Promise<void> {
    this.asks = asks;
    if (asks.length === 0) await removeFile(this.path);
    else await writeAtomic(this.path, JSON.stringify(asks), 0o600);
  }
}
