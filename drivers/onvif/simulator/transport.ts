/** An answer on its way: what really comes out of the camera's socket, and when. */
import type { WebAnswer } from '../../../src/base/web.ts';
import type { TransportFault } from './faults.ts';

/** these come before anybody has read the question */
export const BEFORE: readonly (TransportFault | undefined)[] = ['refused', 'html-401', 'html-503', 'tls-bytes', 'hang'];

export interface Plain {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

const MB = 1024 * 1024;
const TLS_ALERT = Uint8Array.of(0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x50);
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const html = (status: number): Plain => ({
  status,
  headers: [['Content-Type', 'text/html']],
  body: bytes(`<html><head><title>${status}</title></head><body><p>Please log in<br></body></html>`),
});

export function whole({ status, headers, body }: Plain): WebAnswer {
  const length: readonly [string, string] = ['Content-Length', String(body.length)];
  return { head: { status, headers: [...headers, length] }, chunks: [{ afterMs: 0, bytes: body }], end: 'end' };
}

export function carried(plain: Plain, fault: TransportFault | undefined): WebAnswer {
  const { status, headers, body } = plain;
  const half = body.subarray(0, Math.floor(body.length / 2));
  const sized = (length: number) => ({ status, headers: [...headers, ['Content-Length', String(length)] as const] });
  switch (fault) {
    case undefined:
      return whole(plain);
    case 'refused':
      return { chunks: [], end: 'refuse' };
    case 'closed-before-header':
      return { chunks: [], end: 'reset' };
    case 'closed-after-10s':
      return { chunks: [], end: 'close', endAfterMs: 10_000 };
    case 'hang':
      return { chunks: [], end: 'hang' };
    case 'closed-in-body':
      return { head: sized(body.length), chunks: [{ afterMs: 0, bytes: half }], end: 'reset' };
    case 'short-length':
      return { ...whole(plain), head: sized(half.length) };
    case 'long-length':
      return { head: sized(body.length + 100), chunks: [{ afterMs: 0, bytes: body }], end: 'hang' };
    case 'drip':
      return { ...whole(plain), chunks: [...body].map((b) => ({ afterMs: 1000, bytes: Uint8Array.of(b) })) };
    case 'chunked':
      return { head: { status, headers }, chunks: pieces(body), end: 'end' };
    case 'html-401':
      return whole(html(401));
    case 'html-503':
      return whole(html(503));
    case 'tls-bytes':
      return { chunks: [{ afterMs: 0, bytes: TLS_ALERT }], end: 'close' };
    default:
      return {
        head: { status, headers: [['Content-Type', 'application/soap+xml']] },
        chunks: hostile(fault),
        end: 'end',
      };
  }
}

/** pieces of seven bytes: none ends where an element does */
function pieces(body: Uint8Array): WebAnswer['chunks'] {
  const SIZE = 7;
  return Array.from({ length: Math.ceil(body.length / SIZE) }, (_, i) => ({
    afterMs: 0,
    bytes: body.subarray(i * SIZE, (i + 1) * SIZE),
  }));
}

function hostile(fault: 'huge' | 'deep' | 'doctype'): WebAnswer['chunks'] {
  const soap = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>';
  if (fault === 'deep') return [{ afterMs: 0, bytes: bytes(`${soap}${'<a>'.repeat(100_000)}`) }];
  if (fault === 'doctype') {
    const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
    const bomb = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l0 "lol">${entities}]>`;
    return [{ afterMs: 0, bytes: bytes(`${bomb}${soap}<a>&l9;</a></s:Body></s:Envelope>`) }];
  }
  const filler = new Uint8Array(MB).fill(0x20);
  return [{ afterMs: 0, bytes: bytes(soap) }, ...Array.from({ length: 100 }, () => ({ afterMs: 0, bytes: filler }))];
}
