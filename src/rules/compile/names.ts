/** The names an expression may use, with their types and where their values come from. */
import type { PointModel } from '../../base/model.ts';

export type CelType = 'bool' | 'double' | 'string';

export type Ref =
  | { readonly kind: 'point'; readonly device: string; readonly point: string }
  | { readonly kind: 'window'; readonly name: string }
  /** a field of the nearest device of a kind, or of the device a pattern was seen at */
  | { readonly kind: 'field'; readonly name: string; readonly field: string }
  | { readonly kind: 'time'; readonly name: string }
  /** name, place, held and constants: always known */
  | { readonly kind: 'fixed'; readonly name: string };

export interface Named {
  readonly type: CelType;
  readonly ref: Ref;
}

export const CEL: Readonly<Record<PointModel['kind'], CelType>> = { bool: 'bool', number: 'double', string: 'string' };

export class Names {
  private readonly plain = new Map<string, Named | 'twice'>();
  private readonly objects = new Map<string, ReadonlyMap<string, Named>>();
  /** names of devices of the whole site, looked up only when asked for */
  private readonly further: (name: string) => ReadonlyMap<string, Named> | undefined;

  private readonly elsewhere: () => Iterable<string>;

  constructor(
    further: (name: string) => ReadonlyMap<string, Named> | undefined = () => undefined,
    elsewhere: () => Iterable<string> = () => [],
  ) {
    this.further = further;
    this.elsewhere = elsewhere;
  }

  add(name: string, named: Named): void {
    this.plain.set(name, named);
  }

  /** A point of one of several devices: the second of a name makes both unusable bare. */
  addPoint(device: string, point: PointModel): void {
    const named: Named = { type: CEL[point.kind], ref: { kind: 'point', device, point: point.id } };
    this.plain.set(point.id, this.plain.has(point.id) ? 'twice' : named);
  }

  addObject(name: string, fields: ReadonlyMap<string, Named>): void {
    this.objects.set(name, fields);
  }

  find(name: string): Named | 'twice' | undefined {
    return this.plain.get(name);
  }

  object(name: string): ReadonlyMap<string, Named> | undefined {
    return this.objects.get(name) ?? this.further(name);
  }

  words(): string[] {
    return [...this.plain.keys(), ...this.objects.keys()];
  }

  /** for a guess at what was meant */
  allWords(): string[] {
    return [...this.words(), ...this.elsewhere()];
  }
}

export function pointFields(device: string, points: Iterable<PointModel>): ReadonlyMap<string, Named> {
  return new Map(
    [...points].map((p) => [p.id, { type: CEL[p.kind], ref: { kind: 'point', device, point: p.id } as const }]),
  );
}
