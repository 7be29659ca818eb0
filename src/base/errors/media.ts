import { errorTable } from './spec.ts';

/** Pictures. Parameters: `device`, `limit`, `detail`. */
export const mediaErrors = errorTable({
  'media.no_picture': {
    says: { zh: '{device} 给出的不是完整的 JPEG 图片', en: 'what {device} gave is no whole JPEG' },
    next: {
      zh: '在摄像机网页里核对抓图格式和抓图权限',
      en: "check the snapshot format and the user's permission in the camera's web page",
    },
    retry: 'later',
  },
  'media.too_big': {
    says: { zh: '{device} 的图片超过 {limit} 字节', en: "{device}'s picture is over {limit} bytes" },
    next: { zh: '在摄像机网页里降低抓图分辨率', en: "lower the snapshot's resolution in the camera's web page" },
    retry: 'never',
  },
  'media.no_room': {
    says: { zh: '磁盘没有空间存放图片：{detail}', en: 'the disk has no room for a picture: {detail}' },
    next: {
      zh: '减小 gateway.media.budget 或清理磁盘；报警不受影响',
      en: 'lower gateway.media.budget or clear the disk; alarms are not affected',
    },
    retry: 'later',
  },
  'media.none': {
    says: { zh: '设备 “{device}” 不能抓图', en: 'device "{device}" takes no pictures' },
    next: { zh: '只有摄像机（driver: onvif）可以抓图', en: 'only cameras do (driver: onvif)' },
    retry: 'never',
  },
});
