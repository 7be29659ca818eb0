/** A device that is asked over HTTP, as its simulator sees one request and says one answer: what comes out of the socket, and when. */

export interface WebRequest {
  readonly method: string;
  /** with its query */
  readonly path: string;
  /** names in lower case */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** the port it came to */
  readonly port: number;
}

export interface WebAnswer {
  /** absent: what comes is no HTTP, or nothing comes at all */
  readonly head?: { readonly status: number; readonly headers: readonly (readonly [name: string, value: string])[] };
  /** each so long after the one before it */
  readonly chunks: readonly { readonly afterMs: number; readonly bytes: Uint8Array }[];
  /** `end`: complete; `close`, `reset`: the connection goes; `hang`: nothing more until the client leaves; `refuse`: there was no connection */
  readonly end: 'end' | 'close' | 'reset' | 'hang' | 'refuse';
  readonly endAfterMs?: number;
}

/** The signal says that the client is gone. */
export type WebHandler = (request: WebRequest, signal: AbortSignal) => Promise<WebAnswer>;
