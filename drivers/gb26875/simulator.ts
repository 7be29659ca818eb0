/** A transmission device as bytes: what it sends about components, systems and itself. It connects; whoever uses it carries the bytes. */
import { STATES, type State } from './codec.ts';
import { build26875, SEND } from './frame.ts';

/** 2026-11-24 08:00:00 */
const TIME = Uint8Array.of(0, 0, 8, 24, 11, 26);

export interface FireSimulator {
  /** @param where system type, system address, component address */
  component(where: readonly [number, number, number], states: readonly State[], text?: Uint8Array): Uint8Array;
  system(where: readonly [number, number], states: readonly State[]): Uint8Array;
  analog(where: readonly [number, number, number], type: number, raw: number): Uint8Array;
  transmitter(status: number): Uint8Array;
  /** any data unit */
  send(data: Uint8Array): Uint8Array;
}

const word = (states: readonly State[]): number => states.reduce((sum, s) => sum | (1 << STATES.indexOf(s)), 0);
const low = (n: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(n / 256 ** i) & 0xff);

export function createFireSimulator(address: number): FireSimulator {
  let serial = 0;
  const send = (data: Uint8Array): Uint8Array =>
    build26875({ serial: serial++ & 0xffff, source: address, target: 1, command: SEND }, TIME, data);
  return {
    send,
    component: ([type, at, component], states, text = new Uint8Array(0)) => {
      const label = new Uint8Array(31);
      label.set(text.subarray(0, 31));
      return send(Uint8Array.of(2, 1, type, at, 40, ...low(component, 4), ...low(word(states), 2), ...label, ...TIME));
    },
    system: ([type, at], states) => send(Uint8Array.of(1, 1, type, at, ...low(word(states), 2), ...TIME)),
    analog: ([type, at, component], analog, raw) =>
      send(Uint8Array.of(3, 1, type, at, 40, ...low(component, 4), analog, ...low(raw & 0xffff, 2), ...TIME)),
    transmitter: (status) => send(Uint8Array.of(21, 1, status, ...TIME)),
  };
}
