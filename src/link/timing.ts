/** Times that follow from a channel's settings. All in milliseconds. */
import type { LineChannel } from '../base/model.ts';

/** Modbus over Serial Line V1.02, 2.5.1.1: above 19200 baud the silent interval is fixed. */
const FIXED_GAP_MS = 1.75;
/** an operating system, a USB adapter or a DTU may hold bytes of one frame back this long */
const HELD_BACK_MS = { serial: 30, tcp: 60, modbus_tcp: 100 } as const;
const LONGEST_FRAME = 260;

/** One character on the wire: start, data, parity and stop bits. 0 where no line speed is known. */
export function characterMs(channel: LineChannel): number {
  if (channel.carries === 'modbus_tcp') return 0;
  const { baud, parity, dataBits, stopBits } = channel.line;
  return ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1000) / baud;
}

/** Silence before a request. */
export function gapMs(channel: LineChannel): number {
  if (channel.carries === 'modbus_tcp') return channel.gapMs;
  const least = channel.line.baud > 19200 ? FIXED_GAP_MS : 3.5 * characterMs(channel);
  return Math.max(channel.gapMs, least);
}

/** How long the line needs to carry these bytes. A serial port's write returns when they are on the wire, so only sockets wait for it. */
export function carryMs(channel: LineChannel, bytes: number): number {
  return bytes * characterMs(channel);
}

/** How long a reply that has begun may take to end. */
export function longestReplyMs(channel: LineChannel): number {
  return Math.max(HELD_BACK_MS[channel.carries] * 2, carryMs(channel, LONGEST_FRAME) * 1.5);
}

/** Silence inside a reply after which no more of it will come. */
export function silenceMs(channel: LineChannel): number {
  return Math.max(HELD_BACK_MS[channel.carries], 3.5 * characterMs(channel));
}
