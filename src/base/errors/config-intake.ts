import { errorTable } from './spec.ts';

/** A configuration's ways in: brokers, HTTP, paths into messages. */
const NOTHING = { zh: '', en: '' };

export const configIntakeErrors = errorTable({
  'config.open_http': {
    says: {
      zh: '{host} 上的 http 没有加密，令牌可被同一网络上的人看到',
      en: 'http on {host} is not encrypted: anybody on that network can read the tokens',
    },
    next: { zh: '写上 cert 和 key，或改为 127.0.0.1', en: 'give it cert and key, or use 127.0.0.1' },
    retry: 'never',
  },
  'config.cert_and_key': {
    says: { zh: 'cert 和 key 必须同时写', en: 'cert and key go together' },
    next: NOTHING,
    retry: 'never',
  },
  'config.bad_path': {
    says: { zh: '“{given}” 不是 JSON 路径', en: '"{given}" is no path into JSON' },
    next: { zh: '例如 payload.temperature 或 list[0].value', en: 'for example payload.temperature or list[0].value' },
    retry: 'never',
  },
  'config.bad_topic': {
    says: { zh: '“{given}” 不是 MQTT 主题', en: '"{given}" is no MQTT topic' },
    next: {
      zh: '+ 须独占一级，# 只能在最后；写入的主题不能有通配符',
      en: '+ stands for a whole level, # only at the end; a topic to write to has neither',
    },
    retry: 'never',
  },
  'config.no_placeholder': {
    says: { zh: '主题里的 {name} 没有给出', en: 'nothing was given for {name} in the topic' },
    next: { zh: '写 address: …，或 with: {名称: 值}', en: 'write address: …, or with: {name: value}' },
    retry: 'never',
  },
  'config.no_topic': {
    says: { zh: '测点没有主题', en: 'the point has no topic' },
    next: { zh: '在设备或测点上写 topic', en: 'write topic: at the device or at the point' },
    retry: 'never',
  },
  'config.words_of_text': {
    says: {
      zh: '文本测点没有 words、true_when、scale、offset、min、max',
      en: 'a text has no words, true_when, scale, offset, min or max',
    },
    next: NOTHING,
    retry: 'never',
  },
  'config.words_mixed': {
    says: { zh: 'words 的值须全部是布尔值，或全部是数字', en: 'the values of words are all booleans or all numbers' },
    next: NOTHING,
    retry: 'never',
  },
  'config.nothing_taken': {
    says: { zh: '设备既没有测点也没有表单', en: 'the device has neither points nor forms' },
    next: { zh: '写 points，或 forms: [表单]', en: 'write points, or forms: [form]' },
    retry: 'never',
  },
  'config.needs_secret': {
    says: { zh: '缺少密钥', en: 'a secret is missing' },
    next: {
      zh: '写成 {file: 名称}（secrets/ 下的文件）或 {env: 变量名}',
      en: 'write {file: name} (a file under secrets/) or {env: NAME}',
    },
    retry: 'never',
  },
});
