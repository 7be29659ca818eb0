/**
 * The running gateway: configuration (or the last good one), house, local API, reload, health and the words to systemd.
 *
 * The API's socket is also the lock: a second daemon of one data folder cannot listen. READY is said when the first poll attempt ended (or when
 * there is nothing to poll); the watchdog is fed only while health is true.
 */
import { join } from 'node:path';
import { WeinaoError } from '../base/errors/index.ts';
import type { Log, Random, Timer } from '../base/ports.ts';
import type { LocatedProblem } from '../base/problem.ts';
import { isoTime } from '../base/time.ts';
import { showProblem } from '../config/show.ts';
import type { SystemClock } from '../io/clock.ts';
import { copyFolder } from '../io/files.ts';
import { type ApiServer, serveLocal } from '../io/local-api.ts';
import { ensureFolder, exists } from '../io/process.ts';
import type { Notifier } from '../io/systemd.ts';
import { timeSynchronised } from '../io/timesync.ts';
import { apiHandler } from './api.ts';
import { type Checked, type CheckedSite, checkConfigApart, type Env } from './check.ts';
import { type EraseAsk, type Erased, eraseCopies, readErase } from './erase.ts';
import { Erasures } from './erasing.ts';
import type { Hand } from './evidence.ts';
import { configFault } from './faults.ts';
import { feedsOf, forgetFeed, replayFeed } from './feeds.ts';
import { createHealth, type HealthWatch } from './health.ts';
import { type House, openHouse } from './house.ts';
import { alarmView, answerOf, readConfirm, readOperation, readWrite } from './operate.ts';
import { plansOf } from './plan.ts';
import { systemDoors } from './ports.ts';
import { probe, readProbeAsk } from './probe.ts';
import { readScanOptions, scanLive } from './scan.ts';
import { statusOf } from './status.ts';

const LAST_GOOD = 'config.last-good';
const KEPT = ['weinao.yaml', 'types.yaml', 'rules', 'profiles'];
const HEALTH_EVERY = 5000;
const READY_EVERY = 200;

export interface DaemonDeps {
  readonly configFolder: string;
  readonly env: Env;
  readonly clock: SystemClock;
  readonly random: Random;
  readonly log: Log;
  readonly notifier: Notifier;
}

/** The files have errors and there is no configuration that ran before. */
export class InvalidConfig extends Error {
  readonly problems: readonly LocatedProblem[];

  constructor(problems: readonly LocatedProblem[]) {
    super('configuration invalid');
    this.problems = problems;
  }
}

export interface Daemon {
  readonly house: House;
  readonly socket: string;
  reload(hand: Hand): Promise<{ readonly ok: boolean; readonly [key: string]: unknown }>;
  stop(): Promise<void>;
}

export async function startDaemon(deps: DaemonDeps): Promise<Daemon> {
  const { checked, lastGood, problems } = await chooseConfig(deps);
  const { data } = checked.model.gateway;
  ensureFolder(data);
  const daemon = new LiveDaemon(deps, lastGood, problems);
  await daemon.start(checked);
  return daemon;
}

/** The files as they are, else the copy of what ran last. */
async function chooseConfig(
  deps: DaemonDeps,
): Promise<{ checked: CheckedSite; lastGood: boolean; problems: readonly LocatedProblem[] }> {
  const { configFolder, env } = deps;
  const now: Checked = await checkConfigApart(configFolder, env);
  if (now.site !== undefined) return { checked: now.site, lastGood: false, problems: [] };
  const { peekData } = await import('../config/peek.ts');
  const data = await peekData(configFolder, env);
  const kept = await checkConfigApart(join(data, LAST_GOOD), env, configFolder);
  if (kept.site === undefined) throw new InvalidConfig(now.problems);
  return { checked: kept.site, lastGood: true, problems: now.problems };
}

class LiveDaemon implements Daemon {
  socket = '';
  private readonly deps: DaemonDeps;
  private lastGood: boolean;
  private problems: readonly LocatedProblem[];
  private opened: House | undefined;
  private erasures: Erasures | undefined;
  private api: ApiServer | undefined;
  private health: HealthWatch | undefined;
  private ready = false;
  private reloading: Promise<unknown> = Promise.resolve();
  private syncTimer: Timer | undefined;
  private readyTimer: Timer | undefined;

  constructor(deps: DaemonDeps, lastGood: boolean, problems: readonly LocatedProblem[]) {
    this.deps = deps;
    this.lastGood = lastGood;
    this.problems = problems;
  }

  get house(): House {
    if (this.opened === undefined) throw new WeinaoError('cli.starting');
    return this.opened;
  }

  async start(site: CheckedSite): Promise<void> {
    const { env, clock, notifier, log } = this.deps;
    const { data } = site.model.gateway;
    const run = '/run/weinao';
    this.socket = env.WEINAO_SOCKET ?? join(exists(run) ? run : data, 'weinao.sock');
    try {
      this.api = await serveLocal(this.socket, apiHandler(this.calls()));
      clock.setSynced(timeSynchronised());
      this.opened = await openHouse({ ...this.deps, doors: systemDoors(this.deps.configFolder, env) }, site);
      await this.house.start();
      if (this.lastGood) this.house.raise(configFault(this.problems));
      else this.house.clear('config', 'gateway');
      this.watchClock();
      this.erasures = new Erasures(data, (ask) => this.eraseOne(ask), log);
      void this.erasures.resume().catch((error: unknown) => log.error('data.not_erased', { detail: String(error) }));
      this.health = createHealth({
        clock,
        everyMs: notifier.watchdogMs === undefined ? HEALTH_EVERY : Math.min(HEALTH_EVERY, notifier.watchdogMs / 3),
        polled: () => this.house.engine.progress(),
        slowestPollMs: () => Math.max(0, ...[...this.house.model().devices.values()].map((d) => d.pollMs)),
        askJournal: () => this.house.journal.facts(),
        onCheck: ({ ok, causes }) => this.checked(ok, causes[0]?.zh),
      });
      this.health.start();
      this.awaitFirstPoll();
      log.info('daemon.started', { site: site.model.site.id, devices: site.model.devices.size, socket: this.socket });
      if (!this.lastGood) await this.keepConfig();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async reload(hand: Hand): Promise<{ readonly ok: boolean; readonly [key: string]: unknown }> {
    // One at a time: two quick SIGHUPs are two reloads, not a mixture.
    const run = this.reloading.then(() => this.reloadOnce(hand));
    this.reloading = run.catch(() => {});
    return run;
  }

  async stop(): Promise<void> {
    this.deps.notifier.notify('STOPPING=1');
    this.health?.stop();
    this.syncTimer?.cancel();
    this.readyTimer?.cancel();
    await this.api?.close();
    this.api = undefined;
    await this.opened?.stop();
  }

  private async reloadOnce(hand: Hand): Promise<{ readonly ok: boolean; readonly [key: string]: unknown }> {
    const { configFolder, env, log } = this.deps;
    const { site, problems } = await checkConfigApart(configFolder, env);
    if (site === undefined) {
      log.warn('config.invalid', {
        problems: problems.length,
        first: problems[0] === undefined ? '' : showProblem(problems[0], 'en'),
      });
      const told = problems.map((p) => ({
        file: p.file,
        line: p.line,
        column: p.column,
        code: p.code,
        zh: showProblem(p, 'zh'),
        en: showProblem(p, 'en'),
      }));
      return { schema: 1, ok: false, problems: told };
    }
    const report = await this.house.apply(site, hand);
    this.lastGood = false;
    this.problems = [];
    this.house.clear('config', 'gateway');
    await this.keepConfig();
    log.info('config.reloaded', { ...report });
    return { schema: 1, ok: true, ...report };
  }

  private async keepConfig(): Promise<void> {
    const { data } = this.house.model().gateway;
    await copyFolder(this.deps.configFolder, join(data, LAST_GOOD), KEPT).catch((error: unknown) =>
      this.deps.log.warn('config.not_kept', { detail: String(error) }),
    );
  }

  private async erase(body: unknown): Promise<unknown> {
    const ask = readErase(body, this.house.model());
    if (this.erasures === undefined) throw new WeinaoError('cli.starting');
    return { schema: 1, ...(await this.erasures.run(ask)) };
  }

  private async eraseOne(ask: EraseAsk): Promise<Erased> {
    const { configFolder, log } = this.deps;
    const counts = await this.house.erase(ask);
    if (!this.lastGood) await this.keepConfig();
    const { data } = this.house.model().gateway;
    const left = await eraseCopies(data, LAST_GOOD, configFolder, ask.what);
    log.info('data.erased', { ...counts });
    return { ...counts, left };
  }

  private checked(ok: boolean, cause: string | undefined): void {
    const { notifier } = this.deps;
    if (ok) notifier.notify(...(this.ready ? ['READY=1'] : []), 'WATCHDOG=1');
    else notifier.notify(`STATUS=${cause ?? 'unhealthy'}`);
  }

  private awaitFirstPoll(): void {
    this.readyTimer = this.deps.clock.timer('ready', READY_EVERY, () => {
      const polled = this.house.engine.progress();
      if ((polled !== undefined && polled <= 0) || !this.healthNow().ok) return this.awaitFirstPoll();
      this.ready = true;
      this.deps.notifier.notify('READY=1', 'STATUS=running');
    });
  }

  private watchClock(): void {
    const { clock } = this.deps;
    this.syncTimer = clock.timer('time sync', 10_000, () => {
      const before = clock.now();
      const synced = timeSynchronised();
      clock.setSynced(synced);
      if (synced && !before.synced) this.house.synced();
      this.watchClock();
    });
  }

  private calls(): Parameters<typeof apiHandler>[0] {
    return {
      status: () =>
        statusOf({
          house: this.house,
          health: this.healthNow(),
          ready: this.ready,
          clock: this.deps.clock,
          lastGood: this.lastGood,
          problems: this.problems,
        }),
      health: () => ({ schema: 1, ready: this.ready, ...this.healthNow() }),
      reload: (by) => this.reload({ how: 'reload', ...(by === undefined ? {} : { by }) }),
      probe: (ask, signal) => probe(readProbeAsk(ask), this.house.model(), this.house.engine, signal),
      scan: (channel, query) => {
        const { engine } = this.house;
        return scanLive(channel, readScanOptions(query), engine, this.house.model());
      },
      plan: () => plansOf(this.house.model(), (device) => this.house.engine.memory(device)),
      relearn: async (device) => {
        if (await this.house.engine.relearn(device)) return { schema: 1, device };
        throw new WeinaoError('cli.unknown_device', {
          device,
          known: [...this.house.model().devices.keys()].join(' '),
        });
      },
      alarms: () => ({ schema: 1, alarms: this.house.board.open().map(alarmView) }),
      maintenance: () => ({
        schema: 1,
        maintenance: this.house.maintenance().map((m) => ({ ...m, until: isoTime(m.until) })),
      }),
      look: (rule) => ({ schema: 1, instances: this.house.look(rule) }),
      operate: async (ask) => answerOf(await this.house.operate(readOperation(ask))),
      write: async (ask) => {
        const { output, value, by } = readWrite(ask);
        return { schema: 1, output, ...(await this.house.write(output, value, by)) };
      },
      keys: () => {
        const { kid, publicKey: key, changes } = this.house.keys();
        return { schema: 1, alg: 'Ed25519', kid, key, changes };
      },
      rotateKey: async () => ({ schema: 1, ...(await this.house.evidence.rotate()) }),
      commands: () => ({ schema: 1, ...this.house.commands.list() }),
      confirm: async (ask) => {
        const { id, by, isYes } = readConfirm(ask);
        return { schema: 1, ...(await this.house.commands.confirm(id, by, isYes)) };
      },
      erase: (ask) => this.erase(ask),
      feeds: () => feedsOf(this.house, this.deps.clock.now().wall),
      replayFeed: (ask) => replayFeed(this.house, ask),
      forgetFeed: (ask) => forgetFeed(this.house, ask),
      watch: (filter) => {
        const { hub } = this.house;
        return (push, signal) => hub.listen(filter, push, signal);
      },
      capture: (channel, listener) => {
        const stop = this.house.engine.capture(channel, listener);
        if (stop !== undefined) return stop;
        throw new WeinaoError('cli.unknown_channel', {
          channel,
          known: [...this.house.model().channels.keys()].join(' '),
        });
      },
    };
  }

  private healthNow() {
    return this.health?.now() ?? { ok: false, causes: [{ zh: '正在启动', en: 'starting' }] };
  }
}
