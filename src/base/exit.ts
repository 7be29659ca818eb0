/** Exit codes of the command line; part of its contract (scripts and systemd rely on them). */
import type { ErrorCode } from './errors/index.ts';

export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  noAnswer: 3,
  invalidConfig: 4,
  permission: 5,
  notRunning: 6,
  faults: 7,
  refused: 8,
  interrupted: 130,
} as const;

const BY_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  'cli.not_running': EXIT.notRunning,
  'cli.starting': EXIT.notRunning,
  'cli.needs_daemon': EXIT.notRunning,
  'cli.no_permission': EXIT.permission,
  'cli.already_running': EXIT.permission,
  'link.open_failed': EXIT.permission,
  'link.timeout': EXIT.noAnswer,
  'link.closed': EXIT.noAnswer,
  'link.bad_frame': EXIT.noAnswer,
  'device.refused': EXIT.refused,
  'uplink.not_connected': EXIT.noAnswer,
  'uplink.no_such_members': EXIT.refused,
  'cli.cannot_write': EXIT.unexpected,
  'journal.exists': EXIT.refused,
  'journal.none': EXIT.refused,
  'journal.not_ours': EXIT.refused,
  'journal.newer': EXIT.refused,
  'journal.not_written': EXIT.permission,
  'journal.no_feed': EXIT.refused,
  'journal.still_attached': EXIT.refused,
  'device.no_output': EXIT.refused,
  'device.refused_item': EXIT.refused,
};
const BY_AREA: Readonly<Record<string, number>> = {
  cli: EXIT.usage,
  config: EXIT.invalidConfig,
  rules: EXIT.invalidConfig,
  device: EXIT.usage,
  alarms: EXIT.refused,
  forms: EXIT.refused,
  http: EXIT.noAnswer,
  xml: EXIT.noAnswer,
  commands: EXIT.refused,
  media: EXIT.refused,
};

export function exitCode(code: ErrorCode): number {
  return BY_CODE[code] ?? BY_AREA[code.slice(0, code.indexOf('.'))] ?? EXIT.unexpected;
}
