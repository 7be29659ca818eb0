/** The JSON schema of weinao.yaml for editors, generated from the zod schemas; `config/weinao.schema.json` is its checked-in copy. */
import { z } from 'zod';
import type { DriverFace } from '../base/driver.ts';
import { deviceCommon, siteSchema } from './schema.ts';

export function siteJsonSchema(drivers: readonly DriverFace[]): unknown {
  const options = { io: 'input', unrepresentable: 'any', target: 'draft-2020-12' } as const;
  const site = z.toJSONSchema(siteSchema, options) as unknown as { properties: { devices: Record<string, unknown> } };
  const common = z.toJSONSchema(z.looseObject(deviceCommon), options) as unknown as {
    properties: Record<string, object>;
    required?: string[];
  };
  const sections = drivers.map((driver) => {
    const own = z.toJSONSchema(driver.schema as z.ZodType, options) as unknown as {
      properties: Record<string, object>;
      required?: string[];
    };
    return {
      type: 'object',
      properties: { ...common.properties, driver: { const: driver.name }, ...own.properties },
      required: ['driver', ...(own.required ?? []).filter((key) => key !== 'points')],
      additionalProperties: false,
    };
  });
  const devices = {
    ...site.properties.devices,
    additionalProperties: sections.length === 1 ? sections[0] : { anyOf: sections },
  };
  return { ...site, title: 'weinao.yaml', properties: { ...site.properties, devices } };
}
