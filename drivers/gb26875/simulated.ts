/**
 * A transmission device for `weinao simulate`: `{driver: gb26875, address: 3456, events: [{at: 5s, component: "1.0.12", states: [fire]}]}`. It connects
 * (`connect:` in the file), and says its events when they are due.
 */
import { duration, z } from '../../src/kit/schema.ts';
import type { Simulation } from '../../src/kit/simulation.ts';
import { STATES } from './codec.ts';
import { createFireSimulator } from './simulator.ts';

const PLACE = 3;
const place = z.string().transform((text, ctx): readonly [number, number, number] => {
  const numbers = text.split('.').map(Number);
  const [system = Number.NaN, at = Number.NaN, component = 0] = numbers;
  if (numbers.length <= PLACE && [system, at, component].every((n) => Number.isInteger(n) && n >= 0))
    return [system, at, component];
  ctx.addIssue({ code: 'custom', message: `${text} ?` });
  return z.NEVER;
});
const schema = z.strictObject({
  address: z.int().min(0),
  events: z
    .array(
      z.strictObject({
        at: duration,
        component: place.optional(),
        system: place.optional(),
        states: z.array(z.enum(STATES)).default([]),
      }),
    )
    .min(1),
});

export const simulation: Simulation = {
  schema,
  speak: ({ address, events }: z.output<typeof schema>) => {
    const panel = createFireSimulator(address);
    return events.map(({ at, component, system, states }) => ({
      at,
      bytes: () => {
        if (component !== undefined) return panel.component(component, states);
        return system === undefined ? panel.transmitter(1) : panel.system([system[0], system[1]], states);
      },
    }));
  },
};
