/**
 * Planning reads: which registers to ask for together. One pure function; a planner that weighs bus time comes behind the same signature.
 *
 * Reads of one table that touch or overlap are merged up to the limits. Registers nobody wants are never read: they may be forbidden.
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

export interface Limits {
  /** Modbus Application Protocol V1.1b3, 6.3: 125 */
  readonly registers: number;
  /** 6.1: 2000 */
  readonly bits: number;
}

export const STANDARD_LIMITS: Limits = { registers: 125, bits: 2000 };

export interface Request {
  readonly table: Table;
  readonly address: number;
  readonly count: number;
  readonly points: readonly string[];
}

export const isBits = (table: Table): boolean => table === 'coil' || table === 'discrete';

export function plan(points: readonly Wanted[], limits: Limits): readonly Request[] {
  const sorted = [...points].sort(
    (a, b) => TABLES.indexOf(a.table) - TABLES.indexOf(b.table) || a.address - b.address || b.count - a.count,
  );
  const requests: { table: Table; address: number; count: number; points: string[]; alone: boolean }[] = [];
  for (const p of sorted) {
    const last = requests.at(-1);
    const limit = isBits(p.table) ? limits.bits : limits.registers;
    const touches = last !== undefined && last.table === p.table && p.address <= last.address + last.count;
    const end = touches ? Math.max(last.address + last.count, p.address + p.count) : 0;
    if (touches && !last.alone && p.alone !== true && end - last.address <= limit) {
      last.count = end - last.address;
      last.points.push(p.id);
    } else {
      requests.push({ table: p.table, address: p.address, count: p.count, points: [p.id], alone: p.alone === true });
    }
  }
  return requests.map(({ alone: _, ...request }) => request);
}
