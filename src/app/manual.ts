/** A person switches an output. */
import { WeinaoError } from '../base/errors/index.ts';
import { VALUE_TYPE } from '../base/model.ts';
import type { Clock } from '../base/ports.ts';
import type { Value } from '../base/reading.ts';
import type { CheckedSite } from './check.ts';
import type { Outcome, Performer } from './perform.ts';
import type { Pipeline } from './pipeline.ts';

export interface ManualDeps {
  readonly clock: Clock;
  readonly site: CheckedSite;
  readonly pipeline: Pick<Pipeline, 'input'>;
  readonly performer: Pick<Performer, 'perform'>;
}

/** Its control keeps off for a while. Throws device.no_output and device.value_out_of_range. */
export async function writeByHand(deps: ManualDeps, output: string, value: Value, by: string): Promise<Outcome> {
  const { clock, site, pipeline, performer } = deps;
  const { model, machine } = site;
  const [device = '', point = ''] = output.split('.');
  const known = model.devices.get(device)?.points.find((p) => p.id === point);
  if (known === undefined || !machine.outputs.has(output))
    throw new WeinaoError('device.no_output', { output, known: [...machine.outputs].slice(0, 12).join(' ') });
  if (typeof value !== VALUE_TYPE[known.kind])
    throw new WeinaoError('device.value_out_of_range', { point: output, value });
  const at = clock.now();
  const key = `manual/${output}/${Math.round(at.wall)}.${Math.round(at.mono)}`;
  pipeline.input({ kind: 'manual', device, point });
  return performer.perform({ key, step: { do: 'write', device, point, value }, leaves: true, at: at.wall, by });
}
