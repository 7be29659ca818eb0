/** The gateway's own alarms, in the words of the duty room. */
import type { Stream } from '../base/event.ts';
import type { GapReason } from '../base/feed.ts';
import type { LocatedProblem } from '../base/problem.ts';
import { showProblem } from '../config/show.ts';
import type { TechnicalFault } from './technical.ts';

export const storeFault = (): TechnicalFault => ({
  topic: 'store',
  instance: 'gateway',
  level: 'red',
  name: '存储失效',
  text: '数据无法写入存储卡，报警仍在本机显示，断电会丢失',
  act: '检查存储卡空间和健康，尽快更换后重启网关',
});

/** @param what without a path nothing was renamed: the file's log is missing */
export function setAsideFault(
  { path, why }: { readonly path: string; readonly why: string },
  durable: boolean,
): TechnicalFault {
  if (!durable) return storeFault();
  return {
    topic: 'store',
    instance: 'file',
    level: 'orange',
    name: '数据文件损坏',
    text:
      path === ''
        ? '数据文件的日志丢失，最近的数据可能缺失，各平台已获通知（{why}）'
        : '损坏的数据文件已改名保留为 {path}，能读出的已转入新文件，缺失的已通知各平台（{why}）',
    act: path === '' ? '检查存储卡，不要手工删除 journal.db-wal' : '保留该文件，联系维护人员',
    values: path === '' ? { why } : { path, why },
  };
}

export const refusedFault = (feed: string, detail: string): TechnicalFault => ({
  topic: 'feed',
  instance: feed,
  level: 'orange',
  name: '平台拒收',
  text: '平台 {feed} 三次拒收一条消息，已跳过（{detail}）',
  act: '联系平台核对消息大小和权限',
  values: { feed, detail },
});

export const silentFault = (feed: string): TechnicalFault => ({
  topic: 'silent',
  instance: feed,
  level: 'orange',
  name: '平台无确认',
  text: '平台 {feed} 一天没有确认任何消息；数据已保存并持续重发',
  act: '联系平台核对确认消息（dn/ack）',
  values: { feed },
});

/** What nobody took was given up; how much it was stands in the feed's own gap. */
export const lostFault = (feed: string, stream: Stream, why: GapReason): TechnicalFault => ({
  topic: 'shed',
  instance: feed,
  level: 'red',
  name: stream === 'a' ? '未上报的报警被丢弃' : '未上报的数据被丢弃',
  text: LOST[why] ?? '平台 {feed} 有未上报的内容无法送达',
  act: stream === 'a' ? '立即检查上行网络和平台' : '检查上行网络和平台；报警不受影响',
  values: { feed },
});

const LOST: Readonly<Partial<Record<GapReason, string>>> = {
  'disk-full': '存储空间不足，平台 {feed} 最早的未上报内容已丢弃',
  'kept-too-long': '平台 {feed} 的内容超过保留期仍未取走，已丢弃',
  damaged: '存储卡上有损坏的数据，平台 {feed} 的一部分无法上报',
};

export const configFault = (problems: readonly LocatedProblem[]): TechnicalFault => ({
  topic: 'config',
  instance: 'gateway',
  level: 'red',
  name: '配置错误，运行上一份配置',
  text: '{problem}',
  act: '用 weinao check 检查并改正，再 weinao reload',
  values: { problem: problems[0] === undefined ? '' : showProblem(problems[0], 'zh') },
});
