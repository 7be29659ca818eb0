/** Writes the JSON schemas for editors into config/. Run it after changing a schema: node scripts/schemas.ts */
import { writeFileSync } from 'node:fs';
import { driverFaces } from '../drivers/index.ts';
import { siteJsonSchema } from '../src/config/index.ts';
import { rulesJsonSchema } from '../src/rules/index.ts';

const write = (name: string, schema: unknown): void =>
  writeFileSync(new URL(`../config/${name}`, import.meta.url), `${JSON.stringify(schema, null, 2)}\n`);

write('weinao.schema.json', siteJsonSchema(await driverFaces()));
write('rules.schema.json', rulesJsonSchema());
