/** `weinao feed verify`: a captured feed, or a live one, held against its contract. */
import { WeinaoError } from '../base/errors/index.ts';
import { systemClock } from '../io/clock.ts';
import { systemFiles } from '../io/files.ts';
import { connectBroker } from '../io/mqtt.ts';
import { createVerifier, type Summary, type VerifierOptions } from '../uplink/index.ts';

/** One line of a capture: {"topic", "payload"} or {"topic", "base64"}; undefined = neither. */
function message(line: string): { topic: string; payload: Uint8Array } | undefined {
  try {
    const { topic, payload, base64 } = JSON.parse(line) as { topic?: unknown; payload?: unknown; base64?: unknown };
    if (typeof topic !== 'string') return undefined;
    if (typeof base64 === 'string') return { topic, payload: Buffer.from(base64, 'base64') };
    if (typeof payload === 'string') return { topic, payload: new TextEncoder().encode(payload) };
    return typeof payload === 'object' && payload !== null
      ? { topic, payload: new TextEncoder().encode(JSON.stringify(payload)) }
      : undefined;
  } catch {
    return undefined;
  }
}

export interface Verified extends Summary {
  /** lines that are no capture */
  readonly unreadable: number;
}

export async function verifyCapture(lines: AsyncIterable<string>, options: VerifierOptions): Promise<Verified> {
  const verifier = createVerifier(options);
  let unreadable = 0;
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const read = message(line);
    if (read === undefined) unreadable++;
    else verifier.take(read.topic, read.payload);
  }
  return { ...verifier.summary(), unreadable };
}

export interface LiveBroker {
  readonly url: string;
  readonly protocol: 3 | 5;
  readonly user?: string;
  /** from the environment, never from the arguments, which everybody on the machine can read */
  readonly password?: string;
  /** files */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** nobody publishes here */
const FENCE = 'wn/0/fence';
const FENCE_MS = 2000;

/** Listens at a broker until the signal aborts; streams may have begun long before. */
export async function verifyLive(
  { url, protocol, user, password, ...files }: LiveBroker,
  topic: string,
  onListening: () => void,
  stop: AbortSignal,
  options: VerifierOptions = {},
): Promise<Verified> {
  const verifier = createVerifier({ ...options, midway: true });
  const connection = await connectBroker({
    url,
    protocol,
    clientId: `weinao-verify-${process.pid}`,
    clean: true,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(await contents(files)),
  });
  connection.onMessage((name, payload) => void verifier.take(name, payload));
  await connection.subscribe([topic]);
  onListening();
  await new Promise<void>((resolve) => {
    stop.addEventListener('abort', () => resolve(), { once: true });
    connection.onClose(() => resolve());
  });
  // A round trip: what the broker had for us when we were told to end is counted, and does not depend on who was faster.
  await Promise.race([connection.subscribe([FENCE]).catch(() => {}), systemClock().sleep('fence', FENCE_MS)]);
  await connection.close();
  return { ...verifier.summary(), unreadable: 0 };
}

async function contents(files: Readonly<Record<string, string | undefined>>): Promise<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [what, path] of Object.entries(files)) {
    if (path === undefined) continue;
    const text = await systemFiles().read(path, 64 * 1024);
    if (text === undefined) throw new WeinaoError('cli.unreadable', { path, detail: 'no such file' });
    read[what] = text;
  }
  return read;
}

export const isFaulty = (v: Verified): boolean =>
  v.chain !== 'ok' || v.gaps > 0 || v.unreadable > 0 || v.proofs.bad > 0;
