import { errorTable } from './spec.ts';

const LIST = { zh: '用 weinao alarms list 查看', en: 'see weinao alarms list' };

/** What people ask of alarms and forms, and is refused. */
export const alarmErrors = errorTable({
  'alarms.unknown': {
    says: { zh: '没有未关闭的报警 {aid}', en: 'there is no open alarm {aid}' },
    next: LIST,
    retry: 'never',
  },
  'alarms.acked_already': {
    says: { zh: '报警 {aid} 已由 {by} 确认', en: 'alarm {aid} was acknowledged by {by} already' },
    next: LIST,
    retry: 'never',
  },
  'alarms.moved_on': {
    says: {
      zh: '报警 {aid} 在第 {rev} 版之后已升级或重新要求确认',
      en: 'alarm {aid} became graver, or asks anew, since revision {rev}',
    },
    next: { zh: '查看最新一版后再确认', en: 'look at its newest revision, then acknowledge that' },
    retry: 'never',
  },
  'alarms.not_latched': {
    says: { zh: '报警 {aid} 不需要复位', en: 'alarm {aid} needs no reset' },
    next: {
      zh: '条件消失并确认后自动关闭',
      en: 'it closes by itself once its condition ended and it was acknowledged',
    },
    retry: 'never',
  },
  'alarms.still_active': {
    says: { zh: '“{name}” 仍在报警，不能复位（{aid}）', en: '"{name}" is still active and cannot be reset ({aid})' },
    next: { zh: '先排除原因', en: 'remove the cause first' },
    retry: 'later',
  },
  'alarms.never_shelved': {
    says: { zh: '“{name}” 关系人身安全，不允许搁置', en: '"{name}" concerns life safety and is never shelved' },
    next: { zh: '检修时用 weinao maint', en: 'for work on it use weinao maint' },
    retry: 'never',
  },
  'alarms.shelved_too_long': {
    says: { zh: '最多搁置 {hours} 小时', en: 'at most {hours} hours of shelving' },
    next: { zh: '缩短时间，到期可再次搁置', en: 'make it shorter; it can be shelved again' },
    retry: 'never',
  },
  'alarms.not_shelved': {
    says: { zh: '报警 {aid} 没有搁置', en: 'alarm {aid} is not shelved' },
    next: LIST,
    retry: 'never',
  },
  'alarms.nothing_there': {
    says: { zh: '没有设备、位置或规则 {what}', en: 'there is no device, place or rule {what}' },
    next: { zh: '核对配置中的标识', en: 'compare with the ids of the configuration' },
    retry: 'never',
  },
  'alarms.maintained_too_long': {
    says: { zh: '检修时间须在 {hours} 小时以内', en: 'maintenance lasts at most {hours} hours' },
    next: { zh: '缩短时间，到期可再次登记', en: 'make it shorter; it can be begun again' },
    retry: 'never',
  },
  'alarms.not_maintained': {
    says: { zh: '{what} 不在检修中', en: '{what} is not under maintenance' },
    next: { zh: '用 weinao maint list 查看', en: 'see weinao maint list' },
    retry: 'never',
  },
  'forms.unknown': {
    says: { zh: '没有表单 {form}', en: 'there is no form {form}' },
    next: { zh: '已有：{known}', en: 'known: {known}' },
    retry: 'never',
  },
  'forms.unknown_field': {
    says: { zh: '表单 {form} 没有字段 {field}', en: 'form {form} has no field {field}' },
    next: { zh: '字段：{known}', en: 'its fields: {known}' },
    retry: 'never',
  },
  'forms.missing': {
    says: { zh: '表单 {form} 必须填写 {field}（{label}）', en: 'form {form} needs {field} ({label})' },
    next: { zh: '加上 字段=值', en: 'add field=value' },
    retry: 'never',
  },
  'forms.wrong': {
    says: { zh: '表单 {form} 的 {field}（{label}）不合要求', en: '{field} ({label}) of form {form} does not fit' },
    next: { zh: '应为：{wanted}', en: 'wanted: {wanted}' },
    retry: 'never',
  },
  'forms.nothing_waits': {
    says: { zh: '没有等待确认的登记 {id}', en: 'no entry {id} waits for confirmation' },
    next: { zh: '登记后一天内由另一人确认', en: 'another person confirms it within a day' },
    retry: 'never',
  },
  'forms.id_reused': {
    says: {
      zh: '表单 {form} 的编号 {id} 已用于另一条内容不同的登记',
      en: 'the id {id} of form {form} belongs to another entry, which says something else',
    },
    next: {
      zh: '换一个新的编号再发；重发时内容须与第一次相同',
      en: 'send it with an id of its own; what is sent again must be the same',
    },
    retry: 'never',
  },
  'forms.same_person': {
    says: { zh: '{by} 已经登记或确认过', en: '{by} entered or confirmed it already' },
    next: { zh: '由另一人确认', en: 'another person must confirm it' },
    retry: 'never',
  },
});
