/**
 * What a driver sees that is spoken to by other systems on a channel all its devices share: messages of a broker, or requests over HTTP. The engine
 * opens and keeps the channel; the driver says what it wants to hear, and what it made of it.
 */
import type { SecretRef } from '../base/model.ts';
import type { Value } from '../base/reading.ts';
import type { ListenContext, WriteResult } from './told.ts';

/** A message of a broker. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** kept by the broker: how things were, not something that happened now */
  readonly retained: boolean;
  /** perhaps delivered once before */
  readonly again: boolean;
}

/** A request, its body read and bounded by the server. */
export interface IntakeRequest {
  readonly method: string;
  readonly path: string;
  /** names in lower case */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** address of the caller */
  readonly from: string;
}

export interface IntakeReply {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface IntakeContext extends Omit<ListenContext, 'hear'> {
  /** The device said this. False when it does not run at this moment: whoever sent it should send it again. */
  hear(device: string, result: Parameters<ListenContext['hear']>[1]): boolean;
  /** Somebody who must know says that the device is gone. */
  lose(device: string): void;
  /** What was heard so far, and what rules made of it, is in the store. False = the store does not answer. */
  settled(): Promise<boolean>;
  /** A form's entry, made by a device; its id, which may be given. Throws forms.*: what was refused. */
  submit(device: string, form: string, fields: Readonly<Record<string, unknown>>, id?: string): string;
  /** undefined when it cannot be read */
  secret(ref: SecretRef): Promise<string | undefined>;
  /** to the broker; rejects with link.closed while there is no connection */
  publish(topic: string, payload: string): Promise<void>;
}

/** The last a device said, and what was made of it: for `weinao probe DEVICE`. */
export interface LastHeard {
  /** UTC ms */
  readonly at: number;
  /** topic, or method and path */
  readonly where: string;
  /** the beginning of what was said, as text */
  readonly text: string;
  readonly retained?: boolean;
  /** why nothing was made of the whole; a word of `dropped` */
  readonly refused?: string;
  readonly made: readonly Made[];
}

/** What a point got. */
export interface Made {
  readonly point: string;
  /** undefined: the message says nothing of it */
  readonly value?: Value | null;
  readonly quality?: string;
  readonly why?: string;
}

export interface Intake {
  /** topics a device wants to hear; asked anew when its section changed */
  topics?(device: string): readonly string[];
  message?(message: Message): void;
  request?(request: IntakeRequest): Promise<IntakeReply>;
  write?(device: string, point: string, value: Value, signal: AbortSignal): Promise<WriteResult>;
  last(device: string): LastHeard | undefined;
  /** messages and requests nothing was made of, by reason */
  dropped(): Readonly<Record<string, number>>;
  close(): void;
}
