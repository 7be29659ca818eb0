/** The device section of an M-Bus meter. Keys and meaning: the technician's manual in README.md. */
import { duration, fieldCommon, meterAddress, pointCommon, z } from '../../src/kit/schema.ts';

const { bit: _, ...field } = fieldCommon;

export const pointSchema = z.strictObject({
  ...pointCommon,
  ...field,
  field: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'energy volume power volume_flow flow_temp return_temp ...' }),
  record: z.int().min(0).max(255).optional().meta({ description: 'place of the record in the reply, from 0' }),
  storage: z.int().min(0).default(0),
  tariff: z.int().min(0).default(0),
  subunit: z.int().min(0).default(0),
});

export const deviceSchema = z.strictObject({
  address: z.int().min(0).max(250).optional().meta({ description: 'primary address, 0-250' }),
  number: meterAddress(8).optional().meta({ description: 'number on the meter: secondary addressing' }),
  timeout: duration.optional(),
  points: z.record(z.string(), pointSchema).refine((points) => Object.keys(points).length > 0, {
    message: 'empty',
    params: { code: 'config.no_points' },
  }),
});

export type MbusPoint = z.output<typeof pointSchema>;
export type MbusDevice = z.output<typeof deviceSchema>;
