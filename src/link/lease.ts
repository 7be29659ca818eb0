/**
 * One serial port for lines of different settings: meters at 2400 8E1 and sensors at 9600 8N1 on one pair of wires. Who holds it has it open with its own
 * settings; who wants it waits in order of asking, and the holder leaves after its turn.
 */

/** A line that shares its port. */
export interface Tenant {
  /** Somebody else wants the port: leave it as soon as no turn is running. */
  vacate(): void;
}

export class PortLease {
  private holder: Tenant | undefined;
  private readonly waiting: { readonly tenant: Tenant; readonly moveIn: () => void }[] = [];

  isHeldBy(tenant: Tenant): boolean {
    return this.holder === tenant;
  }

  get isWanted(): boolean {
    return this.waiting.length > 0;
  }

  /** Resolves when the port is the tenant's. */
  take(tenant: Tenant): Promise<void> {
    if (this.holder === tenant) return Promise.resolve();
    if (this.holder === undefined) {
      this.holder = tenant;
      return Promise.resolve();
    }
    const holder = this.holder;
    return new Promise((resolve) => {
      this.waiting.push({ tenant, moveIn: resolve });
      holder.vacate();
    });
  }

  /** The port is closed and the next one's. Harmless for who does not hold it. */
  leave(tenant: Tenant): void {
    if (this.holder !== tenant) return;
    const next = this.waiting.shift();
    this.holder = next?.tenant;
    next?.moveIn();
  }
}
