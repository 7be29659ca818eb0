/** What the command line needs of its process, so that tests run verbs without one. */
import type { Lang } from '../base/text.ts';

export interface CliWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
  readonly isTty: boolean;
  /** the moment, as ISO time */
  now(): string;
  /** lines of standard input */
  stdin(): AsyncIterable<string>;
  /** lines of a file; throws cli.unreadable */
  lines(path: string): AsyncIterable<string>;
  /** aborts at Ctrl-C or SIGTERM, once it was asked for: before, they end the process */
  readonly stop: AbortSignal;
  /** what goes out goes nowhere any more, and why */
  onBroken?(listener: (detail: string) => void): void;
  /** when all of it is out; why not, otherwise */
  flush?(): Promise<string | undefined>;
}

/** What every verb gets. */
export interface Call {
  readonly world: CliWorld;
  readonly lang: Lang;
  readonly config: string;
  readonly json: boolean;
}

/** zh for a Chinese locale, else en. LC_ALL before LC_MESSAGES before LANG, as everywhere. */
export function localeLang(env: CliWorld['env']): Lang {
  const locale = [env.LC_ALL, env.LC_MESSAGES, env.LANG].find((l) => l !== undefined && l !== '') ?? '';
  return locale.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
