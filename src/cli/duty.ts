/** The verbs of the duty room and of those who write rules. */
import { type Command, Option } from 'commander';
import type { HELP } from './texts.ts';
import type { Call } from './world.ts';

export interface Registrar {
  readonly program: Command;
  group(name: string, key: keyof typeof HELP): Command;
  verb(parent: Command, spec: string, key: keyof typeof HELP): Command;
  text(key: keyof typeof HELP): string;
  call(options: { config?: string; json?: boolean }): Call;
  done(code: number): void;
}

export function registerDuty({ program, group, verb, text, call, done }: Registrar): void {
  const alarms = group('alarms', 'alarmsGroup');
  const verbs = () => import('./verbs/alarms.ts');
  verb(alarms, 'list', 'alarmsList').action(async (o) => done(await (await verbs()).alarmsList(call(o))));
  verb(alarms, 'show <aid>', 'alarmsShow').action(async (aid, o) =>
    done(await (await verbs()).alarmsShow(call(o), aid)),
  );
  for (const kind of ['ack', 'reset', 'unshelve'] as const)
    verb(alarms, `${kind} <aid>`, kind)
      .option('--by <name>', text('by'))
      .action(async (aid, o) => done(await (await verbs()).alarmsDo(call(o), kind, aid, o)));
  verb(alarms, 'shelve <aid> <time> <reason...>', 'shelve')
    .option('--by <name>', text('by'))
    .action(async (aid, time, reason, o) =>
      done(await (await verbs()).alarmsShelve(call(o), aid, [time, ...reason], o)),
    );
  verb(alarms, 'history', 'alarmsHistory')
    .option('--last <n>', text('last'), '50')
    .option('--rule <id>', text('rule'))
    .action(async (o) => done(await (await verbs()).alarmsHistory(call(o), o)));
  verb(program, 'write <output> <value>', 'write')
    .option('--by <name>', text('by'))
    .action(async (output, value, o) =>
      done(await (await import('./verbs/write.ts')).write(call(o), output, value, o)),
    );
  const commands = () => import('./verbs/commands.ts');
  verb(program, 'commands', 'commands').action(async (o) => done(await (await commands()).commandsList(call(o))));
  verb(program, 'confirm <id>', 'confirm')
    .option('--by <name>', text('by'))
    .option('--deny', text('deny'))
    .action(async (id, o) => done(await (await commands()).confirm(call(o), id, o)));
  const maint = group('maint', 'maint');
  verb(maint, 'list', 'maintList').action(async (o) => done(await (await verbs()).maintList(call(o))));
  verb(maint, 'on <what> <time> <reason...>', 'maintOn')
    .option('--by <name>', text('by'))
    .action(async (what, time, reason, o) => done(await (await verbs()).maintOn(call(o), what, [time, ...reason], o)));
  verb(maint, 'off <what>', 'maintOff')
    .option('--by <name>', text('by'))
    .action(async (what, o) => done(await (await verbs()).maintOff(call(o), what, o)));
}

export function registerStore({ program, verb, text, call, done }: Registrar): void {
  verb(program, 'export', 'export')
    .option('--from <time>', text('from'), '24h')
    .option('--to <time>', text('to'))
    .addOption(new Option('--what <readings|events>', text('what')).choices(['readings', 'events']).default('readings'))
    .addOption(new Option('--format <csv|ndjson>', text('format')).choices(['csv', 'ndjson']).default('csv'))
    .option('--device <id>', text('device'))
    .option('--personal', text('personal'))
    .action(async (o) => done(await (await import('./verbs/export.ts')).exportData(call(o), o)));
  verb(program, 'backup <file>', 'backup').action(async (file, o) =>
    done(await (await import('./verbs/backup.ts')).backup(call(o), file)),
  );
  const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  verb(program, 'erase', 'erase')
    .option('--device <id>', text('device'), many)
    .option('--point <device.point>', text('erasePoint'), many)
    .option('--form <id>', text('eraseForm'), many)
    .option('--asset <id>', text('eraseAsset'), many)
    .option('--person <name>', text('erasePerson'))
    .option('--from <time>', text('from'))
    .option('--to <time>', text('to'))
    .option('--by <name>', text('by'))
    .requiredOption('--reason <text>', text('reason'))
    .option('--yes', text('yes'))
    .action(async (o) => done(await (await import('./verbs/erase.ts')).erase(call(o), o)));
  verb(program, 'restore <file>', 'restore').action(async (file, o) =>
    done(await (await import('./verbs/backup.ts')).restore(call(o), file)),
  );
}

export function registerRules({ program, group, verb, text, call, done }: Registrar): void {
  verb(program, 'report', 'report')
    .option('--from <time>', text('from'), '7d')
    .option('--to <time>', text('to'))
    .action(async (o) => done(await (await import('./verbs/report.ts')).report(call(o), o)));
  const rules = group('rules', 'rules');
  const verbs = () => import('./verbs/rules.ts');
  verb(rules, 'check', 'rulesCheck').action(async (o) => done(await (await verbs()).rulesCheck(call(o))));
  verb(rules, 'test [folder]', 'rulesTest').action(async (folder, o) =>
    done(await (await verbs()).rulesTest(call(o), folder)),
  );
  verb(rules, 'replay', 'rulesReplay')
    .requiredOption('--from <time>', text('from'))
    .option('--to <time>', text('to'))
    .option('--rule <id>', text('rule'))
    .action(async (o) => done(await (await verbs()).rulesReplay(call(o), o)));
  verb(rules, 'explain <alarm>', 'rulesExplain').action(async (aid, o) =>
    done(await (await verbs()).rulesExplain(call(o), aid)),
  );
  const form = group('form', 'form');
  const forms = () => import('./verbs/form.ts');
  verb(form, 'submit <form> [fields...]', 'formSubmit')
    .option('--by <name>', text('by'))
    .action(async (name, fields, o) => done(await (await forms()).formSubmit(call(o), name, fields, o)));
  verb(form, 'confirm <id>', 'formConfirm')
    .option('--by <name>', text('by'))
    .action(async (id, o) => done(await (await forms()).formConfirm(call(o), id, o)));
}
