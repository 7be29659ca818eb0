/** The command line: verbs, options, language, exit codes. Verbs are loaded when they are called, so that `weinao status` starts fast. */
import { Command, CommanderError, Help } from 'commander';
import stringWidth from 'string-width';
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import { EXIT, exitCode } from '../base/exit.ts';
import { type Lang, say } from '../base/text.ts';
import { registerDuty, registerRules, registerStore } from './duty.ts';
import { registerFeed } from './feed.ts';
import { HELP, TITLES } from './texts.ts';
import { optionInChinese, usageInChinese, wayInChinese } from './usage.ts';
import { type Call, type CliWorld, localeLang } from './world.ts';

/** no channel may be called so */
const CAMERAS = 'cameras';
const DEFAULT_CONFIG = '/etc/weinao';

export async function cli(argv: readonly string[], world: CliWorld): Promise<number> {
  const lang = langOf(argv, world);
  let code: number = EXIT.ok;
  const program = build(lang, world, (result) => {
    code = result;
  });
  try {
    const broken = new Promise<never>((_, reject) => {
      world.onBroken?.((detail) => reject(new WeinaoError('cli.cannot_write', { detail })));
    });
    await Promise.race([program.parseAsync([...argv], { from: 'user' }), broken]);
    const detail = await world.flush?.();
    if (detail !== undefined) throw new WeinaoError('cli.cannot_write', { detail });
    return code;
  } catch (error) {
    return failed(error, lang, world);
  }
}

function needLang(given: string): Lang {
  if (given === 'zh' || given === 'en') return given;
  throw new WeinaoError('cli.bad_choice', { option: '--lang', given, known: 'zh en' });
}

const CHINESE = {
  optionDescription: optionInChinese,
  commandUsage: (command: Command) => wayInChinese(new Help().commandUsage(command)),
  subcommandTerm: (command: Command) => wayInChinese(new Help().subcommandTerm(command)),
};

/** Needed before parsing: help and usage errors speak it too. */
function langOf(argv: readonly string[], world: CliWorld): Lang {
  const at = argv.findIndex((word) => word === '--lang' || word.startsWith('--lang='));
  const given = at < 0 ? undefined : argv[at]?.includes('=') === true ? argv[at]?.slice(7) : argv[at + 1];
  return given === 'zh' || given === 'en' ? given : localeLang(world.env);
}

function failed(error: unknown, lang: Lang, world: CliWorld): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (isWeinaoError(error, 'link.cancelled') && world.stop.aborted) return EXIT.interrupted;
  if (isWeinaoError(error)) {
    const { says, next } = error.tell(lang);
    world.err(`${says}\n${next === '' ? '' : `  ${next}\n`}`);
    return exitCode(error.code);
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  world.err(`${lang === 'zh' ? '意外错误' : 'unexpected error'}: ${detail}\n`);
  return EXIT.unexpected;
}

function build(lang: Lang, world: CliWorld, done: (code: number) => void): Command {
  const text = (key: keyof typeof HELP): string => say(HELP[key], lang);
  const common = (command: Command, key: keyof typeof HELP): Command =>
    styled(command, lang, world)
      .description(text(key))
      .option('--config <dir>', text('config'))
      .option('--lang <zh|en>', text('lang'), (given: string) => needLang(given))
      .option('--json', text('json'));
  const program = common(new Command('weinao'), 'weinao');
  const verb = (parent: Command, spec: string, key: keyof typeof HELP): Command => common(parent.command(spec), key);
  // They may stand before the verb as well as behind it.
  let before: { readonly config?: string; readonly json?: boolean } = {};
  program.hook('preAction', (_, action) => {
    before = action.optsWithGlobals();
  });
  const call = (options: { config?: string; json?: boolean }): Call => ({
    world,
    lang,
    config: options.config ?? before.config ?? world.env.WEINAO_CONFIG ?? DEFAULT_CONFIG,
    json: (options.json ?? before.json) === true,
  });
  verb(program, 'demo', 'demo')
    .option('--for <duration>', text('for'))
    .action(async (options) => done(await (await import('./verbs/demo.ts')).demo(call(options), options)));
  verb(program, 'check', 'check').action(async (options) =>
    done(await (await import('./verbs/check.ts')).check(call(options))),
  );
  verb(program, 'run', 'run').action(async (options) =>
    done(await (await import('./verbs/run.ts')).run(call(options))),
  );
  verb(program, 'reload', 'reload').action(async (options) =>
    done(await (await import('./verbs/reload.ts')).reload(call(options))),
  );
  verb(program, 'status', 'status').action(async (options) =>
    done(await (await import('./verbs/status.ts')).status(call(options))),
  );
  verb(program, 'doctor', 'doctor').action(async (options) =>
    done(await (await import('./verbs/doctor.ts')).doctor(call(options))),
  );
  verb(program, 'watch', 'watch')
    .option('--wire <channel>', text('wire'))
    .option('--alarms', text('alarms'))
    .option('--device <id>', text('device'))
    .action(async (options) => done(await (await import('./verbs/watch.ts')).watch(call(options), options)));
  verb(program, 'probe [what...]', 'probe')
    .option('--channel <id>', text('channel'))
    .option('--address <station>', text('address'))
    .option('--expect <value>', text('expect'))
    .option('--snapshot <file>', text('snapshotFile'))
    .option('--add', text('addGuess'))
    .action(async (words, options) =>
      done(await (await import('./verbs/probe.ts')).probe(call(options), words, options)),
    );
  verb(program, 'scan <channel>', 'scan')
    .option('--ids <range>', text('ids'))
    .option('--all', text('all'))
    .option('--range <addresses>', text('range'))
    .option('--add', text('add'))
    .action(async (channel, options) =>
      done(
        channel === CAMERAS
          ? await (await import('./verbs/scan-cameras.ts')).scanCameras(call(options), options)
          : await (await import('./verbs/scan.ts')).scan(call(options), channel, options),
      ),
    );
  verb(program, 'plan [channel]', 'plan')
    .option('--relearn <device>', text('relearn'))
    .action(async (channel, options) =>
      done(await (await import('./verbs/plan.ts')).plan(call(options), channel, options)),
    );
  verb(program, 'decode [protocol] [hex...]', 'decode')
    .option('--ndjson', text('ndjson'))
    .option('--request <hex>', text('request'))
    .action(async (protocol, hex, options) =>
      done(
        await (await import('./verbs/decode.ts')).decode(
          call(options),
          protocol === undefined ? [] : [protocol, ...hex],
          options,
        ),
      ),
    );
  verb(program, 'simulate <file>', 'simulate').action(async (file, options) =>
    done(await (await import('./verbs/simulate.ts')).simulate(call(options), file)),
  );
  const group = (name: string, key: keyof typeof HELP): Command => verb(program, name, key);
  const registrar = { program, group, verb, text, call, done };
  registerDuty(registrar);
  registerRules(registrar);
  registerStore(registrar);
  const profiles = group('profiles', 'profiles');
  verb(profiles, 'list', 'profilesList').action(async (options) =>
    done(await (await import('./verbs/profiles.ts')).profilesList(call(options))),
  );
  verb(profiles, 'show <name>', 'profilesShow').action(async (name, options) =>
    done(await (await import('./verbs/profiles.ts')).profilesShow(call(options), name)),
  );
  verb(profiles, 'check <file>', 'profilesCheck')
    .option('--driver <name>', text('driver'), 'modbus')
    .action(async (file, options) =>
      done(await (await import('./verbs/profiles.ts')).profilesCheck(call(options), file, options.driver)),
    );
  registerFeed(registrar);
  return program;
}

function styled(command: Command, lang: Lang, world: CliWorld): Command {
  command.exitOverride().configureOutput({
    writeOut: (text) => world.out(text),
    writeErr: (text) => world.err(text),
    outputError: (text, write) => write(lang === 'zh' ? usageInChinese(text) : text),
  });
  command.configureHelp({
    displayWidth: (text) => stringWidth(text),
    styleTitle: (title) => (lang === 'zh' ? (TITLES[title] ?? title) : title),
    ...(lang === 'zh' ? CHINESE : {}),
  });
  command.createHelp = () => Object.assign(new Help(), command.configureHelp());
  command.helpOption('-h, --help', lang === 'zh' ? '显示帮助' : 'show help');
  command.helpCommand(false);
  return command;
}
