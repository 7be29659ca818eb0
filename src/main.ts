/** Entry: arguments in, exit code out. */
import { processWorld } from './app/process-world.ts';
import { cli } from './cli/index.ts';

const code = await cli(process.argv.slice(2), processWorld());
process.exit(code);
