import { errorTable } from './spec.ts';

/** What may be wrong with `stats:` in weinao.yaml. */
export const statErrors = errorTable({
  'config.stat_of': {
    says: { zh: 'of 须写明统计什么：point 或 alarms，二选一', en: 'of must say what it is about: a point, or alarms' },
    next: {
      zh: '例如 of: {type: home, point: occupied}，或 of: {alarms: {level: [red, orange]}}',
      en: 'such as of: {type: home, point: occupied}, or of: {alarms: {level: [red, orange]}}',
    },
    retry: 'never',
  },
  'config.stat_make': {
    says: { zh: '没有写明算什么', en: 'it does not say what to make' },
    next: { zh: '写一个或几个：{choices}，例如 mean: true', en: 'write one or more of: {choices}, such as mean: true' },
    retry: 'never',
  },
  'config.stat_every': {
    says: { zh: '“{given}” 不能整分一天', en: '"{given}" is no part of a day' },
    next: {
      zh: '统计周期从当地零点算起：1m 至 12h 且能整分一天，或 1d 至 31d',
      en: 'windows are counted from local midnight: 1m to 12h if a day is a whole number of them, or 1d to 31d',
    },
    retry: 'never',
  },
  'config.stat_alarms': {
    says: { zh: '报警只能计数，没有 at_least', en: 'alarms can only be counted, without at_least' },
    next: { zh: '只写 count: true', en: 'write count: true alone' },
    retry: 'never',
  },
  'config.stat_kind': {
    says: { zh: '{point} 是 {kind}，不能算 {make}', en: '{point} is a {kind}; there is no {make} of it' },
    next: {
      zh: 'bool 可算 count share，number 可算 mean sum min max delta',
      en: 'of a bool there are count and share, of a number mean sum min max delta',
    },
    retry: 'never',
  },
  'config.stat_units': {
    says: { zh: '{point} 的单位不同：{units}', en: '{point} has different units: {units}' },
    next: { zh: '给设备写 type，单位就统一了', en: 'give the devices a type: its points have one unit' },
    retry: 'never',
  },
  'config.stat_single': {
    says: {
      zh: '{point} 涉及个人，{what} 会说出某一户的数值',
      en: '{point} is personal, and {what} would tell of a single home',
    },
    next: {
      zh: '改用 mean sum count share delta，按 estate、place 或一种位置分组',
      en: 'use mean sum count share delta, by estate, place or a kind of place',
    },
    retry: 'never',
  },
  'config.stat_nothing': {
    says: { zh: '没有符合 of 的设备', en: 'no device is meant by of' },
    next: { zh: '核对 type、tag、in、device', en: 'check type, tag, in and device' },
    retry: 'never',
  },
  'config.stat_difference': {
    says: {
      zh: '统计 {stat} 只比 {other} 多几户，两数相减就能看出这几户（至少应差 {k} 户）',
      en: 'statistic {stat} is over a few homes more than {other}: subtracting tells of those ({k} at least)',
    },
    next: { zh: '去掉其中一个，或让两者范围相同', en: 'drop one, or let both be over the same' },
    retry: 'never',
  },
  'config.stat_placeless': {
    says: {
      zh: '{count} 个不在任何 {by} 内，不会被统计：{some}',
      en: '{count} lie in no {by} and are in no group: {some}',
    },
    next: { zh: '给位置写 kind: {by}，给设备写 zone', en: 'write kind: {by} at a place, and zone at the devices' },
    retry: 'never',
  },
});
