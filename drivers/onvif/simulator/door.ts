/**
 * Cameras in the same process, on the given clock: what base/ports.ts promises of an HttpDoor, without a network. The camera that has the address now is
 * the one that answers, so one that moves is gone from where it was.
 */
import { WeinaoError } from '../../../src/base/errors/index.ts';
import type { Clock, HttpAnswer, HttpAsk, HttpDoor, HttpLimits, UdpDoor } from '../../../src/base/ports.ts';
import type { WebAnswer } from '../../../src/base/web.ts';
import type { Camera } from '../simulator.ts';

export function cameraDoor(cameras: Iterable<Camera>, clock: Clock): HttpDoor {
  return { ask: (ask, limits) => exchange(ask, limits, cameras, clock) };
}

/** The same cameras by datagrams: a group reaches all of them. */
export function cameraUdp(cameras: Iterable<Camera>, clock: Clock): UdpDoor {
  return {
    ask: async (to, bytes, { forMs, signal }, heard) => {
      const isGroup = to.host.startsWith('239.');
      for (const camera of cameras)
        if (isGroup || camera.place.host === to.host)
          for (const answer of camera.discover(bytes)) heard(answer, { host: camera.place.host, port: to.port });
      await clock.sleep('datagrams', forMs, signal).catch(() => {});
    },
  };
}

/** What is over, and why: the deadline, or the asker's signal. */
interface Over {
  readonly signal: AbortSignal;
  readonly happened: Promise<undefined>;
  why(): WeinaoError | undefined;
  end(): void;
}

async function exchange(
  ask: HttpAsk,
  limits: HttpLimits,
  cameras: Iterable<Camera>,
  clock: Clock,
): Promise<HttpAnswer> {
  const target = new URL(ask.url);
  const { host, hostname } = target;
  const port = Number(target.port === '' ? 80 : target.port);
  const over = endOf(limits, host, clock);
  try {
    const camera = [...cameras].find((c) => c.place.host === hostname && !c.isDown);
    if (camera === undefined) throw new WeinaoError('http.unreachable', { host, detail: 'EHOSTUNREACH' });
    if (!camera.ports.includes(port)) throw new WeinaoError('http.refused', { host });
    const headers = Object.fromEntries(Object.entries(ask.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
    const path = target.pathname + target.search;
    const request = { method: ask.method, path, headers, body: Buffer.from(ask.body ?? ''), port };
    const answer = await Promise.race([camera.handle(request, over.signal), over.happened]);
    const heard = answer === undefined ? undefined : await listen(answer, limits.maxBytes, over, clock);
    const why =
      over.why() ?? (heard?.cut === undefined ? undefined : new WeinaoError(heard.cut, { host, ...LIMIT(limits) }));
    if (answer?.head === undefined || heard === undefined || limits.signal.aborted)
      throw why ?? new WeinaoError('http.reset', { host });
    const body = Buffer.concat(heard.chunks);
    const told = { status: answer.head.status, headers: collected(answer.head.headers), body };
    return why === undefined ? told : { ...told, cut: why };
  } finally {
    over.end();
  }
}

const LIMIT = ({ maxBytes }: HttpLimits) => ({ limit: maxBytes, detail: 'HPE_INVALID_CONSTANT' });

function endOf({ deadlineMs, signal }: HttpLimits, host: string, clock: Clock): Over {
  const over = new AbortController();
  let why: WeinaoError | undefined;
  const stop = (error: WeinaoError): void => {
    why ??= error;
    over.abort();
  };
  const cancel = (): void => stop(new WeinaoError('link.cancelled', { channel: host }));
  const late = clock.timer('deadline', deadlineMs, () => stop(new WeinaoError('http.late', { host, ms: deadlineMs })));
  const happened = new Promise<undefined>((resolve) =>
    over.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const end = (): void => {
    late.cancel();
    signal.removeEventListener('abort', cancel);
    over.abort();
  };
  return { signal: over.signal, happened, why: () => why, end };
}

function collected(headers: readonly (readonly [string, string])[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [name, value] of headers) found[name.toLowerCase()] = [...(found[name.toLowerCase()] ?? []), value];
  return found;
}

interface Heard {
  readonly chunks: readonly Uint8Array[];
  readonly cut?: 'http.refused' | 'http.reset' | 'http.garbage' | 'http.cut' | 'http.too_big';
}

/** The answer as its bytes come, up to what is declared, allowed, or broken off. */
async function listen(
  { head, chunks, end, endAfterMs = 0 }: WebAnswer,
  maxBytes: number,
  over: Over,
  clock: Clock,
): Promise<Heard> {
  const pause = async (ms: number): Promise<void> => {
    if (ms > 0) await clock.sleep('bytes', ms, over.signal).catch(() => {});
  };
  if (end === 'refuse') return { chunks: [], cut: 'http.refused' };
  if (head === undefined && chunks.length > 0) return { chunks: [], cut: 'http.garbage' };
  const declared = head?.headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  const wanted = declared === undefined ? Number.POSITIVE_INFINITY : Number(declared);
  const heard: Uint8Array[] = [];
  let size = 0;
  for (const { afterMs, bytes } of chunks) {
    await pause(afterMs);
    if (over.signal.aborted) return { chunks: heard };
    heard.push(bytes.subarray(0, Math.min(wanted, maxBytes) - size));
    size += bytes.length;
    if (Math.min(size, wanted) > maxBytes) return { chunks: heard, cut: 'http.too_big' };
    if (size >= wanted) return { chunks: heard };
  }
  await pause(endAfterMs);
  if (end === 'hang') await over.happened;
  if (over.signal.aborted || end === 'end') return { chunks: heard };
  return { chunks: heard, cut: head === undefined ? 'http.reset' : 'http.cut' };
}
