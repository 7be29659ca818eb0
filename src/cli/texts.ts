/** Help texts of the command line. */
import type { Text } from '../base/text.ts';

export const HELP = {
  weinao: { zh: '社区微脑：小区边缘网关', en: 'edge gateway for housing estates' },
  demo: { zh: '演示：模拟小区，无需硬件', en: 'a simulated estate, no hardware needed' },
  check: { zh: '检查配置，列出全部问题', en: 'check the configuration; every problem at once' },
  run: { zh: '在前台运行守护进程', en: 'run the daemon in the foreground' },
  reload: { zh: '让守护进程重新读取配置', en: 'make the daemon read its configuration again' },
  status: { zh: '网关状态', en: 'how the gateway is' },
  watch: { zh: '实时查看读数和报警', en: 'readings and alarms as they come' },
  probe: { zh: '试读一个测点或寄存器', en: 'read one point or register once' },
  scan: { zh: '扫描一条线上的设备（只读）', en: 'find the devices on a line (reads only)' },
  ids: { zh: 'Modbus 和 M-Bus 站号范围，默认 1-32', en: 'Modbus and M-Bus stations, default 1-32' },
  all: { zh: '找到设备后也试完所有波特率', en: 'try every line setting, also after somebody answered' },
  plan: {
    zh: '总线读取计划：请求、耗时、占用率、学到的限制',
    en: 'the reads on each line: time, load, what was learned',
  },
  relearn: { zh: '清除某设备学到的限制，重新试探', en: 'forget what a device taught, and learn anew' },
  decode: { zh: '解释报文', en: 'explain bytes' },
  feed: { zh: '上报通道', en: 'feeds to platforms' },
  verify: { zh: '验证一份上报记录或在线数据', en: 'verify a captured or live feed' },
  config: { zh: '配置目录', en: 'configuration folder' },
  lang: { zh: '语言 zh|en', en: 'language zh|en' },
  json: { zh: '输出 JSON', en: 'print JSON' },
  for: { zh: '运行多久，例如 30s', en: 'how long, such as 30s' },
  wire: { zh: '查看某通道的报文', en: 'the bytes on a channel' },
  alarms: { zh: '只看报警', en: 'alarms only' },
  device: { zh: '只看某设备', en: 'one device only' },
  channel: { zh: '通道', en: 'channel' },
  address: { zh: '站号', en: 'station' },
  expect: {
    zh: '设备显示屏上的数值，据此推断类型、字节序、倍率，或确认测点',
    en: "what the device's display shows: guesses type, order and scale, or confirms a point",
  },
  ndjson: { zh: '从标准输入逐行读取 JSON', en: 'read JSON lines from standard input' },
  request: { zh: '主站请求的报文（十六进制）', en: "the master's request, in hex" },
  topic: { zh: '订阅的主题', en: 'topic to subscribe to' },
  mqtt: { zh: 'MQTT 版本', en: 'MQTT version' },
  midway: { zh: '记录可以从中途开始', en: 'the capture may begin in the middle of a stream' },
  user: {
    zh: '用户名；密码放在环境变量 WEINAO_MQTT_PASSWORD',
    en: 'user name; the password goes into WEINAO_MQTT_PASSWORD',
  },
  ca: { zh: 'CA 证书文件', en: "file with the CA's certificate" },
  cert: { zh: '客户端证书文件', en: 'file with the client certificate' },
  key: { zh: '客户端私钥文件', en: "file with the client's key" },
} as const satisfies Record<string, Text>;

export const TITLES: Readonly<Record<string, string>> = {
  'Usage:': '用法：',
  'Options:': '选项：',
  'Commands:': '命令：',
  'Arguments:': '参数：',
  'Global Options:': '全局选项：',
};
