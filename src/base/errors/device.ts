import { errorTable } from './spec.ts';

/** What a device says, as the driver understood it. Parameters: `device`, `point`, `function`, `exception`, `zh`/`en` (the meaning), `detail`. */
export const deviceErrors = errorTable({
  'device.refused': {
    says: {
      zh: '设备拒绝：功能码 {function}，异常 {exception}（{zh}）',
      en: 'the device refused: function {function}, exception {exception} ({en})',
    },
    next: {
      zh: '核对寄存器地址（0 起）、表（holding/input）和长度；用 weinao probe 试读单个寄存器',
      en: 'check the register address (from 0), the table (holding/input) and the length; read a single register with weinao probe',
    },
    retry: 'later',
  },
  'device.refused_item': {
    says: { zh: '设备拒绝读取 {item}：{zh}', en: 'the device refused {item}: {en}' },
    next: {
      zh: '该表可能没有这个数据项：核对数据标识和规约版本，或从配置中删除这个测点',
      en: 'the meter may not have this item: check the identifier and the version of the protocol, or remove the point',
    },
    retry: 'later',
  },
  'device.mute': {
    says: { zh: '设备从不应答 {what}，其他读取正常', en: 'the device never answers {what}, and other reads it does' },
    next: {
      zh: '核对说明书中的地址；如果没有这个寄存器，请删除这个测点',
      en: 'check the address in the manual; if there is no such register, remove the point',
    },
    retry: 'later',
  },
  'device.nonsense': {
    says: { zh: '设备的应答无法理解：{detail}', en: "the device's reply makes no sense: {detail}" },
    next: {
      zh: '用 weinao watch --wire 通道 查看报文；检查是否有两台设备地址相同',
      en: 'look at the bytes with weinao watch --wire CHANNEL; check for two devices with one address',
    },
    retry: 'later',
  },
  'device.not_authorized': {
    says: { zh: '{host} 不接受这个用户名和密码', en: '{host} does not accept this user and password' },
    next: {
      zh: '核对用户和密码；海康等品牌要在“集成协议”里另建 ONVIF 用户。为防锁定，15 分钟后才再试；改好密码文件后会马上再试',
      en: 'check both; some makers (Hikvision) want an ONVIF user of its own under integration protocols. To avoid a lock-out it is tried again after 15 minutes, or at once when the password file changes',
    },
    retry: 'later',
  },
  'device.no_camera': {
    says: { zh: '{host} 应答了，但不是 ONVIF（{detail}）', en: '{host} answers, but not as ONVIF does ({detail})' },
    next: {
      zh: '核对 port 和 path；在摄像机网页里打开 ONVIF',
      en: "check port and path; switch ONVIF on in the camera's web page",
    },
    retry: 'later',
  },
  'device.no_events': {
    says: { zh: '{host} 不提供事件（{detail}）', en: '{host} offers no events ({detail})' },
    next: {
      zh: '每小时再试一次；抓图和在线检测不受影响。升级固件或打开事件服务',
      en: 'it is tried again hourly; pictures and its health go on. Update the firmware, or switch events on',
    },
    retry: 'later',
  },
  'device.camera_fault': {
    says: { zh: '{host} 拒绝：{detail}', en: '{host} refuses: {detail}' },
    next: { zh: '会自动重试；若反复出现请升级固件', en: 'it is tried again; if this repeats, update the firmware' },
    retry: 'later',
  },
  'device.no_snapshot': {
    says: { zh: '{host} 没有给出抓图地址', en: '{host} names no address for pictures' },
    next: {
      zh: '刚连上时请稍候；rtsp 地址不能抓图，请在摄像机里打开 HTTP 抓图',
      en: 'wait a moment after it came up; an rtsp address gives none: switch HTTP snapshots on in the camera',
    },
    retry: 'later',
  },
  'device.not_jpeg': {
    says: { zh: '{host} 给的不是 JPEG 图片（{detail}）', en: 'what {host} gave is no JPEG ({detail})' },
    next: { zh: '再试一次；或在摄像机里检查抓图设置', en: "try again, or check the camera's snapshot settings" },
    retry: 'later',
  },
  'device.speaks_first': {
    says: { zh: '设备 {device} 只主动上报，不能询问', en: 'device {device} speaks by itself and cannot be asked' },
    next: {
      zh: '用 weinao watch 查看它上报的内容；mqtt、http 设备用 weinao probe 设备',
      en: 'see what it says with weinao watch; of a device behind mqtt or http with weinao probe DEVICE',
    },
    retry: 'never',
  },
  'device.bad_scan': {
    says: {
      zh: '不能读取：地址 {station}，{table} {address}，{count} 个',
      en: 'cannot read: station {station}, {table} {address}, {count} of them',
    },
    next: {
      zh: '站号 1-247；表为 holding、input、coil、discrete；每次最多 125 个寄存器或 2000 个位',
      en: 'station 1-247; table holding, input, coil or discrete; at most 125 registers or 2000 bits at once',
    },
    retry: 'never',
  },
  'device.not_writable': {
    says: { zh: '测点 {point} 不可写：{zh}', en: 'point {point} cannot be written: {en}' },
    next: { zh: '核对测点的表和类型', en: "check the point's table and type" },
    retry: 'never',
  },
  'device.value_out_of_range': {
    says: { zh: '测点 {point} 无法表示数值 {value}', en: 'point {point} cannot hold the value {value}' },
    next: { zh: '核对类型、倍率和上下限', en: 'check type, scale and limits' },
    retry: 'never',
  },
  'device.unknown_point': {
    says: { zh: '设备 {device} 没有测点 {point}', en: 'device {device} has no point {point}' },
    next: { zh: '测点名见配置的 points', en: 'the names stand under points in the configuration' },
    retry: 'never',
  },
  'device.no_output': {
    says: { zh: '{output} 不是可控输出', en: '{output} is no output' },
    next: {
      zh: '只有规则或 control 会写的测点才可手动写：{known}',
      en: 'only what a rule or a control may write can be written by hand: {known}',
    },
    retry: 'never',
  },
});
