/**
 * What a feed would have got of rows that go: its view is run over them, a few at a time. What it withholds was not lost.
 */
import type { Stream } from '../base/event.ts';
import type { ContractRow, JournalRow, Loss, Outward } from '../base/feed.ts';
import { joined } from './gaps.ts';

/** A loss, and where in the journal its first row stood. */
export interface Measured extends Loss {
  readonly first: number;
}

export class Measure {
  private readonly outward: Outward;
  private readonly contract: ContractRow;
  private readonly stream: Stream;
  private readonly found: { readonly position: number; readonly loss: Loss }[] = [];

  constructor(outward: Outward, contract: ContractRow, stream: Stream) {
    this.outward = outward;
    this.contract = contract;
    this.stream = stream;
  }

  get epoch(): string {
    return this.contract.epoch;
  }

  add(rows: readonly JournalRow[]): this {
    for (const row of rows) {
      const loss = row.kind === 'gap' ? row.gap.loss : this.lossOf(row);
      if (loss !== undefined) this.found.push({ position: row.position, loss });
    }
    return this;
  }

  /** What stands behind a position; undefined when nothing. */
  behind(position: number): Measured | undefined {
    const lost = this.found.filter((f) => f.position > position);
    const [first] = lost;
    return first === undefined
      ? undefined
      : { first: first.position, ...lost.map((f) => f.loss).reduce((sum, loss) => joined(sum, loss)) };
  }

  private lossOf(row: JournalRow): Loss | undefined {
    const seen = this.outward.entitled(this.contract, this.stream, row);
    return seen === undefined ? undefined : { lost: seen.units, from: seen.from, to: seen.to };
  }
}
