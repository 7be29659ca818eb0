/** What the conductor and the processes of gateways say to each other. */

export interface FleetAsk {
  readonly broker: string;
  /** numbers of the gateways in this process, both included */
  readonly first: number;
  readonly last: number;
  readonly readingsPerSecond: number;
  readonly folder: string;
}

/** What one gateway's journal holds at the end. */
export interface Held {
  readonly site: string;
  /** ids of every event and telemetry group */
  readonly ids: readonly string[];
  readonly samples: number;
  readonly alarms: number;
}

export type ToGateways = { readonly kind: 'begin'; readonly ask: FleetAsk } | { readonly kind: 'finish' };

export type FromGateways =
  | { readonly kind: 'running' }
  | { readonly kind: 'held'; readonly held: readonly Held[]; readonly rss: number }
  | { readonly kind: 'failed'; readonly why: string };

export const siteOf = (n: number): string => `s${String(n).padStart(4, '0')}`;
