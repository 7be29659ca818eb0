/** What a refusal means for the one who asked, by the local names of its codes and of what stands in its detail (Core 25.12, 5.11 and 9). */
import { findIn, type XmlElement } from '../../src/kit/xml.ts';
import type { Fault } from './codec.ts';

/**
 * auth: not with this user and password. unsupported: the camera cannot do that. missing: nothing is at this address. limits: it wants a shorter or
 * smaller pull. busy: another pull is at work. unknown: the subscription is no more. other: whatever else it may mean.
 */
export type FaultClass = 'auth' | 'unsupported' | 'missing' | 'limits' | 'busy' | 'unknown' | 'other';

const NAMES: readonly (readonly [FaultClass, readonly string[]])[] = [
  [
    'auth',
    [
      'NotAuthorized',
      'FailedAuthentication',
      'SenderNotAuthorized',
      'FailedCheck',
      'InvalidSecurity',
      'OperationProhibited',
    ],
  ],
  ['unsupported', ['ActionNotSupported', 'OptionalActionNotImplemented', 'NotImplemented', 'UnknownAction']],
  ['limits', ['PullMessagesFault', 'PullMessagesFaultResponse']],
  ['unknown', ['ResourceUnknown', 'ResourceUnknownFault']],
  ['busy', ['UnableToGetMessages', 'UnableToGetMessagesFault']],
];

export function classify(fault: Fault, detail?: XmlElement): FaultClass {
  const said = [...fault.subcodes, fault.code];
  for (const [what, names] of NAMES)
    if (names.some((name) => said.includes(name) || findIn(detail, name) !== undefined)) return what;
  return 'other';
}

export interface PullLimits {
  readonly timeoutMs: number | undefined;
  readonly messages: number | undefined;
}

/** MaxTimeout and MaxMessageLimit of a PullMessagesFaultResponse. */
export function pullLimits(detail: XmlElement | undefined): PullLimits {
  const messages = Number(findIn(detail, 'MaxMessageLimit')?.text ?? Number.NaN);
  return {
    timeoutMs: durationMs(findIn(detail, 'MaxTimeout')?.text.trim()),
    messages: Number.isInteger(messages) && messages > 0 ? messages : undefined,
  };
}

/** xs:duration of days and less; undefined when it is none. */
export function durationMs(text: string | undefined): number | undefined {
  if (text === undefined || !text.startsWith('P')) return undefined;
  let ms = 0;
  let digits = '';
  let isTime = false;
  for (const c of text.slice(1)) {
    if ((c >= '0' && c <= '9') || c === '.') digits += c;
    else if (c === 'T') isTime = true;
    else {
      const unit = c === 'D' ? 86_400_000 : c === 'H' ? 3_600_000 : c === 'M' && isTime ? 60_000 : c === 'S' ? 1000 : 0;
      if (unit === 0 || digits === '') return undefined;
      ms += Number(digits) * unit;
      digits = '';
    }
  }
  return Number.isFinite(ms) && digits === '' ? ms : undefined;
}
