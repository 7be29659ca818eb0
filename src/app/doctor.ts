/**
 * `weinao doctor`: what is wrong, and what to do, one finding a line. It looks at what the running gateway says of itself and changes nothing: an address
 * a camera may have moved to is proposed here and written into the configuration by a person.
 */
import { ERRORS, type ErrorCode } from '../base/errors/index.ts';
import { say, type Text } from '../base/text.ts';

/** What it needs of `GET /v1/status`. */
export interface Examined {
  readonly health: { readonly causes: readonly Text[] };
  readonly config: { readonly last_good: boolean; readonly problems: readonly Text[] };
  readonly clock: { readonly synced: boolean };
  readonly channels: readonly { readonly id: string; readonly state: string }[];
  readonly devices: readonly {
    readonly id: string;
    readonly online?: boolean;
    readonly flaky?: boolean;
    readonly error?: string;
    readonly health?: { readonly findings?: readonly DeviceFinding[] };
  }[];
  readonly journal: { readonly durable: boolean };
  readonly feeds: readonly { readonly id: string; readonly state: string; readonly says?: Text }[];
}

/** What a driver finds of its device, in `health.findings`. */
export type DeviceFinding = {
  readonly zh: string;
  readonly en: string;
  /** worth knowing, and nothing is broken */
  readonly hint?: boolean;
};

export interface Finding {
  /** `device gate_cam` */
  readonly about: string;
  readonly isFault: boolean;
  readonly says: Text;
  readonly next: Text;
}

const NOTHING: Text = { zh: '', en: '' };

export function findingsOf(status: Examined): readonly Finding[] {
  const { health, config, clock, channels, devices, journal, feeds } = status;
  const fault = (about: string, says: Text, next: Text = NOTHING): Finding => ({ about, isFault: true, says, next });
  const hint = (about: string, says: Text, next: Text = NOTHING): Finding => ({ about, isFault: false, says, next });
  return [
    ...health.causes.map((cause) => fault('gateway', cause)),
    ...(journal.durable ? [] : [fault('store', SAYS.store, NEXT.store)]),
    ...(config.last_good ? [fault('config', SAYS.lastGood, NEXT.check)] : []),
    ...config.problems.map((problem) => fault('config', problem)),
    ...(clock.synced ? [] : [hint('clock', SAYS.clock, NEXT.clock)]),
    ...channels.filter((c) => c.state !== 'open').map((c) => fault(`channel ${c.id}`, SAYS.channel, NEXT.channel)),
    ...devices.flatMap((device) => {
      const about = `device ${device.id}`;
      const own = (device.health?.findings ?? []).map(({ zh, en, hint: isHint }) =>
        isHint === true ? hint(about, { zh, en }) : fault(about, { zh, en }),
      );
      if (device.online === false) return [fault(about, SAYS.offline, nextOf(device.error)), ...own];
      return device.flaky === true ? [hint(about, SAYS.flaky, NEXT.flaky), ...own] : own;
    }),
    ...feeds.filter((f) => f.state !== 'connected').map((f) => fault(`feed ${f.id}`, feedSays(f.says), NEXT.feed)),
  ];
}

/** What to do about an error of which only the code is left. */
export function nextOf(code: string | undefined): Text {
  if (code === undefined || !(code in ERRORS)) return NEXT.offline;
  const { next } = ERRORS[code as ErrorCode];
  // Its parameters are gone: what is left of the sentence must make sense without.
  return [next.zh, next.en].some((text) => text.includes('{'))
    ? NEXT.offline
    : { zh: say(next, 'zh'), en: say(next, 'en') };
}

const feedSays = (why: Text | undefined): Text => ({
  zh: `未连接${why === undefined ? '' : `：${why.zh}`}`,
  en: `not connected${why === undefined ? '' : `: ${why.en}`}`,
});

const SAYS = {
  store: { zh: '存储失效，仅在内存中运行', en: 'the store failed; it runs in memory only' },
  lastGood: { zh: '配置有误，正在运行上一份配置', en: 'the configuration is invalid; the last good one runs' },
  clock: { zh: '时钟未同步', en: 'the clock is not synchronised' },
  channel: { zh: '端口未打开', en: 'its port is not open' },
  offline: { zh: '离线', en: 'offline' },
  flaky: { zh: '应答时有时无', en: 'it loses many replies' },
} as const satisfies Record<string, Text>;

const NEXT = {
  store: { zh: '更换存储卡，重启网关', en: 'replace the card and restart the gateway' },
  check: { zh: '执行 weinao check', en: 'run weinao check' },
  clock: { zh: '检查网络和 NTP 服务器', en: 'check the network and the NTP server' },
  channel: { zh: '检查线缆、端口名称和对端设备', en: 'check the cable, the name of the port and the far end' },
  offline: { zh: '检查供电、接线和地址', en: 'check power, wiring and address' },
  flaky: { zh: '检查接线、终端电阻和干扰', en: 'check wiring, terminators and interference' },
  feed: { zh: '检查网络、地址、用户和证书', en: 'check the network, the address, user and certificates' },
} as const satisfies Record<string, Text>;
