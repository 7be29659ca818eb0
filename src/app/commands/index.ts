/** The command desk of a house, joined to what carries commands out. */
import type { Alarm } from '../../base/alarm.ts';
import type { SiteModel } from '../../base/model.ts';
import type { Clock, Log } from '../../base/ports.ts';
import type { Value } from '../../base/reading.ts';
import type { Act, Answer, Operation } from '../../base/rules.ts';
import { createOpenings } from '../../rules/index.ts';
import type { Outcome } from '../perform.ts';
import { CommandDesk, type DeskDeps } from './desk.ts';
import { askingFor, execute, readNow } from './execute.ts';
import { judge } from './grants.ts';

export interface CommandsDeps extends Pick<DeskDeps, 'keep'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly site: () => SiteModel;
  readonly openAlarms: () => readonly Alarm[];
  readonly operate: (ask: Operation) => Promise<Answer>;
  readonly perform: (act: Act) => Promise<Outcome>;
  /** an output is switched by hand: its control keeps off */
  readonly byHand: (device: string, point: string) => void;
  readonly probe: (
    device: string,
    points: readonly string[],
    signal: AbortSignal,
  ) => Promise<{ readonly readings: readonly { readonly point: string; readonly value: Value | null }[] }> | undefined;
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
