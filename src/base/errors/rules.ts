import { errorTable } from './spec.ts';

const NOTHING = { zh: '', en: '' };

/** Problems in rules. Parameters: `key`, `given`, `keys`, `hint_zh`/`hint_en`, `detail`, `zh`/`en`. */
export const rulesErrors = errorTable({
  'rules.unknown_key': {
    says: { zh: '规则中没有键 “{key}”{hint_zh}', en: 'rules have no key "{key}"{hint_en}' },
    next: { zh: '可用的键：{keys}', en: 'known keys: {keys}' },
    retry: 'never',
  },
  'rules.missing': {
    says: { zh: '规则缺少 “{key}”', en: 'the rule has no "{key}"' },
    next: NOTHING,
    retry: 'never',
  },
  'rules.wrong_type': {
    says: { zh: '“{key}” 应为{zh}', en: '"{key}" should be {en}' },
    next: NOTHING,
    retry: 'never',
  },
  'rules.bad_id': {
    says: { zh: '规则标识 “{given}” 不合规', en: '"{given}" is no id for a rule' },
    next: {
      zh: '只用小写字母、数字和下划线，字母开头；中文写在 name',
      en: 'lower-case letters, digits and _ only, a letter first; Chinese goes into name',
    },
    retry: 'never',
  },
  'rules.duplicate': {
    says: { zh: '规则 “{given}” 已在 {other} 定义', en: 'rule "{given}" stands in {other} already' },
    next: { zh: '换一个标识', en: 'give it another id' },
    retry: 'never',
  },
  'rules.bad_choice': {
    says: { zh: '“{given}” 不可用', en: '"{given}" is no choice here' },
    next: { zh: '可选：{choices}', en: 'choose one of: {choices}' },
    retry: 'never',
  },
  'rules.bad_duration': {
    says: { zh: '“{given}” 不是时长', en: '"{given}" is no duration' },
    next: { zh: '写成数字加单位：500ms 2s 15m 48h', en: 'a number and a unit: 500ms 2s 15m 48h' },
    retry: 'never',
  },
  'rules.unknown_ref': {
    says: { zh: '{zh} “{given}” 不存在{hint_zh}', en: 'there is no {en} "{given}"{hint_en}' },
    next: { zh: '核对配置', en: 'compare with the configuration' },
    retry: 'never',
  },
  'rules.unknown_name': {
    says: { zh: '没有测点或名称 “{given}”{hint_zh}', en: 'there is no point or name "{given}"{hint_en}' },
    next: { zh: '可用：{known}', en: 'known here: {known}' },
    retry: 'never',
  },
  'rules.ambiguous': {
    says: {
      zh: '这个位置中有多台设备带测点 “{given}”',
      en: 'several devices of this place have a point "{given}"',
    },
    next: {
      zh: '写成 设备.测点，或用 with: {n: {sum: {given}, of: {type: …}}}',
      en: 'write device.point, or use with: {n: {sum: {given}, of: {type: …}}}',
    },
    retry: 'never',
  },
  'rules.expression': {
    says: { zh: '表达式错误：{detail}', en: 'the expression is wrong: {detail}' },
    next: { zh: '{hint_zh}', en: '{hint_en}' },
    retry: 'never',
  },
  'rules.banned': {
    says: { zh: '表达式中不允许 {given}', en: '{given} is not allowed in expressions' },
    next: { zh: '改用 contains、startsWith、in 或简单比较', en: 'use contains, startsWith, in or plain comparisons' },
    retry: 'never',
  },
  'rules.result_type': {
    says: { zh: '表达式结果应为 {wanted}，实际为 {got}', en: 'the expression should give {wanted}, it gives {got}' },
    next: { zh: '例如 level < 1.5', en: 'for example level < 1.5' },
    retry: 'never',
  },
  'rules.bad_text': {
    says: { zh: '文字中的 { } 不成对', en: 'a { in the text has no }' },
    next: NOTHING,
    retry: 'never',
  },
  'rules.no_act': {
    says: { zh: '红色、橙色规则必须写 act', en: 'a red or orange rule must have an act' },
    next: { zh: '写明值班人员该做什么', en: 'say what the duty room must do' },
    retry: 'never',
  },
  'rules.matches_nothing': {
    says: { zh: 'each 没有匹配到任何设备', en: 'each matches no device' },
    next: {
      zh: '核对类型、标签和位置；规则暂不起作用',
      en: 'check type, tag and place; the rule does nothing for now',
    },
    retry: 'never',
  },
  'rules.too_many': {
    says: { zh: '规则实例超过 {limit} 个', en: 'more than {limit} rule instances' },
    next: { zh: '缩小 each 的范围', en: 'narrow each' },
    retry: 'never',
  },
  'rules.no_kind': {
    says: {
      zh: '不知道这是什么文档：“{given}”{hint_zh}',
      en: 'nobody knows what kind of document this is: "{given}"{hint_en}',
    },
    next: { zh: '必须有其中一个键：{choices}', en: 'it needs one of the keys: {choices}' },
    retry: 'never',
  },
  'rules.empty': {
    says: { zh: '“{key}” 是空的{hint_zh}', en: '"{key}" is empty{hint_en}' },
    next: NOTHING,
    retry: 'never',
  },
  'rules.no_function': {
    says: { zh: '窗口缺少统计方法：“{given}”{hint_zh}', en: 'the window has no function: "{given}"{hint_en}' },
    next: { zh: '可用：{choices}', en: 'choose one of: {choices}' },
    retry: 'never',
  },
  'rules.no_span': {
    says: { zh: '“{key}” 要写统计多长时间', en: '"{key}" needs to know over how long' },
    next: { zh: '加 over: 1h（滑动）或 every: 1h（按整点）', en: 'add over: 1h (sliding) or every: 1h (by the clock)' },
    retry: 'never',
  },
  'rules.bad_span': {
    says: { zh: '窗口须在 1 秒到 90 天之间', en: 'a window is between 1 second and 90 days' },
    next: NOTHING,
    retry: 'never',
  },
  'rules.bad_share': {
    says: { zh: 'need 是 0 到 1 的比例', en: 'need is a share between 0 and 1' },
    next: { zh: '例如 0.7：至少七成时间有数据', en: 'for example 0.7: seen for at least 70 % of the time' },
    retry: 'never',
  },
  'rules.few_parts': {
    says: { zh: '至少要两个事件', en: 'it takes at least two happenings' },
    next: {
      zh: '例如 together: {cross: camera.line_cross, beam: beam.broken}',
      en: 'for example together: {cross: camera.line_cross, beam: beam.broken}',
    },
    retry: 'never',
  },
  'rules.bad_point_id': {
    says: { zh: '“{given}” 不是测点名', en: '"{given}" is no name for a point' },
    next: { zh: '写成 类型.测点，例如 pump.eff', en: 'write type.point, for example pump.eff' },
    retry: 'never',
  },
  'rules.point_taken': {
    says: { zh: '测点 “{given}” 已经存在', en: 'the point "{given}" exists already' },
    next: { zh: '换一个名称', en: 'give it another name' },
    retry: 'never',
  },
  'rules.bad_unit': {
    says: { zh: '“{given}” 不是 UCUM 单位', en: '"{given}" is no UCUM unit' },
    next: { zh: '例如 m、kW.h、Cel、%', en: 'for example m, kW.h, Cel, %' },
    retry: 'never',
  },
  'rules.bad_span_text': {
    says: { zh: '“{given}” 不是时间段', en: '"{given}" is no span of time' },
    next: {
      zh: '写成 "22:00 .. 06:00" 或 "sunset+30m .. sunrise-30m"，或 times 中的名称',
      en: 'write "22:00 .. 06:00" or "sunset+30m .. sunrise-30m", or a name from times',
    },
    retry: 'never',
  },
  'rules.other_time': {
    says: { zh: '这个名称已有另一个时间段', en: 'this name stands for another span of time already' },
    next: { zh: '换一个名称，或改成一致', en: 'give it another name, or make both the same' },
    retry: 'never',
  },
  'rules.unknown_output': {
    says: { zh: '没有输出 “{given}”{hint_zh}', en: 'there is no output "{given}"{hint_en}' },
    next: { zh: '写成 设备.测点', en: 'write device.point' },
    retry: 'never',
  },
  'rules.output_type': {
    says: { zh: '输出 “{given}” 的类型是 {kind}', en: 'the output "{given}" is of type {kind}' },
    next: { zh: '按类型写值：true/false、数字或文字', en: 'write a value of that type: true/false, a number or text' },
    retry: 'never',
  },
  'rules.two_owners': {
    says: { zh: '输出 {given} 已由 {other} 控制', en: 'the output {given} is controlled by {other} already' },
    next: { zh: '一个输出只能由一个 control 控制', en: 'only one control may own an output' },
    retry: 'never',
  },
  'rules.unknown_person': {
    says: { zh: 'people 中没有 “{given}”{hint_zh}', en: 'there is no "{given}" under people{hint_en}' },
    next: {
      zh: '已有：{known}；在 weinao.yaml 的 people 中加上',
      en: 'known: {known}; add it under people in weinao.yaml',
    },
    retry: 'never',
  },
  'rules.whole_division': {
    says: { zh: '两个整数相除只得整数', en: 'dividing two whole numbers gives a whole number' },
    next: { zh: '写成 7.0 / 2', en: 'write 7.0 / 2' },
    retry: 'never',
  },
  'rules.shadowed': {
    says: { zh: '“{given}” 也是一个测点的名称', en: '"{given}" is the name of a point, too' },
    next: { zh: '换一个名称，以免看错', en: 'give it another name, so that nobody mistakes it' },
    retry: 'never',
  },
  'rules.nowhere': {
    says: { zh: '{given} 没有坐标，无法找最近的设备', en: '{given} has no coordinates, so nothing is nearest to it' },
    next: { zh: '给它的位置写上 lat 和 lon', en: 'give its place lat and lon' },
    retry: 'never',
  },
  'rules.point_missing': {
    says: {
      zh: '设备 {device} 没有测点 {point}，规则视为未知',
      en: 'device {device} has no point {point}; the rule takes it for unknown',
    },
    next: {
      zh: '给设备加上这个测点，或用 unknown: 说明如何处理',
      en: 'give the device that point, or say with unknown: what it means',
    },
    retry: 'never',
  },
  'rules.no_sun': {
    says: { zh: '用了日出日落，但 site 没有坐标', en: 'sunrise or sunset is used, but the site has no coordinates' },
    next: { zh: '在 site 中写上 lat 和 lon', en: 'give site lat and lon' },
    retry: 'never',
  },
  'rules.odd_sun': {
    says: {
      zh: '春分日出在 {hour} 点，坐标与时区不符',
      en: 'the sun rises at {hour} o’clock in spring: coordinates and time zone do not fit',
    },
    next: { zh: '核对 site 的 lat、lon 和 timezone', en: 'check lat, lon and timezone of site' },
    retry: 'never',
  },
  'rules.unheard': {
    says: { zh: '{count} 台设备没有任何规则使用：{devices}', en: '{count} devices are read by no rule: {devices}' },
    next: { zh: '若是有意如此，不必处理', en: 'nothing to do if that is intended' },
    retry: 'never',
  },
  'rules.test_too_long': {
    says: { zh: '测试步数太多', en: 'the test takes too many steps' },
    next: { zh: '把 poll 写大一些，例如 poll: 10m', en: 'poll less often, for example poll: 10m' },
    retry: 'never',
  },
  'rules.reserved': {
    says: { zh: '“{given}” 是表达式的保留字', en: '"{given}" is a word of the expression language' },
    next: { zh: '给测点或窗口换一个名称', en: 'give the point or window another name' },
    retry: 'never',
  },
});
