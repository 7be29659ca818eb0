import { errorTable } from './spec.ts';

/** Command line and local API. */
export const cliErrors = errorTable({
  'cli.not_running': {
    says: { zh: '守护进程没有运行（{socket}）', en: 'the daemon is not running ({socket})' },
    next: { zh: '启动：systemctl start weinao，或 weinao run', en: 'start it: systemctl start weinao, or weinao run' },
    retry: 'later',
  },
  'cli.no_permission': {
    says: { zh: '没有权限访问 {socket}', en: 'no permission for {socket}' },
    next: { zh: '用 sudo，或把用户加入 weinao 组', en: 'use sudo, or join the group weinao' },
    retry: 'never',
  },
  'cli.already_running': {
    says: { zh: '已有守护进程在使用 {socket}', en: 'another daemon uses {socket}' },
    next: { zh: '先停止它：systemctl stop weinao', en: 'stop it first: systemctl stop weinao' },
    retry: 'never',
  },
  'cli.starting': {
    says: { zh: '守护进程正在启动', en: 'the daemon is starting' },
    next: { zh: '稍后再试', en: 'try again in a moment' },
    retry: 'later',
  },
  'cli.no_such_call': {
    says: { zh: '接口没有 {call}', en: 'the API has no {call}' },
    next: { zh: '命令行与守护进程的版本是否一致？', en: 'are CLI and daemon of one version?' },
    retry: 'never',
  },
  'cli.unknown_channel': {
    says: { zh: '没有通道 “{channel}”', en: 'there is no channel "{channel}"' },
    next: { zh: '已有：{known}', en: 'there are: {known}' },
    retry: 'never',
  },
  'cli.bad_probe': {
    says: { zh: '不知道要读什么', en: 'it is not clear what to read' },
    next: {
      zh: 'weinao probe 设备.测点，或 weinao probe --channel 通道 --address 站号 holding 0 2；主动上报的设备：weinao probe 设备',
      en: 'weinao probe device.point, or weinao probe --channel CHANNEL --address STATION holding 0 2; of a device behind mqtt or http: weinao probe DEVICE',
    },
    retry: 'never',
  },
  'cli.needs_daemon': {
    says: {
      zh: '只有运行中的网关听得到设备主动上报的内容',
      en: 'only the running gateway hears what devices say by themselves',
    },
    next: { zh: '启动：systemctl start weinao，或 weinao run', en: 'start it: systemctl start weinao, or weinao run' },
    retry: 'later',
  },
  'cli.bad_ids': {
    says: { zh: '“{given}” 不是站号范围', en: '"{given}" is no range of stations' },
    next: { zh: '例如 --ids 1-32', en: 'for example --ids 1-32' },
    retry: 'never',
  },
  'cli.bad_range': {
    says: { zh: '“{given}” 不是可扫描的地址范围', en: '"{given}" is no range that can be scanned' },
    next: {
      zh: '例如 --range 192.168.1.0/24，最多 {most} 个地址',
      en: 'for example --range 192.168.1.0/24, at most {most} addresses',
    },
    retry: 'never',
  },
  'cli.unknown_device': {
    says: { zh: '没有设备 “{device}”', en: 'there is no device "{device}"' },
    next: { zh: '已有：{known}', en: 'there are: {known}' },
    retry: 'never',
  },
  'cli.bad_hex': {
    says: { zh: '不是十六进制：{given}', en: 'not hex: {given}' },
    next: { zh: '例如 01 03 02 00 01 79 84', en: 'for example 01 03 02 00 01 79 84' },
    retry: 'never',
  },
  'cli.unknown_protocol': {
    says: { zh: '不认识协议 “{given}”', en: 'unknown protocol "{given}"' },
    next: { zh: '已有：{known}', en: 'there are: {known}' },
    retry: 'never',
  },
  'cli.bad_duration': {
    says: { zh: '“{given}” 不是时长', en: '"{given}" is no duration' },
    next: { zh: '例如 30s、2m', en: 'for example 30s or 2m' },
    retry: 'never',
  },
  'cli.bad_simulation': {
    says: { zh: '{path} 不是可用的模拟文件：\n  {problems}', en: '{path} is no simulation:\n  {problems}' },
    next: { zh: '参照 config/simulation.example.yaml', en: 'compare config/simulation.example.yaml' },
    retry: 'never',
  },
  'cli.nothing_to_add': {
    says: { zh: '没有可写入的测点', en: 'there is nothing to add' },
    next: {
      zh: '写法：weinao probe --channel 通道 --address 站号 holding 0 2 --expect 显示值 --add',
      en: 'weinao probe --channel CHANNEL --address STATION holding 0 2 --expect DISPLAY --add',
    },
    retry: 'never',
  },
  'cli.unknown_profile': {
    says: { zh: '没有设备模板 “{name}”', en: 'there is no profile "{name}"' },
    next: { zh: '已有：{known}', en: 'there are: {known}' },
    retry: 'never',
  },
  'cli.unknown_driver': {
    says: { zh: '没有驱动 “{driver}”', en: 'there is no driver "{driver}"' },
    next: { zh: '用 --driver 指定：{known}', en: 'say --driver with one of: {known}' },
    retry: 'never',
  },
  'cli.no_source': {
    says: { zh: '{path} 没有写明来源', en: '{path} names no source' },
    next: {
      zh: '加一行 source: 说明书名称和寄存器表，或公开项目和文件名',
      en: 'add a line source: with the manual and its table, or a public project and file',
    },
    retry: 'never',
  },
  'cli.unreadable': {
    says: { zh: '无法读取 {path}：{detail}', en: 'cannot read {path}: {detail}' },
    next: { zh: '核对文件名和权限', en: 'check the name and the permission' },
    retry: 'never',
  },
  'cli.bad_operation': {
    says: { zh: '请求不完整：{field}', en: 'the request is incomplete: {field}' },
    next: { zh: '要有经手人、对象和原因', en: 'it needs who, what and why' },
    retry: 'never',
  },
  'cli.bad_choice': {
    says: { zh: '{option} 的值 “{given}” 不对', en: '"{given}" is nothing {option} can be' },
    next: { zh: '可选：{known}', en: 'it is one of: {known}' },
    retry: 'never',
  },
  'cli.bad_count': {
    says: { zh: '{option} 的值 “{given}” 不对', en: '"{given}" is nothing {option} can be' },
    next: { zh: '写成 {least} 到 {most} 的整数', en: 'it is a whole number from {least} to {most}' },
    retry: 'never',
  },
  'cli.bad_period': {
    says: { zh: '开始时间不早于结束时间：{from} .. {to}', en: 'it begins no earlier than it ends: {from} .. {to}' },
    next: { zh: '--from 应早于 --to；24h 表示 24 小时以前', en: '--from is before --to; 24h is a day ago' },
    retry: 'never',
  },
  'cli.cannot_write': {
    says: { zh: '结果写不出去：{detail}', en: 'the result cannot be written: {detail}' },
    next: { zh: '磁盘是否已满？换个地方再试', en: 'is the disk full? write it elsewhere' },
    retry: 'never',
  },
  'cli.bad_members': {
    says: { zh: '“{from} 到 {to}” 不是序号范围', en: '"{from} to {to}" is no range of members' },
    next: {
      zh: '--from 和 --to 都是从 1 起的整数，--to 不小于 --from；用 weinao feed show 查看可重发的范围',
      en: '--from and --to are whole numbers from 1 on, --to not below --from; weinao feed show tells which there are',
    },
    retry: 'never',
  },
  'cli.bad_body': {
    says: { zh: '请求的内容无法使用：{detail}', en: 'the body of the request cannot be used: {detail}' },
    next: { zh: '应为不超过 64 KB 的 JSON', en: 'it must be JSON of at most 64 KB' },
    retry: 'never',
  },
  'cli.bad_time': {
    says: { zh: '“{given}” 不是时间', en: '"{given}" is no time' },
    next: {
      zh: '写成 2026-06-01、2026-06-01T08:00 或 24h（多久以前）',
      en: 'write 2026-06-01, 2026-06-01T08:00 or 24h (how long ago)',
    },
    retry: 'never',
  },
  'cli.bad_field': {
    says: { zh: '“{given}” 应为 字段=值，每个字段只写一次', en: '"{given}" should be field=value, each field once' },
    next: { zh: '例如 kind=噪音', en: 'for example kind=noise' },
    retry: 'never',
  },
});
