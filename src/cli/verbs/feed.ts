import { isFaulty, type Verified, verifyCapture, verifyLive } from '../../app/verify.ts';
import { EXIT } from '../../base/exit.ts';
import type { Call } from '../world.ts';

export interface VerifyOptions {
  readonly topic: string;
  readonly mqtt: string;
}

/** `weinao feed verify FILE|-|mqtt://…`: proves, or disproves, a feed. 7 when it has faults. */
export async function feedVerify(call: Call, source: string, options: VerifyOptions): Promise<number> {
  const { world, lang, json } = call;
  const isLive = source.startsWith('mqtt://') || source.startsWith('mqtts://');
  const verified = isLive
    ? await verifyLive(source, options.topic, options.mqtt === '5' ? 5 : 3, () => {}, world.stop)
    : await verifyCapture(source === '-' ? world.stdin() : world.lines(source));
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
    ...(v.unreadable === 0 ? [] : [`${zh ? '无法识别的行' : 'lines that are no capture'}: ${v.unreadable}`]),
    ...v.faults.map((f) => `  ${f}`),
  ];
  return `${lines.join('\n')}\n`;
}
