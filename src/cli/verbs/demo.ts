import { runDemo } from '../../app/demo/index.ts';
import { WeinaoError } from '../../base/errors/index.ts';
import { parseDuration } from '../../base/time.ts';
import type { Call } from '../world.ts';

/** `weinao demo [--for 30s]`: a simulated estate, end to end. */
export async function demo(call: Call, options: { readonly for?: string }): Promise<number> {
  const { world, lang, json } = call;
  const forMs = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for !== undefined && forMs === undefined)
    throw new WeinaoError('cli.bad_duration', { given: options.for });
  return runDemo({
    ...(forMs === undefined ? {} : { forMs }),
    json,
    lang,
    colour: world.isTty && world.env.NO_COLOR === undefined,
    out: (text) => world.out(text),
    err: (text) => world.err(text),
    stop: world.stop,
  });
}
