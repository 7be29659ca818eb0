/**
 * The one registry of error codes. Every error this project throws is a `WeinaoError` with a code from here; test/errors.test.ts
 * proves that codes thrown = codes listed. An error is returned or thrown, and logged once, where it is handled.
 */
import { type Lang, type Params, say, type Text } from '../text.ts';
import { alarmErrors } from './alarms.ts';
import { cliErrors } from './cli.ts';
import { commandErrors } from './commands.ts';
import { configErrors } from './config.ts';
import { configCameraErrors } from './config-camera.ts';
import { configIntakeErrors } from './config-intake.ts';
import { configViewErrors } from './config-view.ts';
import { deviceErrors } from './device.ts';
import { grantErrors } from './grants.ts';
import { httpErrors } from './http.ts';
import { journalErrors } from './journal.ts';
import { linkErrors } from './link.ts';
import { mediaErrors } from './media.ts';
import { rulesErrors } from './rules.ts';
import type { ErrorSpec } from './spec.ts';
import { statErrors } from './stats.ts';
import { uplinkErrors } from './uplink.ts';
import { xmlErrors } from './xml.ts';

export const ERRORS = {
  ...configErrors,
  ...grantErrors,
  ...configIntakeErrors,
  ...configCameraErrors,
  ...configViewErrors,
  ...statErrors,
  ...linkErrors,
  ...httpErrors,
  ...xmlErrors,
  ...deviceErrors,
  ...journalErrors,
  ...mediaErrors,
  ...rulesErrors,
  ...alarmErrors,
  ...uplinkErrors,
  ...commandErrors,
  ...cliErrors,
} as const;

export type ErrorCode = keyof typeof ERRORS;

export class WeinaoError extends Error {
  readonly code: ErrorCode;
  readonly params: Params;

  constructor(code: ErrorCode, params: Params = {}, cause?: unknown) {
    super(say(specOf(code).says, 'en', params), cause === undefined ? undefined : { cause });
    this.name = 'WeinaoError';
    this.code = code;
    this.params = params;
  }

  get retry(): ErrorSpec['retry'] {
    return specOf(this.code).retry;
  }

  /** What happened, then the next step, in the reader's language. */
  tell(lang: Lang): { says: string; next: string } {
    const spec = specOf(this.code);
    return { says: say(spec.says, lang, this.params), next: say(spec.next, lang, this.params) };
  }
}

/** What happened, in both languages. */
export const textOf = (error: WeinaoError): Text => ({ zh: error.tell('zh').says, en: error.tell('en').says });

export function specOf(code: ErrorCode): ErrorSpec {
  return ERRORS[code];
}

export function isWeinaoError(e: unknown, code?: ErrorCode): e is WeinaoError {
  return e instanceof WeinaoError && (code === undefined || e.code === code);
}
