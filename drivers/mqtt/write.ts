/** Writing through a broker: one message to the device's topic, and the device's own word that it is so. */
import { WeinaoError } from '../../src/base/errors/index.ts';
import type { Value } from '../../src/base/reading.ts';
import type { RawReading, WriteResult } from '../../src/kit/driver.ts';
import type { IntakeContext } from '../../src/kit/intake.ts';
import { topicOf } from './routes.ts';
import type { MqttDevice, MqttPoint } from './schema.ts';

interface Waiting {
  readonly key: string;
  take(value: Value | null): void;
}

export class Writer {
  private readonly context: Pick<IntakeContext, 'devices' | 'publish'>;
  private readonly waiting = new Set<Waiting>();

  constructor(context: Pick<IntakeContext, 'devices' | 'publish'>) {
    this.context = context;
  }

  /** Done when the device's state topic says so before the signal ends the wait. */
  async write(device: string, id: string, value: Value, signal: AbortSignal): Promise<WriteResult> {
    const config = this.context.devices.find((d) => d.id === device)?.config as MqttDevice | undefined;
    const point = config?.points[id];
    if (config === undefined || point === undefined)
      throw new WeinaoError('device.unknown_point', { device, point: id });
    if (point.write === undefined)
      throw new WeinaoError('device.not_writable', { point: id, zh: '没有写 write', en: 'it has no write' });
    const { topic, template, read_back } = point.write;
    const said = JSON.stringify(wordFor(point, value)).slice(1, -1);
    const answer = read_back ? this.answer(`${device} ${id}`, value, point, signal) : undefined;
    await this.context.publish(
      topicOf(topic, config),
      template.replaceAll('{value}', () => said),
    );
    return answer ?? { done: true };
  }

  heard(device: string, readings: readonly RawReading[]): void {
    if (this.waiting.size === 0) return;
    for (const { point, value } of readings)
      for (const one of this.waiting) if (one.key === `${device} ${point}`) one.take(value);
  }

  close(): void {
    this.waiting.clear();
  }

  private answer(key: string, value: Value, point: MqttPoint, signal: AbortSignal): Promise<WriteResult> {
    return new Promise((resolve) => {
      let last: Value | undefined;
      const end = (done: boolean): void => {
        this.waiting.delete(one);
        signal.removeEventListener('abort', tooLate);
        resolve({ done, ...(last === undefined ? {} : { readBack: last }) });
      };
      const tooLate = (): void => end(false);
      const one: Waiting = {
        key,
        take: (now) => {
          if (now === null) return;
          last = now;
          if (isSame(now, value, point)) end(true);
        },
      };
      this.waiting.add(one);
      signal.addEventListener('abort', tooLate, { once: true });
      if (signal.aborted) tooLate();
    });
  }
}

/** The word that reads as this value. */
function wordFor({ words, scale = 1, offset = 0 }: MqttPoint, value: Value): string {
  const word = Object.entries(words ?? {}).find(([, meaning]) => meaning === value)?.[0];
  if (word !== undefined) return word;
  return typeof value === 'number' ? String(Number(((value - offset) / scale).toPrecision(12))) : String(value);
}

/** As near as the device's steps allow. */
function isSame(now: Value, value: Value, { scale = 1 }: MqttPoint): boolean {
  if (typeof now !== 'number' || typeof value !== 'number') return now === value;
  return Math.abs(now - value) <= Math.abs(scale) / 2;
}
