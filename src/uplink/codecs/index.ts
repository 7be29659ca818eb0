/**
 * The codecs, by the name a feed gives in `codec:`. Another platform is one file here beside its golden messages:
 *
 * 1. `src/uplink/codecs/<name>.ts` exports `create<Name>(context): Codec`. What a thing-model platform needs is in `thing.ts`: members read into samples
 *    and alarms, names on the platform, times, numbers with their decimal point. Its head says what the platform wants and what is lost.
 * 2. `src/uplink/codecs/<name>.golden.txt`: the packets it makes of the members in `codecs.test.ts`; write them with WEINAO_WRITE_EXPECTED=1, then read
 *    them against the platform's documentation before committing them.
 * 3. A line below, its name in CODECS of `src/base/model.ts`, and what it must be told in `src/config/ways.ts`.
 */
import type { CodecName } from '../../base/model.ts';
import type { Codec, CodecContext } from '../codec.ts';
import { createAlink } from './alink.ts';
import { createCloudEvents } from './cloudevents.ts';
import { createThingsBoard } from './thingsboard.ts';

const CODECS_BY_NAME: Readonly<Record<CodecName, (context: CodecContext) => Codec>> = {
  cloudevents: createCloudEvents,
  alink: createAlink,
  thingsboard: createThingsBoard,
};

export function createCodec(context: CodecContext): Codec {
  return CODECS_BY_NAME[context.feed.codec ?? 'cloudevents'](context);
}
