import { findClient } from '../../app/client.ts';
import { isFaulty, type Verified, verifyCapture, verifyLive } from '../../app/verify.ts';
import { EXIT } from '../../base/exit.ts';
import type { Call } from '../world.ts';

export interface VerifyOptions {
  readonly topic: string;
  readonly mqtt: string;
  readonly midway?: boolean;
  readonly pin?: string;
  readonly user?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** `weinao feed verify FILE|-|mqtt://…`: proves, or disproves, a feed. 7 when it has faults. */
export async function feedVerify(call: Call, source: string, options: VerifyOptions): Promise<number> {
  const { world, lang, json } = call;
  const isLive = source.startsWith('mqtt://') || source.startsWith('mqtts://');
  const { topic, mqtt, midway = false, pin, user, ca, cert, key } = options;
  const password = world.env.WEINAO_MQTT_PASSWORD;
  const given = Object.entries({ user, password, ca, cert, key }).filter(([, value]) => value !== undefined);
  const broker = { url: source, protocol: mqtt === '3' ? 3 : 5, ...Object.fromEntries(given) } as const;
  const listening = (): void =>
    world.err(
      lang === 'zh'
        ? `正在监听 ${topic}，Ctrl-C 结束并给出结论\n`
        : `listening to ${topic}; Ctrl-C ends it with the verdict\n`,
    );
  const pinned = pin === undefined ? {} : { pin };
  const verified = isLive
    ? await verifyLive(broker, topic, listening, world.stop, pinned)
    : await verifyCapture(source === '-' ? world.stdin() : world.lines(source), { midway, ...pinned });
  world.out(json ? `${JSON.stringify({ schema: 1, ...verified })}\n` : shown(verified, lang === 'zh'));
  return isFaulty(verified) ? EXIT.faults : EXIT.ok;
}

function shown(v: Verified, zh: boolean): string {
  const lines = [
    `${zh ? '消息' : 'messages'}: ${v.messages}`,
    `${zh ? '成员' : 'members'}: ${v.members}  (${zh ? '样本' : 'samples'} ${v.samples}, ${zh ? '报警触发/恢复' : 'alarms raised/cleared'} ${v.alarms.raised}/${v.alarms.cleared})`,
    `${zh ? '重复' : 'duplicates'}: ${v.duplicates}`,
    `${zh ? '缺口' : 'gaps'}: ${v.gaps}`,
    `${zh ? '哈希链' : 'hash chain'}: ${v.chain}`,
    `${zh ? '签名' : 'proofs'}: ${v.proofs.good} ${zh ? '有效' : 'good'}, ${v.proofs.bad} ${zh ? '无效' : 'bad'}`,
    ...(v.erased === 0 ? [] : [`${zh ? '已删除内容' : 'erased'}: ${v.erased}`]),
    ...(v.anchors.whole + v.anchors.part === 0
      ? []
      : [`${zh ? '每日锚点（完整/部分）' : 'anchors (whole/part)'}: ${v.anchors.whole}/${v.anchors.part}`]),
    ...(v.unreadable === 0 ? [] : [`${zh ? '无法识别的行' : 'lines that are no capture'}: ${v.unreadable}`]),
    ...v.faults.map((f) => `  ${f}`),
  ];
  return `${lines.join('\n')}\n`;
}

interface Keys {
  readonly kid: string;
  readonly key: string;
  readonly changes?: readonly { readonly old: string; readonly kid: string }[];
  readonly old?: string;
}

/** `weinao feed key [--rotate]` */
export async function feedKey(call: Call, { rotate }: { readonly rotate?: boolean }): Promise<number> {
  const { world, lang, config, json } = call;
  const client = await findClient(config, world.env);
  const asked = rotate === true ? client.call('POST', '/v1/keys/rotate') : client.call('GET', '/v1/keys');
  const keys = (await asked).json as Keys;
  const zh = lang === 'zh';
  if (json) world.out(`${JSON.stringify(keys)}\n`);
  else {
    const before = keys.old === undefined ? (keys.changes ?? []).map((c) => c.old) : [keys.old];
    world.out(`kid: ${keys.kid}\n${zh ? '公钥' : 'public key'}: ${keys.key}\n`);
    if (before.length > 0) world.out(`${zh ? '以前的 kid' : 'before'}: ${before.join(' ')}\n`);
  }
  return EXIT.ok;
}
