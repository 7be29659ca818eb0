/** Channels out of their sections: exactly one carrier each, no port twice, secrets that can be read. */
import type { BrokerChannel, ChannelModel, HttpChannel } from '../base/model.ts';
import type { Report, Where } from './report.ts';
import type { ChannelSection, SiteSections } from './schema.ts';
import { checkSecret, definedOnly, type ReadSecret } from './secrets.ts';

const MOST = 64;
const CARRIERS = ['serial', 'tcp', 'modbus_tcp', 'listen', 'mqtt', 'http'] as const;
const SECRETS = ['password', 'ca', 'cert', 'key'] as const;

export async function buildChannels(
  sections: SiteSections,
  report: Report,
  where: Where,
  readSecret: ReadSecret,
): Promise<Map<string, ChannelModel>> {
  const channels = new Map<string, ChannelModel>();
  const ports = new Map<string, string>();
  for (const [id, section] of Object.entries(sections.channels)) {
    report.id(['channels', id], id);
    // `weinao scan cameras` is not about a channel.
    if (id === 'cameras') report.add('config.reserved', ['channels', id], { given: id }, true);
    for (const key of SECRETS) await checkSecret(['channels', id, key], section[key], report, readSecret);
    const model = channelModel(id, section);
    if (model === undefined) {
      report.add('config.one_carrier', ['channels', id], {}, true);
      continue;
    }
    channels.set(id, model);
    const port = portOf(model);
    const other = ports.get(port);
    if (other === undefined) ports.set(port, id);
    else
      report.add('config.same_port', ['channels', id, model.carries], {
        port: model.carries === 'serial' ? model.path : port,
        other,
        where: where(['channels', other]),
      });
    if (model.carries === 'http') checkHttp(model, report);
  }
  if (channels.size > MOST) report.add('config.too_many', ['channels'], { what: 'channels', limit: MOST }, true);
  return channels;
}

/** One serial port may have lines of different settings, one broker different users; the same ones twice are a mistake. */
function portOf(model: ChannelModel): string {
  if (model.carries === 'serial') return `${model.path} ${JSON.stringify(model.line)}`;
  return model.carries === 'mqtt' ? `${model.to} ${model.user ?? ''}` : `${model.host}:${model.port}`;
}

/** Tokens that travel in the clear are anybody's. */
function checkHttp({ id, host, cert, key }: HttpChannel, report: Report): void {
  if ((cert === undefined) !== (key === undefined)) report.add('config.cert_and_key', ['channels', id], {}, true);
  const isLocal = host === '::1' || host === '[::1]' || host === 'localhost' || host.startsWith('127.');
  if (cert === undefined && !isLocal)
    report.problems.push({
      code: 'config.open_http',
      params: { host },
      path: ['channels', id, 'http'],
      severity: 'warning',
    });
}

function channelModel(id: string, section: ChannelSection): ChannelModel | undefined {
  const { serial, tcp, modbus_tcp, listen, mqtt, http } = section;
  if (CARRIERS.filter((carrier) => section[carrier] !== undefined).length !== 1) return undefined;
  const line = { baud: section.baud, parity: section.parity, dataBits: section.data_bits, stopBits: section.stop_bits };
  const named = { id, ...(section.name === undefined ? {} : { name: section.name }) };
  const common = {
    ...named,
    timeoutMs: section.timeout,
    gapMs: section.gap ?? 0,
  };
  if (serial !== undefined) return { ...common, carries: 'serial', path: serial, line };
  if (tcp !== undefined) return { ...common, carries: 'tcp', ...tcp, line };
  if (listen !== undefined) return { ...named, carries: 'listen', ...listen };
  if (mqtt !== undefined) {
    const { version, client, user, password, ca, cert, key } = section;
    const login = definedOnly({ version, client, user, password, ca, cert, key });
    return { ...named, carries: 'mqtt', to: mqtt, ...login } as BrokerChannel;
  }
  if (http !== undefined)
    return {
      ...named,
      carries: 'http',
      ...http,
      ...definedOnly({ cert: section.cert, key: section.key }),
    } as HttpChannel;
  return modbus_tcp === undefined ? undefined : { ...common, carries: 'modbus_tcp', ...modbus_tcp };
}
