/**
 * Messages to systemd (sd_notify(3)) through the `systemd-notify` program: node has no datagram sockets on unix addresses, and an addon would
 * need a compiler on the box. Does nothing without NOTIFY_SOCKET.
 */
import { execFile } from 'node:child_process';

export interface Notifier {
  /** time between two WATCHDOG=1 that systemd allows; undefined = no watchdog */
  readonly watchdogMs: number | undefined;
  notify(...assignments: string[]): void;
}

export function systemdNotifier(env: NodeJS.ProcessEnv): Notifier {
  const socket = env.NOTIFY_SOCKET;
  const usec = Number(env.WATCHDOG_USEC);
  const ours = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
  return {
    watchdogMs: socket !== undefined && ours && usec > 0 ? usec / 1000 : undefined,
    notify: (...assignments) => {
      // A message may get lost; READY therefore goes along with every WATCHDOG.
      if (socket !== undefined) execFile('systemd-notify', [`--pid=${process.pid}`, ...assignments], () => {});
    },
  };
}
