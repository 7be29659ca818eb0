/**
 * A device of no standard, described by its configuration: a request and a reply, or a device that speaks by itself and is listened to. Read only.
 *
 * Its replies say nothing of the question they answer; a late one is told apart by counting (src/kit/owed.ts). A device that is only listened to keeps its
 * line for itself while a frame is awaited: it should have one of its own.
 */
import { isWeinaoError, type WeinaoError } from '../../src/base/errors/index.ts';
import type { Priority } from '../../src/base/line.ts';
import type { Driver, DriverContext, PollResult, RawReading } from '../../src/kit/driver.ts';
import { Owed } from '../../src/kit/owed.ts';
import { valueOfPoint } from './codec.ts';
import { framerOfDevice } from './frame.ts';
import type { SerialDevice } from './schema.ts';

const NOTHING = new Uint8Array(0);
/** how long a device that speaks by itself is waited for */
const LISTEN_MS = 5000;

export function createSerialDriver(context: DriverContext): Driver {
  return new SerialDriver(context);
}

class SerialDriver implements Driver {
  private readonly context: DriverContext;
  private readonly config: SerialDevice;
  private readonly owed = new Owed();

  constructor(context: DriverContext) {
    this.context = context;
    this.config = context.device.config as SerialDevice;
  }

  async probe(signal: AbortSignal): Promise<{ present: boolean; says?: string }> {
    const { faults } = await this.poll(Object.keys(this.config.points).slice(0, 1), signal);
    const error = faults[0]?.error;
    return error === undefined ? { present: true } : { present: false, says: error.tell('en').says };
  }

  async poll(ids: readonly string[], signal: AbortSignal): Promise<PollResult> {
    try {
      const frame = await this.frame(this.priorityOf(ids), signal);
      return { readings: ids.map((id) => this.take(id, frame)), faults: [] };
    } catch (error) {
      if (!isWeinaoError(error)) throw error;
      const faults = ids.map((point): { point: string; error: WeinaoError } => ({ point, error }));
      return { readings: [], faults };
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private frame(priority: Priority, signal: AbortSignal): Promise<Uint8Array> {
    const { request, timeout } = this.config;
    const framer = framerOfDevice(this.config);
    const ask = (): Promise<Uint8Array> =>
      this.context.line.turn(priority, signal, (turn) => {
        const deadlineMs = timeout ?? (request === undefined ? LISTEN_MS : undefined);
        return turn.transact(request ?? NOTHING, framer, deadlineMs === undefined ? {} : { deadlineMs });
      });
    return request === undefined ? ask() : this.owed.fresh(() => this.owed.question(ask));
  }

  private take(id: string, frame: Uint8Array): RawReading {
    const point = this.config.points[id];
    if (point === undefined) return { point: id, value: null, why: 'driver' };
    const value = valueOfPoint(point, frame, this.config.separator);
    if (value === null) return { point: id, value, why: 'nan' };
    const isOutside = typeof value === 'number' && (value < (point.min ?? value) || value > (point.max ?? value));
    return isOutside ? { point: id, value: null, why: 'range' } : { point: id, value };
  }

  private priorityOf(ids: readonly string[]): Priority {
    return ids.some((id) => this.context.priority(id) === 'alarm') ? 'alarm' : 'poll';
  }
}
