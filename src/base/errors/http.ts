import { errorTable } from './spec.ts';

/**
 * A device that is asked over HTTP. Parameters: `host` (with its port, never a user or a path), `ms`, `limit`, `detail`. What went wrong before the
 * first byte of an answer and what went wrong within it are different codes: the first may mean that nothing was to be said.
 */
export const httpErrors = errorTable({
  'http.unreachable': {
    says: { zh: '连不上 {host}：{detail}', en: '{host} cannot be reached: {detail}' },
    next: {
      zh: '检查供电、网线、网段和地址；地址可能已被 DHCP 改变',
      en: 'check power, cable, subnet and address; DHCP may have given it another one',
    },
    retry: 'later',
  },
  'http.refused': {
    says: { zh: '{host} 在线，但这个端口没有服务', en: '{host} is there, but nothing listens on this port' },
    next: {
      zh: '核对端口；在设备网页里打开这项服务（例如 ONVIF）',
      en: "check the port; switch the service on in the device's web page (ONVIF, for example)",
    },
    retry: 'later',
  },
  'http.reset': {
    says: { zh: '{host} 未应答就断开了连接', en: '{host} closed the connection before it answered' },
    next: { zh: '会自动重试；若反复出现请重启设备', en: 'it is tried again; if this repeats, restart the device' },
    retry: 'later',
  },
  'http.cut': {
    says: { zh: '{host} 的应答没有传完就断了', en: "{host}'s answer broke off in the middle" },
    next: { zh: '会自动重试；若反复出现请检查网线', en: 'it is tried again; if this repeats, check the cable' },
    retry: 'later',
  },
  'http.late': {
    says: { zh: '{host} 在 {ms} 毫秒内没有答完', en: '{host} did not finish its answer within {ms} ms' },
    next: {
      zh: '会自动重试；设备可能过载或已死机',
      en: 'it is tried again; the device may be overloaded or hang',
    },
    retry: 'later',
  },
  'http.too_big': {
    says: { zh: '{host} 的应答超过 {limit} 字节', en: "{host}'s answer is over {limit} bytes" },
    next: { zh: '其余部分不再接收', en: 'the rest is not taken' },
    retry: 'later',
  },
  'http.garbage': {
    says: { zh: '{host} 的应答不是 HTTP（{detail}）', en: "{host}'s answer is no HTTP ({detail})" },
    next: {
      zh: '核对端口；若是 HTTPS 端口，请写 tls',
      en: 'check the port; if it is one for HTTPS, write tls',
    },
    retry: 'later',
  },
  'http.tls': {
    says: { zh: '{host} 的 TLS 连接失败：{detail}', en: 'no TLS with {host}: {detail}' },
    next: {
      zh: '核对端口和证书；自签名证书写 tls: any',
      en: 'check port and certificate; for one the device signed itself, write tls: any',
    },
    retry: 'later',
  },
});
