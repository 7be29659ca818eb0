/**
 * Listener for fire-alarm user transmission devices (用户信息传输装置). They connect to us and send; every send is acknowledged at once, also one without
 * data and one of a maker's own type, else the device would repeat it and report a line fault to its panel.
 *
 * A point without a place is true while any component or system is in its state. Which ones are is kept in the device's memory, so that after a restart
 * the end of one fire is not taken for the end of all.
 * Bounds: HELD bytes of an unfinished frame; MOST_ACTIVE components in one state, beyond which the state stays true until the panel is reset.
 * It never sends anything but acknowledgements: no control, no time, no reset.
 */
import type { Conversation, ListenContext, Memory, RawReading } from '../../src/kit/driver.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { type Told, unitOf } from './codec.ts';
import { ackOf, type Frame26875, grammar26875, SEND } from './frame.ts';
import type { FireDevice, FirePoint } from './schema.ts';

const HELD = 1200;
const ACTIVE = 'active';
const MOST_ACTIVE = 500;
/** addresses nobody configured, told once each for a connection */
const MOST_STRANGERS = 8;

export function converse26875(context: ListenContext): Conversation {
  let held: Uint8Array = new Uint8Array(0);
  const strangers = new Set<number>();
  return {
    receive: (bytes) => {
      const all = Uint8Array.of(...held, ...bytes);
      const { found } = framesIn(all, grammar26875);
      held = all.slice(Math.max(found.at(-1)?.end ?? 0, all.length - HELD));
      return found.flatMap(({ frame }) => {
        if (!hear(context, frame) && strangers.size < MOST_STRANGERS && !strangers.has(frame.source)) {
          strangers.add(frame.source);
          context.log.warn('gb26875.unknown_source', { address: frame.source });
        }
        return frame.command === SEND ? [ackOf(frame)] : [];
      });
    },
  };
}

/** False when no device of the configuration has this address. */
function hear(context: ListenContext, frame: Frame26875): boolean {
  const devices = context.devices.filter((d) => (d.config as FireDevice).address === frame.source);
  for (const device of devices) {
    const { points } = device.config as FireDevice;
    const told = frame.command === SEND ? (unitOf(frame.data)?.told ?? []) : [];
    const readings = told.flatMap((one) => readingsOf(one, points, context.memory(device.id)));
    context.hear(device.id, { readings, faults: [] });
  }
  return devices.length > 0;
}

function readingsOf(told: Told, points: Readonly<Record<string, FirePoint>>, memory: Memory): RawReading[] {
  const out: RawReading[] = [];
  const active = told.kind === 'analog' ? undefined : remember(told, memory);
  for (const [id, point] of Object.entries(points)) {
    const value = valueOfPoint(point, told, active);
    if (value !== undefined) out.push({ point: id, value });
  }
  return out;
}

/** Undefined when what was told does not concern the point. */
function valueOfPoint(
  point: FirePoint,
  told: Told,
  active: ReadonlySet<string> | undefined,
): boolean | number | undefined {
  if (told.kind === 'analog')
    return point.analog === told.name && point.component === told.where ? told.value : undefined;
  const { state } = point;
  if (state === undefined) return undefined;
  if (told.kind === 'transmitter') return point.transmitter ? told.states.has(state) : undefined;
  if (point.transmitter) return undefined;
  if (point.component !== undefined)
    return told.kind === 'component' && point.component === told.where ? told.states.has(state) : undefined;
  if (point.system !== undefined)
    return told.kind === 'system' && point.system === told.where ? told.states.has(state) : undefined;
  return active === undefined ? undefined : [...active].some((entry) => entry.startsWith(`${state} `));
}

/** `state place` of everything that is in a state, as it stands after this. */
function remember(told: Exclude<Told, { kind: 'analog' }>, memory: Memory): ReadonlySet<string> {
  const before = memory.get(ACTIVE) ?? '';
  const active = new Set(before.split('\n').filter((entry) => entry !== ''));
  if (told.kind === 'transmitter') return active;
  for (const entry of active) if (entry.endsWith(` ${told.where}`)) active.delete(entry);
  for (const state of told.states) {
    const many = [...active].filter((entry) => entry.startsWith(`${state} `)).length >= MOST_ACTIVE;
    active.add(many ? `${state} more` : `${state} ${told.where}`);
  }
  const body = [...active].sort().join('\n');
  if (body !== before) memory.set(ACTIVE, body);
  return active;
}
