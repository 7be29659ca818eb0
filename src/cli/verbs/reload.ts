import { findClient } from '../../app/client.ts';
import { EXIT } from '../../base/exit.ts';
import type { Call } from '../world.ts';
import { who } from './alarms.ts';

interface Reply {
  readonly ok: boolean;
  readonly problems?: readonly { readonly zh: string; readonly en: string }[];
  readonly started?: readonly string[];
  readonly restarted?: readonly string[];
  readonly stopped?: readonly string[];
  readonly kept?: number;
}

/** `weinao reload`: all or nothing; says what was restarted. */
export async function reload(call: Call): Promise<number> {
  const { world, lang, config, json } = call;
  const client = await findClient(config, world.env);
  const reply = (await client.call('POST', '/v1/reload', { by: who(call, {}) })).json as Reply;
  if (json) world.out(`${JSON.stringify(reply)}\n`);
  else if (!reply.ok) {
    for (const problem of reply.problems ?? []) world.err(`${problem[lang]}\n`);
    world.err(lang === 'zh' ? '配置有误，继续运行原配置\n' : 'not reloaded: the configuration before goes on\n');
  } else {
    const words = lang === 'zh' ? ['启动', '重启', '停止', '未变'] : ['started', 'restarted', 'stopped', 'unchanged'];
    const list = (names: readonly string[] | undefined): string =>
      names === undefined || names.length === 0 ? '-' : names.join(' ');
    world.out(
      `${words[0]}: ${list(reply.started)}\n${words[1]}: ${list(reply.restarted)}\n${words[2]}: ${list(reply.stopped)}\n${words[3]}: ${reply.kept ?? 0}\n`,
    );
  }
  return reply.ok ? EXIT.ok : EXIT.invalidConfig;
}
