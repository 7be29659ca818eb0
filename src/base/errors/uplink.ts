import { errorTable } from './spec.ts';

/** Feeds to brokers. Parameters: `feed`, `url` (never with a password), `detail`. */
export const uplinkErrors = errorTable({
  'uplink.connect_failed': {
    says: { zh: '上报通道 {feed}：连不上 {url}：{detail}', en: 'feed {feed}: no connection to {url}: {detail}' },
    next: {
      zh: '检查网络、地址、用户名密码和证书；数据已保存，恢复后自动补发',
      en: 'check network, address, user, password and certificates; everything is kept and sent when it is back',
    },
    retry: 'later',
  },
  'uplink.no_reply': {
    says: {
      zh: '上报通道 {feed}：{detail} 发出 {seconds} 秒没有应答',
      en: 'feed {feed}: {detail} was not answered within {seconds} s',
    },
    next: {
      zh: '在平台上查看设备日志；平台从不应答时写 ack: broker',
      en: "look at the device's log on the platform; where it never answers, write ack: broker",
    },
    retry: 'later',
  },
  'uplink.not_connected': {
    says: { zh: '上报通道 {feed} 现在没有连接', en: 'feed {feed} is not connected now' },
    next: { zh: '用 weinao feed show {feed} 查看原因', en: 'see weinao feed show {feed}' },
    retry: 'later',
  },
  'uplink.no_such_members': {
    says: { zh: '{stream} 没有已送达的成员 {from}..{to}', en: '{stream} has no delivered members {from}..{to}' },
    next: { zh: '用 weinao feed show 查看序号范围', en: 'weinao feed show tells the range' },
    retry: 'never',
  },
  'uplink.key_not_kept': {
    says: { zh: '数据库写不了，密钥没有更换', en: 'the store takes nothing: the key was not changed' },
    next: { zh: '先用 weinao status 查看存储故障', en: 'see what is wrong with the store: weinao status' },
    retry: 'later',
  },
});
