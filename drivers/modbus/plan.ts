/**
 * Planning reads: which registers to ask for together, at the least bus time. One pure function.
 *
 * A read costs its fixed part (gap, request, the device's turnaround, the reply's frame) and each register its characters. Reading the registers
 * between two wanted ones is worth it while they cost less than another read. The plan is the optimum over all ways to cut the sorted points into
 * reads, within the limits; it never crosses tables, never bridges a hole, and never bridges more than `bridge` registers.
 */
export const TABLES = ['holding', 'input', 'coil', 'discrete'] as const;
export type Table = (typeof TABLES)[number];

/** What a read wants: `count` registers or bits from `address` of a table. */
export interface Wanted {
  readonly id: string;
  readonly table: Table;
  /** 0-based PDU address */
  readonly address: number;
  readonly count: number;
  /** must be asked for by itself: the device refused it in company */
  readonly alone?: boolean;
}

/** Registers that must not be read, both ends included. */
export interface Hole {
  readonly table: Table;
  readonly from: number;
  readonly to: number;
}

export interface Limits {
  /** Modbus Application Protocol V1.1b3, 6.3: 125 */
  readonly registers: number;
  /** 6.1: 2000 */
  readonly bits: number;
  /** most unwanted registers read in one go */
  readonly bridge: number;
  readonly holes: readonly Hole[];
}

export const STANDARD_LIMITS: Limits = { registers: 125, bits: 2000, bridge: 40, holes: [] };

/** Milliseconds of bus time: of a read as such, and of each register in it. */
export interface Cost {
  readonly read: number;
  readonly register: number;
}

/** Where nothing is known of the line: registers that touch are merged, none is bridged. */
export const FREE: Cost = { read: 0, register: 1 };

export interface Request {
  readonly table: Table;
  readonly address: number;
  readonly count: number;
  readonly points: readonly string[];
}

export const isBits = (table: Table): boolean => table === 'coil' || table === 'discrete';

/** Bits are sixteen to a register. */
export const timeOf = (request: Pick<Request, 'table' | 'count'>, cost: Cost): number =>
  cost.read + cost.register * (isBits(request.table) ? request.count / 16 : request.count);

export function plan(points: readonly Wanted[], limits: Limits, cost: Cost = FREE): readonly Request[] {
  const requests: Request[] = [];
  // Last: a device that does not answer them must not keep the others waiting.
  const alone: Request[] = [];
  for (const table of TABLES) {
    const here = points.filter((p) => p.table === table).sort((a, b) => a.address - b.address || b.count - a.count);
    const company = here.filter((p) => p.alone !== true);
    requests.push(...best(company, table, limits, cost));
    for (const p of here) if (p.alone === true) alone.push(requestOf([p]));
  }
  return [...requests, ...alone];
}

export const totalOf = (requests: readonly Request[], cost: Cost): number =>
  requests.reduce((sum, request) => sum + timeOf(request, cost), 0);

/** The cheapest cut: `least[j]` is that of the first j points, whose last read begins with point `from[j]`. */
function best(points: readonly Wanted[], table: Table, limits: Limits, cost: Cost): Request[] {
  const most = isBits(table) ? limits.bits : limits.registers;
  const holes = limits.holes.filter((hole) => hole.table === table);
  const least = [0];
  const from = [0];
  for (let j = 1; j <= points.length; j++) {
    least[j] = Number.POSITIVE_INFINITY;
    let end = 0;
    for (let i = j - 1; i >= 0; i--) {
      const point = points[i] as Wanted;
      const next = points[i + 1];
      if (i < j - 1 && next !== undefined && !joins(reach(points, i), next.address, limits.bridge, holes)) break;
      end = Math.max(end, point.address + point.count);
      const count = end - point.address;
      // A single value wider than the limit is asked for all the same: the device shall say so.
      if (count > most && i < j - 1) break;
      const total = (least[i] ?? 0) + timeOf({ table, count }, cost);
      // Of equal ones the fewer reads: registers that touch are merged even where time says nothing.
      if (total <= (least[j] ?? 0)) {
        least[j] = total;
        from[j] = i;
      }
    }
  }
  const requests: Request[] = [];
  for (let j = points.length; j > 0; j = from[j] ?? 0) requests.unshift(requestOf(points.slice(from[j], j)));
  return requests;
}

/** Where the registers of the points up to this one end. Points are sorted, so a long one may reach over those behind it. */
function reach(points: readonly Wanted[], upTo: number): number {
  let end = 0;
  for (let i = upTo; i >= 0 && i > upTo - 8; i--)
    end = Math.max(end, (points[i]?.address ?? 0) + (points[i]?.count ?? 0));
  return end;
}

function joins(end: number, next: number, bridge: number, holes: readonly Hole[]): boolean {
  if (next <= end) return true;
  return next - end <= bridge && !holes.some((hole) => hole.from < next && hole.to >= end);
}

export function requestOf(points: readonly Wanted[]): Request {
  const [first] = points;
  const address = Math.min(...points.map((p) => p.address));
  const end = Math.max(...points.map((p) => p.address + p.count));
  return { table: first?.table ?? 'holding', address, count: end - address, points: points.map((p) => p.id) };
}
