/** A probe without a daemon: opens the one line it needs, asks, closes it. */

import { drivers } from '../../drivers/index.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { SiteModel } from '../base/model.ts';
import { createEngine } from '../engine/index.ts';
import { systemClock } from '../io/clock.ts';
import { pinoLog } from '../io/log.ts';
import { systemRandom } from '../io/random.ts';
import { type Env, needSite } from './check.ts';
import { systemDoors } from './ports.ts';
import { probe, readProbeAsk } from './probe.ts';

const OPENING_MS = 6000;

export async function probeAlone(body: unknown, configFolder: string, env: Env, signal: AbortSignal): Promise<unknown> {
  const ask = readProbeAsk(body);
  const site = await needSite(configFolder, env);
  const clock = systemClock();
  const device = 'speaker' in ask ? ask.speaker : 'device' in ask ? ask.device : undefined;
  const channel = 'channel' in ask ? ask.channel : site.model.devices.get(device ?? '')?.channel;
  // What was said before anybody listened is gone; a device on no line can be asked.
  if ('speaker' in ask && channel !== undefined) throw new WeinaoError('cli.needs_daemon');
  const doors = systemDoors(configFolder, env);
  const engine = createEngine({
    clock,
    log: pinoLog({ level: 'silent', descriptor: 2, time: false }),
    random: systemRandom(),
    drivers,
    ...doors,
    memory: [],
    alarmRelevant: () => false,
    onReadings: () => {},
    onReport: () => {},
    onDevice: () => {},
    onMemory: () => {},
  });
  try {
    await engine.apply(only(site.model, channel, device));
    for (let waited = 0; waited < OPENING_MS && engine.channels()[0]?.state === 'opening'; waited += 50)
      await clock.sleep('opening', 50);
    return await probe(ask, site.model, engine, signal);
  } finally {
    await engine.stop();
  }
}

/** The site cut down to one line, or to one device that stands on none; what is there is polled as long as the probe lasts, which harms nobody. */
function only(site: SiteModel, channel: string | undefined, device: string | undefined): SiteModel {
  const devices = [...site.devices].filter(([id, d]) =>
    channel === undefined ? id === device : d.channel === channel,
  );
  return { ...site, devices: new Map(devices) };
}
