import { errorTable } from './spec.ts';

/** The section of a camera. */
export const configCameraErrors = errorTable({
  'config.bad_host': {
    says: { zh: '“{given}” 不是主机', en: '"{given}" is no host' },
    next: {
      zh: '只写地址，例如 192.168.1.64；端口写在 port',
      en: 'the address alone, as 192.168.1.64; the port goes into port',
    },
    retry: 'never',
  },
  'config.bad_subnet': {
    says: { zh: '“{given}” 不是网段', en: '"{given}" is no subnet' },
    next: { zh: '例如 192.168.1.0/24', en: 'for example 192.168.1.0/24' },
    retry: 'never',
  },
  'config.bad_camera_code': {
    says: { zh: '“{given}” 不是 20 位国标编码', en: '"{given}" is no GB/T 28181 code of 20 digits' },
    next: {
      zh: '加引号写全 20 位：code: "44030500001320000012"',
      en: 'all 20 digits, in quotes: code: "44030500001320000012"',
    },
    retry: 'never',
  },
  'config.event_or_topic': {
    says: { zh: '测点需要 event 或 topic 之一', en: 'the point needs either event or topic' },
    next: { zh: '只写其中一个，例如 event: motion', en: 'write one of them, for example event: motion' },
    retry: 'never',
  },
  'config.item_missing': {
    says: { zh: '写了 topic 的测点还需要 item', en: 'a point with a topic needs an item' },
    next: { zh: '写明取哪个数据项，例如 item: State', en: 'say which item it reads, for example item: State' },
    retry: 'never',
  },
  'config.personal_item': {
    says: { zh: '“{item}” 是个人信息，默认丢弃', en: '"{item}" is personal and dropped by default' },
    next: {
      zh: '确有必要时，在设备上写 items: [{item}]，并在 view 中授权',
      en: 'where it must be, write items: [{item}] at the device, and let a view have it',
    },
    retry: 'never',
  },
  'config.user_and_password': {
    says: { zh: 'user 和 password 要么都写，要么都不写', en: 'user and password go together' },
    next: { zh: '补上另一个', en: 'write the other one, too' },
    retry: 'never',
  },
});
