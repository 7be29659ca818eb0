import { errorTable } from './spec.ts';

const NOTHING = { zh: '', en: '' };

/** Problems found in the configuration. `says` is what is wrong, `next` what would be right. */
export const configErrors = errorTable({
  'config.unreadable': {
    says: { zh: '无法读取文件：{detail}', en: 'the file cannot be read: {detail}' },
    next: { zh: '检查文件是否存在及权限', en: 'check that it exists and may be read' },
    retry: 'never',
  },
  'config.too_big': {
    says: { zh: '文件超过 {limit} 字节', en: 'the file is over {limit} bytes' },
    next: { zh: '拆分文件', en: 'split it' },
    retry: 'never',
  },
  'config.yaml': {
    says: { zh: 'YAML 格式错误：{detail}', en: 'not valid YAML: {detail}' },
    next: {
      zh: '检查缩进、冒号后的空格、引号和括号是否成对',
      en: 'check the indent, the space after colons, and that quotes and brackets close',
    },
    retry: 'never',
  },
  'config.tab': {
    says: { zh: '缩进中有制表符（Tab）', en: 'a tab in the indent' },
    next: { zh: '缩进请用空格', en: 'indent with spaces' },
    retry: 'never',
  },
  'config.duplicate_key': {
    says: { zh: '“{key}” 重复出现', en: '"{key}" stands here a second time' },
    next: { zh: '同一层每个名称只能出现一次', en: 'each name may stand once on a level' },
    retry: 'never',
  },
  'config.aliases': {
    says: { zh: 'YAML 别名展开过多', en: 'too many YAML aliases' },
    next: { zh: '不要使用 & 和 * 别名', en: 'do without & and * aliases' },
    retry: 'never',
  },
  'config.unknown_key': {
    says: { zh: '未知的键 “{key}”{hint_zh}', en: 'unknown key "{key}"{hint_en}' },
    next: { zh: '可用的键：{keys}', en: 'known keys: {keys}' },
    retry: 'never',
  },
  'config.missing': {
    says: { zh: '缺少 “{key}”', en: '"{key}" is missing' },
    next: NOTHING,
    retry: 'never',
  },
  'config.wrong_type': {
    says: { zh: '应为 {expected}，实际为 {received}', en: 'should be {expected}, is {received}' },
    next: NOTHING,
    retry: 'never',
  },
  'config.wrong_form': {
    says: { zh: '应为 {expected}，实际为 {received}', en: 'should be {expected}, is {received}' },
    next: { zh: '写法：{example}', en: 'write it as: {example}' },
    retry: 'never',
  },
  'config.one_or_list': {
    says: { zh: '应为一个词，或方括号里的几个词', en: 'should be a word, or words in brackets' },
    next: { zh: '写法：{example}', en: 'write it as: {example}' },
    retry: 'never',
  },
  'config.bad_choice': {
    says: { zh: '“{given}” 不可用', en: '"{given}" is no choice here' },
    next: { zh: '可选：{choices}', en: 'choose one of: {choices}' },
    retry: 'never',
  },
  'config.too_small': {
    says: { zh: '数值过小：{given}', en: 'too small: {given}' },
    next: { zh: '最小 {limit}', en: 'at least {limit}' },
    retry: 'never',
  },
  'config.too_large': {
    says: { zh: '数值过大：{given}', en: 'too large: {given}' },
    next: { zh: '最大 {limit}', en: 'at most {limit}' },
    retry: 'never',
  },
  'config.not_whole': {
    says: { zh: '应为整数：{given}', en: 'should be a whole number: {given}' },
    next: NOTHING,
    retry: 'never',
  },
  'config.invalid': {
    says: { zh: '数值无效：{detail}', en: 'invalid: {detail}' },
    next: NOTHING,
    retry: 'never',
  },
  'config.bad_duration': {
    says: { zh: '“{given}” 不是时长', en: '"{given}" is no duration' },
    next: { zh: '写成数字加单位：500ms 2s 15m 48h 30d', en: 'a number and a unit: 500ms 2s 15m 48h 30d' },
    retry: 'never',
  },
  'config.bad_size': {
    says: { zh: '“{given}” 不是存储容量', en: '"{given}" is no size' },
    next: { zh: '写成数字加单位：256MB 2GB，至少 16MB', en: 'a number and a unit: 256MB 2GB, at least 16MB' },
    retry: 'never',
  },
  'config.bad_unit': {
    says: { zh: '未知单位 “{given}”{hint_zh}', en: 'unknown unit "{given}"{hint_en}' },
    next: {
      zh: '单位用 UCUM 代码，例如 m MPa Cel % kW.h m3/h',
      en: 'units are UCUM codes, such as m MPa Cel % kW.h m3/h',
    },
    retry: 'never',
  },
  'config.unit_mismatch': {
    says: {
      zh: '单位 {given} 与类型 {type} 的标准单位 {standard} 不是同一种量',
      en: "unit {given} does not measure what type {type}'s {standard} measures",
    },
    next: { zh: '核对测点名称和单位', en: 'check the name and the unit of the point' },
    retry: 'never',
  },
  'config.bad_id': {
    says: { zh: '标识 “{given}” 不合规', en: '"{given}" is no id' },
    next: {
      zh: '标识只用小写字母、数字和下划线，字母开头；中文请写在 name',
      en: 'lower-case letters, digits and _ only, a letter first; Chinese goes into name',
    },
    retry: 'never',
  },
  'config.unknown_ref': {
    says: { zh: '{what_zh} “{given}” 不存在{hint_zh}', en: 'there is no {what_en} "{given}"{hint_en}' },
    next: { zh: '已有：{known}', en: 'there are: {known}' },
    retry: 'never',
  },
  'config.same_station': {
    says: {
      zh: '通道 {channel} 上的地址 {station} 已被设备 {other}（{where}）使用',
      en: 'station {station} on channel {channel} belongs to device {other} already ({where})',
    },
    next: { zh: '同一通道上每个地址只能有一台设备', en: 'each address may stand once on a channel' },
    retry: 'never',
  },
  'config.same_port': {
    says: { zh: '{port} 已被通道 {other}（{where}）使用', en: '{port} belongs to channel {other} already ({where})' },
    next: { zh: '一个端口只能属于一个通道', en: 'a port belongs to one channel' },
    retry: 'never',
  },
  'config.channel_kind': {
    says: { zh: '驱动 {driver} 不能用于 {carries} 通道', en: 'driver {driver} does not work on a {carries} channel' },
    next: { zh: '可用：{choices}', en: 'it works on: {choices}' },
    retry: 'never',
  },
  'config.no_channel': {
    says: { zh: '驱动 {driver} 需要 channel', en: 'driver {driver} needs a channel' },
    next: { zh: '写上 channels 中的一个名称', en: 'name one of channels' },
    retry: 'never',
  },
  'config.one_carrier': {
    says: {
      zh: '通道必须且只能写 serial、tcp、modbus_tcp、listen、mqtt、http 之一',
      en: 'a channel has exactly one of serial, tcp, modbus_tcp, listen, mqtt, http',
    },
    next: { zh: '例如 serial: /dev/weinao/port-1', en: 'for example serial: /dev/weinao/port-1' },
    retry: 'never',
  },
  'config.bad_address': {
    says: { zh: '“{given}” 不是 主机:端口', en: '"{given}" is not host:port' },
    next: { zh: '例如 192.168.1.30:502', en: 'for example 192.168.1.30:502' },
    retry: 'never',
  },
  'config.bad_url': {
    says: { zh: '“{given}” 不是 MQTT 地址', en: '"{given}" is no MQTT address' },
    next: { zh: '写成 mqtt://主机:1883 或 mqtts://主机:8883', en: 'mqtt://host:1883 or mqtts://host:8883' },
    retry: 'never',
  },
  'config.bad_feed_url': {
    says: { zh: '“{given}” 不是上报地址', en: '"{given}" is no address of a platform' },
    next: {
      zh: '写成 mqtts://主机:8883、mqtt://主机:1883 或 https://主机/路径；用户名和密码另写',
      en: 'mqtts://host:8883, mqtt://host:1883 or https://host/path; user and password have keys of their own',
    },
    retry: 'never',
  },
  'config.clear_text': {
    says: { zh: 'http 不加密，途中任何人都能读到', en: 'http is clear text: whoever is on the way reads it' },
    next: {
      zh: '改用 https；只在本机或专线上，写明 insecure: true',
      en: 'use https; on this machine or a line of your own, say insecure: true',
    },
    retry: 'never',
  },
  'config.not_together': {
    says: { zh: '“{key}” 写在这里不对：{zh}', en: '"{key}" does not fit here: {en}' },
    next: { zh: '删去或改正', en: 'remove or correct it' },
    retry: 'never',
  },
  'config.bad_topic_name': {
    says: { zh: '“{given}” 不能用于主题', en: '"{given}" cannot stand in a topic' },
    next: { zh: '不含 / + #，最长 64 个字符', en: 'without / + #, at most 64 characters' },
    retry: 'never',
  },
  'config.no_product': {
    says: {
      zh: '{count} 个设备在平台上没有产品标识（如 {device}），不会上报',
      en: 'no product key on the platform for {count} of the devices, {device} for one: they are not reported',
    },
    next: {
      zh: '在 things 中按设备或类型写 product，或写 alink.sub_product',
      en: 'give product by device or type under things, or alink.sub_product',
    },
    retry: 'never',
  },
  'config.bad_register': {
    says: { zh: '“{given}” 不是寄存器', en: '"{given}" is no register' },
    next: {
      zh: '是否想写 “{hint}”？格式：holding|input|coil|discrete 加 0 起的地址',
      en: 'did you mean "{hint}"? a table (holding|input|coil|discrete) and an address from 0',
    },
    retry: 'never',
  },
  'config.bad_item': {
    says: { zh: '“{given}” 不是数据标识', en: '"{given}" is no data identifier' },
    next: { zh: '格式：{format_zh}', en: 'the form is {format_en}' },
    retry: 'never',
  },
  'config.unknown_item': {
    says: { zh: '不认识数据标识 {item}', en: 'data identifier {item} is not known' },
    next: {
      zh: '核对标识；如确实是该表的扩展数据，请写明 bytes（字节数）和 digits（小数位）',
      en: 'check it; if it is an extension of this meter, write its bytes and digits',
    },
    retry: 'never',
  },
  'config.unknown_field': {
    says: { zh: '{item} 没有字段 “{given}”', en: '{item} has no field "{given}"' },
    next: { zh: '已有：{known}', en: 'there are: {known}' },
    retry: 'never',
  },
  'config.bad_component': {
    says: { zh: '“{given}” 不是部件地址', en: '"{given}" is no component' },
    next: {
      zh: '写成 系统类型.系统地址.部件地址，例如 "1.0.12345"',
      en: 'write system type.system address.component address, for example "1.0.12345"',
    },
    retry: 'never',
  },
  'config.bad_system': {
    says: { zh: '“{given}” 不是系统地址', en: '"{given}" is no system' },
    next: { zh: '写成 系统类型.系统地址，例如 "1.0"', en: 'write system type.system address, for example "1.0"' },
    retry: 'never',
  },
  'config.state_or_analog': {
    says: { zh: '测点需要 state 或 analog 之一', en: 'the point needs either state or analog' },
    next: { zh: '只写其中一个，例如 state: fire', en: 'write one of them, for example state: fire' },
    retry: 'never',
  },
  'config.one_place': {
    says: {
      zh: 'component、system、transmitter 只能写一个，analog 必须有 component',
      en: 'only one of component, system, transmitter; analog needs a component',
    },
    next: { zh: '删去多余的，或补上 component', en: 'remove what is too much, or add the component' },
    retry: 'never',
  },
  'config.two_drivers': {
    says: {
      zh: '监听通道 {channel} 上有两种驱动：{drivers}',
      en: 'listening channel {channel} has devices of two drivers: {drivers}',
    },
    next: { zh: '每种驱动各用一个端口', en: 'give each driver a port of its own' },
    retry: 'never',
  },
  'config.bad_bytes': {
    says: { zh: '“{given}” 不是字节', en: '"{given}" is no bytes' },
    next: {
      zh: '写十六进制，例如 "55 01"，或 "ascii:READ\\r\\n"；1 到 256 个字节',
      en: 'write hex, as "55 01", or "ascii:READ\\r\\n"; 1 to 256 bytes',
    },
    retry: 'never',
  },
  'config.one_frame_end': {
    says: { zh: '帧的结束方式必须且只能写一种', en: 'a frame ends in exactly one way' },
    next: { zh: '在 end、length、gap: true 中选一个', en: 'choose one of end, length, gap: true' },
    retry: 'never',
  },
  'config.at_or_word': {
    says: { zh: '测点需要 at 或 word 之一', en: 'the point needs either at or word' },
    next: { zh: '二进制帧写 at，文本行写 word', en: 'at for bytes, word for text' },
    retry: 'never',
  },
  'config.poll_below': {
    says: { zh: '测点的 poll 比设备 {device} 的还短', en: "the point's poll is shorter than that of device {device}" },
    next: {
      zh: '缩短设备的 poll，给其余测点写更长的 poll',
      en: "shorten the device's poll, and give the other points a longer one",
    },
    retry: 'never',
  },
  'config.not_added': {
    says: {
      zh: '没有写入 {path}：找不到合适的位置，或写入后配置有误；文件未改动',
      en: 'nothing was added to {path}: no place for it, or the configuration would be wrong; the file is as it was',
    },
    next: {
      zh: '把打印出的几行手工放进 devices，然后 weinao check',
      en: 'put the printed lines under devices by hand, then weinao check',
    },
    retry: 'never',
  },
  'config.one_address': {
    says: { zh: '需要 address（一次地址）或 number（表号）之一', en: 'either address (primary) or number is needed' },
    next: { zh: '只写其中一个', en: 'write one of them' },
    retry: 'never',
  },
  'config.field_or_record': {
    says: { zh: '测点需要 field 或 record 之一', en: 'the point needs either field or record' },
    next: { zh: '只写其中一个', en: 'write one of them' },
    retry: 'never',
  },
  'config.bad_meter_address': {
    says: { zh: '“{given}” 不是表地址', en: '"{given}" is no meter address' },
    next: { zh: '表号最多 {digits} 位数字，写在引号里', en: 'at most {digits} digits, as on the meter, in quotes' },
    retry: 'never',
  },
  'config.no_points': {
    says: { zh: '设备没有测点', en: 'the device has no points' },
    next: { zh: '在 points 下至少写一个测点', en: 'write at least one under points' },
    retry: 'never',
  },
  'config.bits_are_bool': {
    says: { zh: '{table} 表只有位，类型必须是 bool', en: 'table {table} holds bits: as must be bool' },
    next: { zh: '写 as: bool', en: 'write as: bool' },
    retry: 'never',
  },
  'config.bit_needs_register': {
    says: { zh: 'bit 只用于单个 16 位寄存器', en: 'bit is for one 16-bit register' },
    next: {
      zh: '去掉 bit，或改为 as: bool / uint16 的 holding、input',
      en: 'drop bit, or use as: bool or uint16 of holding or input',
    },
    retry: 'never',
  },
  'config.scale_of_bool': {
    says: { zh: 'bool 没有倍率', en: 'a bool has no scale' },
    next: { zh: '去掉 scale', en: 'drop scale' },
    retry: 'never',
  },
  'config.scale_zero': {
    says: { zh: '倍率不能为 0', en: 'scale cannot be 0' },
    next: NOTHING,
    retry: 'never',
  },
  'config.register_end': {
    says: { zh: '超出寄存器地址范围（最后一个是 65535）', en: 'reaches beyond the last register, 65535' },
    next: NOTHING,
    retry: 'never',
  },
  'config.min_over_max': {
    says: { zh: 'min 大于 max', en: 'min is over max' },
    next: NOTHING,
    retry: 'never',
  },
  'config.inline_secret': {
    says: { zh: '密码、密钥不能写在配置里', en: 'a secret cannot stand in the configuration' },
    next: {
      zh: '写成 {file: 名称}（secrets/ 下的文件）或 {env: 变量名}',
      en: 'write {file: name} (a file under secrets/) or {env: NAME}',
    },
    retry: 'never',
  },
  'config.no_secret': {
    says: { zh: '读不到密钥 {name}：{zh}', en: 'secret {name} cannot be read: {en}' },
    next: { zh: '放到 {place}，权限 0600', en: 'put it into {place}, mode 0600' },
    retry: 'never',
  },
  'config.no_view': {
    says: { zh: '上报通道没有 view', en: 'the feed has no view' },
    next: { zh: '必须写明给什么：view: everything', en: 'what it may see must be written: view: everything' },
    retry: 'never',
  },
  'config.empty_selection': {
    says: { zh: 'view 中有一项什么也没选', en: 'a selection of the view selects nothing' },
    next: {
      zh: '写明 alarms、telemetry、devices、stats、forms、commands 或 config，例如 {alarms: {level: [red]}}',
      en: 'write alarms, telemetry, devices, stats, forms, commands or config, such as {alarms: {level: [red]}}',
    },
    retry: 'never',
  },
  'config.no_basis': {
    says: { zh: 'view 给出敏感个人信息，未写依据', en: 'the view names sensitive data, and no basis is written' },
    next: { zh: '写 basis: 同意记录编号或法律条款', en: 'write basis: the record of consent, or the law' },
    retry: 'never',
  },
  'config.too_many': {
    says: { zh: '{what} 超过 {limit} 个', en: 'more than {limit} {what}' },
    next: { zh: '一台网关管不了这么多，请分到几台', en: 'too many for one gateway; use several' },
    retry: 'never',
  },
  'config.loop': {
    says: { zh: '位置 “{given}” 包含自身', en: 'place "{given}" lies within itself' },
    next: { zh: '检查 in', en: 'check in' },
    retry: 'never',
  },
  'config.bad_timezone': {
    says: { zh: '未知时区 “{given}”', en: 'unknown time zone "{given}"' },
    next: { zh: '例如 Asia/Shanghai', en: 'for example Asia/Shanghai' },
    retry: 'never',
  },
  'config.one_way': {
    says: { zh: '{id} 须且只能有一种送达方式', en: '{id} must have exactly one way to be reached' },
    next: { zh: '写其中一个：{ways}', en: 'write one of: {ways}' },
    retry: 'never',
  },
  'config.reserved': {
    says: { zh: '“{given}” 是保留字（weinao scan cameras）', en: '"{given}" is a reserved word (weinao scan cameras)' },
    next: { zh: '换一个标识', en: 'give it another id' },
    retry: 'never',
  },
  'config.id_taken': {
    says: { zh: '标识 {id} 已是一台设备', en: 'the id {id} is a device already' },
    next: { zh: '换一个标识', en: 'give it another id' },
    retry: 'never',
  },
});
