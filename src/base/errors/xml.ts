import { errorTable } from './spec.ts';

/** A document of a device. Parameters: `limit`, `zh`/`en` (of what), `detail`. */
export const xmlErrors = errorTable({
  'xml.limit': {
    says: { zh: 'XML 超过限度：{zh} 多于 {limit}', en: 'the XML is over a bound: more than {limit} {en}' },
    next: { zh: '设备固件有问题，或对端不是该设备', en: 'the firmware is faulty, or this is another device' },
    retry: 'later',
  },
  'xml.declaration': {
    says: { zh: 'XML 带有 DOCTYPE 或实体声明', en: 'the XML declares a DOCTYPE or entities' },
    next: { zh: '已拒绝；设备报文不应有这些内容', en: 'it was refused; no device needs them' },
    retry: 'later',
  },
  'xml.broken': {
    says: { zh: '不是 XML：{detail}', en: 'this is no XML: {detail}' },
    next: { zh: '核对端口和路径；对端可能只是网页', en: 'check port and path; this may be a web page' },
    retry: 'later',
  },
});
