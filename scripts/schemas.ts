/** Writes the JSON schemas for editors into config/. Run it after changing a schema: node scripts/schemas.ts */
import { writeFileSync } from 'node:fs';
import { driverFaces } from '../drivers/index.ts';
import { siteJsonSchema } from '../src/config/index.ts';

writeFileSync(
  new URL('../config/weinao.schema.json', import.meta.url),
  `${JSON.stringify(siteJsonSchema(await driverFaces()), null, 2)}\n`,
);
