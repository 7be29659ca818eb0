/** What a device costs its line, and why: for `weinao plan`. */
import type { Text } from '../../src/base/text.ts';
import type { DevicePlan, PlanContext } from '../../src/kit/driver.ts';
import { wantedOf } from './layout.ts';
import { type Learned, limitsOf, readLearned } from './learned.ts';
import { type Limits, plan, type Request, timeOf, totalOf } from './plan.ts';
import { LEARNED } from './reader.ts';
import { limitsOfDevice, type ModbusDevice } from './schema.ts';
import { costOf, USUAL_TURNAROUND } from './wire.ts';

/** No limit but the protocol's: what would be possible if the device took everything. */
const UNBOUND: Limits = { registers: 125, bits: 2000, bridge: 124, holes: [] };

export function planned({ device, channel, memory, points }: PlanContext): DevicePlan {
  const config = device.config as ModbusDevice;
  const learned = readLearned(memory.get(LEARNED), config);
  const cost = costOf(channel, learned.turnaround ?? USUAL_TURNAROUND);
  const asked = Object.entries(config.points).filter(([id]) => points?.includes(id) ?? true);
  const wanted = asked.map(([id, point]) => ({
    ...wantedOf(id, point),
    alone: learned.alone.includes(id),
  }));
  const reads = plan(wanted, limitsOf(learned, limitsOfDevice(config)), cost);
  const free = plan(
    wanted.map((w) => ({ ...w, alone: false })),
    UNBOUND,
    cost,
  );
  return {
    reads: reads.map((read) => ({
      what: spanOf(read),
      points: read.points.length,
      registers: read.count,
      ms: timeOf(read, cost),
    })),
    ms: totalOf(reads, cost),
    leastMs: totalOf(free, cost),
    learned: reasons(learned),
  };
}

const spanOf = ({ table, address, count }: Request): string =>
  count === 1 ? `${table} ${address}` : `${table} ${address}-${address + count - 1}`;

function reasons({ reach, holes, alone, turnaround }: Learned): Text[] {
  const out: Text[] = [];
  if (turnaround !== undefined)
    out.push({ zh: `应答延迟约 ${turnaround} 毫秒`, en: `thinks for about ${turnaround} ms` });
  for (const [kind, { good, bad }] of Object.entries(reach)) {
    const what = kind === 'bits' ? { zh: '位', en: 'bits' } : { zh: '个寄存器', en: 'registers' };
    const open = bad - good > 1;
    out.push({
      zh: `一次最多 ${good} ${what.zh}（${bad} 被拒绝${open ? '，仍在试探' : ''}）`,
      en: `takes ${good} ${what.en} at once (${bad} were refused${open ? ', still being tried' : ''})`,
    });
  }
  for (const { table, from, to } of holes)
    out.push({
      zh: `${table} ${from}-${to} 不可读，不再跨读`,
      en: `${table} ${from}-${to} cannot be read, and is not bridged`,
    });
  if (alone.length > 0)
    out.push({
      zh: `被拒绝，只偶尔单独试读：${alone.join(' ')}`,
      en: `refused, asked alone and seldom: ${alone.join(' ')}`,
    });
  return out;
}
