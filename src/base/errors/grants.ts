import { errorTable } from './spec.ts';

/** What is wrong with what a platform may ask (`commands:` of a feed). Parameters: `device`, `type`, `output`, `kind`, `point`, `key`. */
export const grantErrors = errorTable({
  'config.bad_rate': {
    says: { zh: '频率写法不对', en: 'no rate' },
    next: { zh: '次数/时间，例如 30/1m', en: 'count/time, such as 30/1m' },
    retry: 'never',
  },
  'config.max_ttl': {
    says: { zh: '命令有效期过长', en: 'commands would be good for too long' },
    next: { zh: '最长 5m', en: '5m at most' },
    retry: 'never',
  },
  'config.grant_needs': {
    says: { zh: '授权缺少 “{key}”', en: 'the grant lacks "{key}"' },
    next: {
      zh: 'write 须写 to 和 point；form 须写 forms',
      en: 'write needs to and point; form needs forms',
    },
    retry: 'never',
  },
  'config.grant_nothing': {
    says: { zh: '授权没有选中任何有测点 “{point}” 的设备', en: 'the grant selects no device with point "{point}"' },
    next: { zh: '核对 type、tag、zone、device 和 point', en: 'check type, tag, zone, device and point' },
    retry: 'never',
  },
  'config.grant_mismatch': {
    says: { zh: 'range 或 values 与 {output}（{kind}）不符', en: 'range or values do not fit {output} ({kind})' },
    next: {
      zh: 'range 只用于数值；values 的类型须与测点一致',
      en: 'range is for numbers; values are of the kind of the point',
    },
    retry: 'never',
  },
  'config.grant_bounds': {
    says: { zh: '{output}（{kind}）可写的值没有限定', en: 'nothing bounds what may be written to {output} ({kind})' },
    next: { zh: '写明 range: [最小, 最大] 或 values: [..]', en: 'add range: [least, most] or values: [..]' },
    retry: 'never',
  },
  'config.grant_dangerous': {
    says: {
      zh: '{device}（类型 {type}）涉及门、阀或电源，平台命令须签名并由人确认',
      en: '{device} (type {type}) may move a door, a valve or power: commands must be signed and confirmed',
    },
    next: {
      zh: '加上 signed: true 和 confirm: 人员；确实无害的类型在 types.yaml 中写 harmless: true，没有类型的设备请写 type',
      en: 'add signed: true and confirm: PERSON; a type that cannot harm says harmless: true in types.yaml, a device without one needs its type',
    },
    retry: 'never',
  },
  'config.range_reversed': {
    says: { zh: '范围写反了：{given}', en: 'the range is the wrong way round: {given}' },
    next: { zh: '先写最小，再写最大', en: 'the least first, then the most' },
    retry: 'never',
  },
  'config.never_signed': {
    says: {
      zh: '{codec} 平台的命令不带签名，这条授权永远用不上',
      en: 'commands of a {codec} platform carry no signature: this grant can never be used',
    },
    next: {
      zh: '删去这条授权；门、阀、电源只能授权给 codec: cloudevents 的通道',
      en: 'remove the grant; doors, valves and power can be granted to a feed with codec: cloudevents only',
    },
    retry: 'never',
  },
  'config.no_signers': {
    says: { zh: '要求签名，但没有公钥', en: 'a signature is asked for, but there is no key to check it' },
    next: {
      zh: '在上报通道写 signers: {名称: {file: 公钥文件}}',
      en: 'add signers: {name: {file: public key}} to the feed',
    },
    retry: 'never',
  },
  'config.bad_public_key': {
    says: { zh: '不是 Ed25519 公钥', en: 'no Ed25519 public key' },
    next: {
      zh: '放公钥（PEM 或 base64 的 DER），不要放私钥：openssl pkey -in 私钥 -pubout',
      en: 'give the public key (PEM, or DER in base64), never the private one: openssl pkey -in PRIVATE -pubout',
    },
    retry: 'never',
  },
});
