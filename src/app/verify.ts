/** `weinao feed verify`: a captured feed, or a live one, held against its contract. */
import { connectBroker } from '../io/mqtt.ts';
import { createVerifier, type Member, type Summary } from '../uplink/index.ts';

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

export async function verifyCapture(lines: AsyncIterable<string>): Promise<Verified> {
  const verifier = createVerifier();
  let unreadable = 0;
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const read = message(line);
    if (read === undefined) unreadable++;
    else verifier.take(read.topic, read.payload);
  }
  return { ...verifier.summary(), unreadable };
}

/** Listens at a broker until the signal aborts. */
export async function verifyLive(
  url: string,
  topic: string,
  protocol: 3 | 5,
  onMember: (member: Member) => void,
  stop: AbortSignal,
): Promise<Verified> {
  const verifier = createVerifier();
  const connection = await connectBroker({ url, protocol, clientId: `weinao-verify-${process.pid}`, clean: true });
  connection.onMessage((name, payload) => {
    const member = verifier.take(name, payload);
    if (member !== undefined) onMember(member);
  });
  await connection.subscribe([topic]);
  await new Promise<void>((resolve) => {
    stop.addEventListener('abort', () => resolve(), { once: true });
    connection.onClose(() => resolve());
  });
  await connection.close();
  return { ...verifier.summary(), unreadable: 0 };
}

export const isFaulty = (v: Verified): boolean =>
  v.chain !== 'ok' || v.gaps > 0 || v.unreadable > 0 || v.proofs.bad > 0;
