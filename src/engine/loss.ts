/**
 * How many of a device's replies get lost, as an average over its last tries. A device that loses many is flaky until it loses few: its values are
 * doubtful, and it is given more chances before it counts as gone.
 */
const NEWEST = 0.1;
const MANY = 0.15;
const FEW = 0.05;

export class LossMeter {
  isFlaky = false;
  private share = 0;

  /** @returns whether that changed */
  count(lost: boolean): boolean {
    this.share += NEWEST * ((lost ? 1 : 0) - this.share);
    const before = this.isFlaky;
    // Only a reply shows that a device which loses many is not simply gone.
    this.isFlaky = before ? this.share > FEW : !lost && this.share > MANY;
    return this.isFlaky !== before;
  }

  /** The device is gone, or back from that: what it lost then says nothing about its line. */
  forget(): void {
    this.share = 0;
    this.isFlaky = false;
  }
}
