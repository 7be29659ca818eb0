import { findClient } from '../../app/client.ts';
import { EXIT } from '../../base/exit.ts';
import type { Value } from '../../base/reading.ts';
import { reasonText } from '../reasons.ts';
import type { Call } from '../world.ts';
import { type ByOption, who } from './alarms.ts';

interface Reply {
  readonly outcome: string;
  readonly why?: string;
  readonly value?: Value;
}

/** `weinao write DEVICE.POINT VALUE`: a person switches an output; 3 when it was not done. */
export async function write(call: Call, output: string, given: string, options: ByOption): Promise<number> {
  const { world, lang, config, json } = call;
  const client = await findClient(config, world.env);
  const ask = { output, value: readValue(given), by: who(call, options) };
  const reply = (await client.call('POST', '/v1/write', ask)).json as Reply;
  const isDone = reply.outcome === 'done';
  if (json) world.out(`${JSON.stringify(reply)}\n`);
  else if (isDone)
    world.out(lang === 'zh' ? `已写入，读回 ${String(reply.value)}\n` : `written, read back ${String(reply.value)}\n`);
  else {
    const why = reasonText(reply.why ?? '', lang);
    world.err(lang === 'zh' ? `没有写成：${why}\n` : `not written: ${why}\n`);
  }
  return isDone ? EXIT.ok : EXIT.noAnswer;
}

function readValue(given: string): Value {
  if (given === 'true' || given === 'false') return given === 'true';
  const number = Number(given);
  return given.trim() !== '' && Number.isFinite(number) ? number : given;
}
