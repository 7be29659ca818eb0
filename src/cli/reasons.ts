/** Words of the contract and of the journal, as a technician reads them: why a command was not done, why a feed lost something or began anew. */
import { ERRORS, type ErrorCode } from '../base/errors/index.ts';
import type { Lang } from '../base/text.ts';

const CHINESE: Readonly<Record<string, string>> = {
  // commands: why refused
  retained: '保留消息，不执行',
  flood: '太多',
  malformed: '格式不对',
  unknown_signer: '签名者未登记',
  bad_signature: '签名无效',
  not_for_us: '发给别的网关',
  not_granted: '未授权',
  not_signed: '须签名',
  out_of_range: '超出允许的值',
  wrong_time: '不在允许的时间',
  too_often: '超过允许的频率',
  busy: '未完成的命令太多',
  no_clock: '网关时钟未同步',
  expired: '已过期',
  too_far_ahead: '有效期太长',
  id_reused: '编号已用于另一条命令',
  not_kept: '存储写不了，不执行',
  // commands: how they ended
  not_confirmed: '值班室不同意',
  ambiguous: '网关重启，是否执行不明',
  'on its way already': '已在执行',
  'queue full': '排队的动作太多',
  'the gateway stops': '网关正在停止',
  'clips are not recorded here; take them from the camera or its recorder': '网关不录像，请从摄像机或录像机取',
  'no such device': '没有这台设备',
  'no driver of this device takes pictures': '这台设备不能抓图',
  'too late to begin': '已过时，不再开始',
  'nobody of this name': '没有这个人',
  'nothing read back': '写后读不回',
  // feeds: why something was given up, or an epoch began
  'disk-full': '存储空间不足',
  'kept-too-long': '超过保存时间',
  refused: '平台拒收',
  detached: '通道已从配置中删除',
  damaged: '存储损坏',
  pruned: '已清理',
  withdrawn: '授权已变更',
  erased: '已按要求删除',
  new: '新建',
  restored: '从备份恢复',
  contract: '约定变更',
  're-added': '重新加入配置',
};

const STATES: Readonly<Record<string, string>> = {
  connected: '已连接',
  connecting: '未连接',
  stopped: '已停止',
  detached: '已从配置中删除',
  open: '已打开',
  opening: '正在打开',
  closed: '未打开',
};

/** How a feed or a channel is. */
export const stateWord = (state: string, lang: Lang): string => (lang === 'zh' ? (STATES[state] ?? state) : state);

const READ_BACK = 'read back ';

/** A word nobody put into Chinese stays as it is; an error's code becomes its sentence where that needs nothing else. */
export function reasonText(reason: string, lang: Lang): string {
  const sentence = Object.hasOwn(ERRORS, reason) ? ERRORS[reason as ErrorCode].says[lang] : undefined;
  if (sentence !== undefined && !sentence.includes('{')) return sentence;
  if (lang === 'en') return reason;
  if (reason.startsWith(READ_BACK)) return `读回 ${reason.slice(READ_BACK.length)}`;
  return Object.hasOwn(CHINESE, reason) ? (CHINESE[reason] ?? reason) : reason;
}
