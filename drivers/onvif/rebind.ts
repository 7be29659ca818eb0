/**
 * A camera that is gone from its address, and somebody like it at another: may the other address be taken?
 *
 * Taken without asking only when all of it holds: the endpoint (or the MAC) is the recorded one and nobody else claims it, the address lies in the
 * configured subnet, and the password is shown to nobody because only a digest is sent. Else it is proposed to a person, with the reason.
 * A network's answer proves nothing by itself: whoever can send datagrams can copy an endpoint. That is why the subnet and the digest are asked for.
 */
import { isWithin } from '../../src/base/ipv4.ts';
import type { Text } from '../../src/base/text.ts';

export interface Recorded {
  /** as configured, or as taken last */
  readonly host: string;
  readonly uuid?: string | undefined;
  readonly mac?: string | undefined;
  /** `192.168.1.0/24` */
  readonly subnet?: string | undefined;
  /** neither basic nor a password as text is allowed */
  readonly isDigestOnly: boolean;
}

export interface Seen {
  readonly host: string;
  readonly port: number;
  readonly uuid?: string | undefined;
  readonly mac?: string | undefined;
}

export type Rebinding =
  | { readonly kind: 'stay' }
  | { readonly kind: 'take'; readonly host: string; readonly port: number }
  | { readonly kind: 'propose'; readonly host: string; readonly port: number; readonly why: Text };

export function rebinding(recorded: Recorded, seen: readonly Seen[]): Rebinding {
  const same = seen.filter((one) => isSame(recorded, one));
  const [first] = same;
  if (first === undefined || same.some((one) => one.host === recorded.host)) return { kind: 'stay' };
  const { host, port } = first;
  const propose = (why: Text): Rebinding => ({ kind: 'propose', host, port, why });
  if (same.some((one) => one.host !== host)) return propose(WHY.several);
  if (recorded.subnet === undefined) return propose(WHY.noSubnet);
  if (!isWithin(host, recorded.subnet)) return propose(WHY.outside);
  if (!recorded.isDigestOnly) return propose(WHY.password);
  return { kind: 'take', host, port };
}

const WHY = {
  several: { zh: '有多个地址自称是这台摄像机', en: 'several addresses claim to be this camera' },
  noSubnet: { zh: '配置中没有写 subnet', en: 'the configuration names no subnet' },
  outside: { zh: '新地址不在配置的 subnet 内', en: 'the new address is outside the configured subnet' },
  password: {
    zh: '配置允许明文密码，不能交给未确认的设备',
    en: 'a plain password is allowed, and must not be shown to a stranger',
  },
} as const satisfies Record<string, Text>;

/** An endpoint that differs is another camera, whatever else agrees. */
function isSame(recorded: Recorded, { uuid, mac }: Seen): boolean {
  if (recorded.uuid !== undefined && uuid !== undefined) return recorded.uuid.toLowerCase() === uuid.toLowerCase();
  return recorded.mac !== undefined && mac !== undefined && plainMac(recorded.mac) === plainMac(mac);
}

const plainMac = (mac: string): string => mac.toLowerCase().replaceAll(':', '').replaceAll('-', '');
