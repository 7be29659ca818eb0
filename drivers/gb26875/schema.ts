/** The device section of a transmission device. Keys and meaning: the technician's manual in README.md. */
import { pointCommon, z } from '../../src/kit/schema.ts';
import { ANALOGS, STATES } from './codec.ts';

const where = (parts: number) =>
  z.string().refine(
    (text) => {
      const numbers = text.split('.');
      return (
        numbers.length === parts && numbers.every((n) => n !== '' && Number.isInteger(Number(n)) && Number(n) >= 0)
      );
    },
    { message: 'where', params: { code: parts === 3 ? 'config.bad_component' : 'config.bad_system' } },
  );

export const pointSchema = z.strictObject({
  ...pointCommon,
  state: z.enum([...STATES, 'line_fault', 'panel_link_fault']).optional(),
  analog: z.enum([...ANALOGS.values()].map(([name]) => name) as [string, ...string[]]).optional(),
  component: where(3).optional().meta({ description: 'system type.system address.component address' }),
  system: where(2).optional().meta({ description: 'system type.system address' }),
  transmitter: z.boolean().default(false),
});

export const deviceSchema = z.strictObject({
  address: z
    .int()
    .min(0)
    .max(2 ** 48 - 1)
    .meta({ description: 'source address of the transmission device' }),
  points: z.record(z.string(), pointSchema).refine((points) => Object.keys(points).length > 0, {
    message: 'empty',
    params: { code: 'config.no_points' },
  }),
});

export type FirePoint = z.output<typeof pointSchema>;
export type FireDevice = z.output<typeof deviceSchema>;
