/** What every part of a simulated camera stands on. */
import type { AddressStyle, CameraFaults } from './faults.ts';
import type { Persona } from './personas.ts';
import { timeText, type Writer } from './writer.ts';

/** Where the camera is reached; a test or a server may move it while it runs. */
export interface Place {
  host: string;
  port: number;
  /** the port its subscriptions live on, where that is a second one */
  eventPort?: number;
}

export interface Ground {
  readonly persona: Persona;
  readonly faults: CameraFaults;
  readonly place: Place;
  readonly identity: { readonly serial: string; readonly mac: string; readonly uuid: string };
  /** the camera's idea of UTC, ms */
  now(): number;
  /** @param sloppy attributes without quotes, where this camera forgets them */
  writer(sloppy?: boolean): Writer;
}

export interface Fault {
  readonly code: 'Sender' | 'Receiver';
  readonly subcodes: readonly string[];
  readonly reason: string;
  readonly detail?: string;
}

export type Done = { readonly body: string } | { readonly fault: Fault };

export const fault = (code: Fault['code'], reason: string, ...subcodes: readonly string[]): Done => ({
  fault: { code, subcodes, reason },
});

export const NOT_AUTHORIZED: Fault = {
  code: 'Sender',
  subcodes: ['ter:NotAuthorized'],
  reason: 'Sender not authorized',
};

/** An address as this camera gives it. */
export function addressOf(style: AddressStyle, { host, port }: Place, path: string, eventPort = port): string {
  const styles: Readonly<Record<AddressStyle, string>> = {
    own: `http://${host}:${eventPort}${path}`,
    'inner-host': `http://10.11.12.13:${eventPort}${path}`,
    loopback: `http://127.0.0.1:${eventPort}${path}`,
    'main-port': `http://${host}:${port}${path}`,
    'wrong-port': `http://${host}:9${path}`,
    doubled: `http://${host}:${eventPort}:${eventPort}${path}`,
    'no-host': `http://${path}`,
    bare: `${host}${path}`,
    empty: '',
    urn: 'urn:uuid:0f3c9a52-0000-4000-8000-000000000001',
    none: 'None',
  };
  return styles[style];
}

export const timeOf = (ground: Ground, ms: number): string => timeText(ms, ground.faults.time);

/** A SOAP fault; a vague camera says InvalidArgs and nothing else. */
export function faultBody(ground: Ground, told: Fault): string {
  const { el, text } = ground.writer();
  const { code, subcodes, reason, detail } = ground.faults.vagueFaults
    ? { code: told.code, subcodes: ['ter:InvalidArgs'], reason: '', detail: undefined }
    : told;
  const nested = [...subcodes]
    .reverse()
    .reduce((inner, subcode) => el('s:Subcode', {}, text('s:Value', subcode), inner), '');
  const s = ground.persona.hand.prefixes.s ?? 's';
  return el(
    's:Fault',
    {},
    el('s:Code', {}, text('s:Value', `${s}:${code}`), nested),
    el('s:Reason', {}, el('s:Text', { 'xml:lang': 'en' }, reason)),
    detail === undefined ? '' : el('s:Detail', {}, detail),
  );
}
