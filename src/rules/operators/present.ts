/** The newest values of several devices, taken together: how many bays are free, the warmest room. */
import type { Json } from '../../base/json.ts';
import type { Value } from '../../base/reading.ts';
import type { WindowFunction } from '../language/window.ts';
import { numberOf, type Operator, type Sample } from './operator.ts';
import { median } from './stats.ts';

export class Present implements Operator {
  closed = 0;
  private readonly fn: WindowFunction;
  private readonly is: Value;
  private readonly need: number;
  private readonly values: (Value | undefined)[];

  /** @param need share of the devices that must be known */
  constructor(fn: WindowFunction, is: Value, need: number, count: number) {
    this.fn = fn;
    this.is = is;
    this.need = need;
    this.values = new Array<Value | undefined>(count).fill(undefined);
  }

  take({ source, value, isOld }: Sample): void {
    if (isOld !== true && source < this.values.length) this.values[source] = value;
  }

  read(): number | undefined {
    const known = this.values.filter((v) => v !== undefined);
    if (known.length === 0 || known.length < this.need * this.values.length) return undefined;
    if (this.fn === 'count') return known.filter((v) => v === this.is).length;
    const numbers = known.map(numberOf).filter((x) => !Number.isNaN(x));
    if (numbers.length === 0) return undefined;
    const sum = numbers.reduce((a, b) => a + b, 0);
    switch (this.fn) {
      case 'min':
        return Math.min(...numbers);
      case 'max':
        return Math.max(...numbers);
      case 'sum':
        return sum;
      case 'avg':
        return sum / numbers.length;
      default:
        return median(numbers);
    }
  }

  next(): undefined {
    return undefined;
  }

  ended(): undefined {
    return undefined;
  }

  /** Read anew from the field after a restart. */
  save(): Json {
    return [];
  }

  load(): void {}

  shift(): void {}
}
