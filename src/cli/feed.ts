/** The verbs about feeds. */
import { Option } from 'commander';
import type { Registrar } from './duty.ts';

export function registerFeed({ group, verb, text, call, done }: Registrar): void {
  const feed = group('feed', 'feed');
  const states = () => import('./verbs/feed-state.ts');
  verb(feed, 'show [name]', 'feedShow').action(async (name, options) =>
    done(await (await states()).feedShow(call(options), name)),
  );
  verb(feed, 'forget <name>', 'feedForget').action(async (name, options) =>
    done(await (await states()).feedForget(call(options), name)),
  );
  verb(feed, 'replay <name>', 'feedReplay')
    .requiredOption('--from <n>', text('fromMember'))
    .requiredOption('--to <n>', text('toMember'))
    .addOption(new Option('--stream <a|t>', text('stream')).choices(['a', 't']).default('a'))
    .action(async (name, options) => done(await (await states()).feedReplay(call(options), name, options)));
  verb(feed, 'key', 'feedKey')
    .option('--rotate', text('rotate'))
    .action(async (options) => done(await (await import('./verbs/feed.ts')).feedKey(call(options), options)));
  verb(feed, 'view <name>', 'feedView')
    .option('--last <n>', text('last'), '100')
    .action(async (name, options) =>
      done(await (await import('./verbs/feed-view.ts')).feedView(call(options), name, options)),
    );
  verb(feed, 'verify <source>', 'verify')
    .option('--topic <filter>', text('topic'), 'wn/1/#')
    .addOption(new Option('--mqtt <version>', text('mqtt')).choices(['3', '5']).default('5'))
    .option('--midway', text('midway'))
    .option('--pin <kid>', text('pin'))
    .option('--user <name>', text('user'))
    .option('--ca <file>', text('ca'))
    .option('--cert <file>', text('cert'))
    .option('--key <file>', text('key'))
    .action(async (source, options) =>
      done(await (await import('./verbs/feed.ts')).feedVerify(call(options), source, options)),
    );
  verb(feed, 'contract <name>', 'feedContract')
    .option('--out <dir>', text('contractOut'))
    .action(async (name, options) =>
      done(await (await import('./verbs/contract.ts')).feedContract(call(options), name, options)),
    );
}
