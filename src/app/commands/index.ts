/** The command desk of a house, joined to what carries commands out. */
import type { SiteModel } from '../../base/model.ts';
import type { Log } from '../../base/ports.ts';
import { createOpenings } from '../../rules/index.ts';
import { CommandDesk, type DeskDeps } from './desk.ts';
import { askingFor, execute, type Hands, readNow } from './execute.ts';
import { judge } from './grants.ts';

export interface CommandsDeps extends Hands, Pick<DeskDeps, 'keep'> {
  readonly log: Log;
  readonly site: () => SiteModel;
}

export function createCommands(deps: CommandsDeps): CommandDesk {
  const { clock, log, site, openAlarms, keep } = deps;
  let openings: { readonly site: SiteModel; readonly isOpen: ReturnType<typeof createOpenings> } | undefined;
  const isOpen = (names: readonly string[]): boolean => {
    const now = site();
    // A reload may bring other times.
    if (openings?.site !== now) openings = { site: now, isOpen: createOpenings(now) };
    return openings.isOpen(names, clock.now().wall);
  };
  return new CommandDesk({
    clock,
    log,
    keep,
    feed: (id) => site().feeds.get(id),
    judge: (feed, command) =>
      judge(feed?.commands, command, {
        site: site(),
        isOpen,
        deviceOf: (aid) => openAlarms().find((a) => a.aid === aid)?.device,
      }),
    carryOut: (feed, command, until) => execute(feed, command, until, deps),
    readBack: (device, point, signal) => readNow(deps, device, point, signal),
    ask: (person, row) => void deps.perform(askingFor(person, row.feed, row.command, clock.now().wall)),
  });
}
