import { errorTable } from './spec.ts';

/** A physical port, socket or broker connection, and the turns taken on it. Parameters: `channel`, `port`, `ms`, `detail`. */
export const linkErrors = errorTable({
  'link.timeout': {
    says: { zh: '通道 {channel}：{ms} 毫秒内没有应答', en: 'channel {channel}: no reply within {ms} ms' },
    next: {
      zh: '检查设备供电、接线 A/B、地址和波特率；可用 weinao probe 试读',
      en: 'check power, A/B wiring, address and baud rate; try weinao probe',
    },
    retry: 'later',
  },
  'link.closed': {
    says: { zh: '通道 {channel}：端口 {port} 未打开', en: 'channel {channel}: port {port} is not open' },
    next: {
      zh: '端口会自动重新打开；检查线缆和对端设备',
      en: 'it is re-opened by itself; check the cable and the far end',
    },
    retry: 'later',
  },
  'link.open_failed': {
    says: { zh: '通道 {channel}：无法打开 {port}：{detail}', en: 'channel {channel}: cannot open {port}: {detail}' },
    next: {
      zh: '检查端口名称、权限（dialout 组）以及是否被其他程序占用',
      en: 'check the port name, the permission (group dialout) and whether another program holds it',
    },
    retry: 'later',
  },
  'link.bad_frame': {
    says: {
      zh: '通道 {channel}：收到的数据不是有效帧（{detail}）',
      en: 'channel {channel}: the bytes received are no valid frame ({detail})',
    },
    next: {
      zh: '检查波特率和校验位、线路干扰、是否有两台设备地址相同',
      en: 'check baud rate and parity, interference, and two devices sharing one address',
    },
    retry: 'later',
  },
  'link.lent': {
    says: { zh: '通道 {channel} 正在被扫描', en: 'channel {channel} is being scanned' },
    next: { zh: '等扫描结束，或先结束它', en: 'wait until the scan is over, or end it first' },
    retry: 'later',
  },
  'link.crowded': {
    says: { zh: '通道 {channel}：等待的任务已有 {n} 个', en: 'channel {channel}: {n} turns are waiting already' },
    next: {
      zh: '轮询过密或设备过多；加大 poll 或分到几条线路',
      en: 'polling is too dense for this line; raise poll or split the devices over several lines',
    },
    retry: 'later',
  },
  'link.cancelled': {
    says: { zh: '通道 {channel}：操作已取消', en: 'channel {channel}: cancelled' },
    next: { zh: '无需处理', en: 'nothing to do' },
    retry: 'later',
  },
});
