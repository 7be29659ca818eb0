import { errorTable } from './spec.ts';

const NOTHING = { zh: '', en: '' };

/** Problems in rules. Parameters: `key`, `given`, `keys`, `hint_zh`/`hint_en`, `detail`, `zh`/`en`. */
export const rulesErrors = errorTable({
  'rules.unknown_key': {
    says: { zh: '规则中没有键 “{key}”{hint_zh}', en: 'rules have no key "{key}"{hint_en}' },
    next: { zh: '可用的键：{keys}', en: 'known keys: {keys}' },
    retry: 'never',
  },
  'rules.later': {
    says: { zh: '“{key}” 此版本尚不支持', en: '"{key}" is not supported by this version' },
    next: { zh: '先删去它；可用的键：{keys}', en: 'remove it for now; supported keys: {keys}' },
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
      zh: '位置 {zone} 中有多台设备带测点 “{given}”',
      en: 'several devices in place {zone} have a point "{given}"',
    },
    next: { zh: '写成 设备.测点', en: 'write device.point' },
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
});
