/** `weinao run`: the daemon in the foreground, until SIGTERM or SIGINT; SIGHUP reloads. */
import { WeinaoError } from '../base/errors/index.ts';
import type { LocatedProblem } from '../base/problem.ts';
import { systemClock } from '../io/clock.ts';
import { pinoLog } from '../io/log.ts';
import { onSignal } from '../io/process.ts';
import { systemRandom } from '../io/random.ts';
import { systemdNotifier } from '../io/systemd.ts';
import type { Env } from './check.ts';
import { type Daemon, InvalidConfig, startDaemon } from './daemon.ts';

export type RunEnd =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'invalid'; readonly problems: readonly LocatedProblem[] };

export async function runDaemon(configFolder: string, env: Env, isTty: boolean): Promise<RunEnd> {
  const log = pinoLog({ level: env.WEINAO_LOG === 'debug' ? 'debug' : 'info', descriptor: 1, time: isTty });
  let daemon: Daemon;
  try {
    daemon = await startDaemon({
      configFolder,
      env,
      clock: systemClock(),
      random: systemRandom(),
      log,
      notifier: systemdNotifier(env),
    });
  } catch (error) {
    if (error instanceof InvalidConfig) return { kind: 'invalid', problems: error.problems };
    if ((error as { code?: string }).code === 'EADDRINUSE')
      throw new WeinaoError('cli.already_running', { socket: String((error as { address?: string }).address) });
    throw error;
  }
  await new Promise<void>((resolve) => {
    const ends = [
      onSignal(
        'SIGHUP',
        () =>
          void daemon
            .reload({ how: 'signal' })
            .catch((error: unknown) => log.error('reload.failed', { detail: String(error) })),
      ),
      onSignal('SIGTERM', finish),
      onSignal('SIGINT', finish),
    ];
    function finish(): void {
      for (const end of ends) end();
      resolve();
    }
  });
  await daemon.stop();
  log.info('daemon.stopped');
  return { kind: 'stopped' };
}
