/** What a technician sets in a camera's own menu, by maker. Names of menus differ between versions; these are the usual ones. */
import type { Text } from '../../src/base/text.ts';

const COMMON: Text = {
  zh: '启用 ONVIF；为网关新建一个 ONVIF 用户；时间用 NTP；打开所需的侦测并勾选“上传中心/报警主机”',
  en: 'switch ONVIF on; make an ONVIF user of its own for the gateway; time by NTP; switch on the detections that are wanted, with linkage to the alarm centre',
};

const MAKERS: readonly (readonly [words: readonly string[], says: Text])[] = [
  [
    ['hikvision', '海康'],
    {
      zh: '海康（默认关闭）：配置→网络→高级配置→集成协议→启用 ONVIF，并在同一页添加 ONVIF 用户（与网页账号分开）',
      en: 'Hikvision (off by default): Configuration, Network, Advanced, Integration Protocol: enable ONVIF and add an ONVIF user there (not the account of the web page)',
    },
  ],
  [
    ['dahua', 'imou', '大华', '乐橙'],
    {
      zh: '大华/乐橙：设置→网络设置→接入平台→ONVIF 启用并打开登录校验；用户在系统→用户管理→ONVIF 用户',
      en: 'Dahua, Imou: Network, Access Platform, ONVIF: enable, with authentication; users under System, Account, ONVIF User',
    },
  ],
  [
    ['uniview', '宇视'],
    {
      zh: '宇视：ONVIF 默认启用，使用网页账号；固件过旧请先升级',
      en: 'Uniview: on by default, with the account of the web page; update old firmware first',
    },
  ],
  [
    ['tp-link', 'tplink', 'tapo', 'vigi'],
    {
      zh: 'TP-LINK/VIGI：设置→网络→集成协议→ONVIF；Tapo：App 里 高级设置→摄像机账户；一次只接一两个客户端',
      en: 'TP-Link, VIGI: Settings, Network, Integration Protocol; Tapo: in the app Advanced, Camera Account; not more than one or two clients',
    },
  ],
  [
    ['reolink'],
    {
      zh: 'Reolink：设置→网络→高级→服务端口，启用 ONVIF（端口 8000），HTTP 也要启用',
      en: 'Reolink: Settings, Network, Advanced, Server Settings: enable ONVIF (port 8000) and HTTP',
    },
  ],
  [['axis'], { zh: 'AXIS：系统→ONVIF→添加账户（操作员）', en: 'AXIS: System, ONVIF accounts: add one (operator)' }],
  [
    ['bosch'],
    { zh: 'Bosch：用 service 账号或同级的 ONVIF 账号', en: 'Bosch: the service account, or an ONVIF one of its level' },
  ],
];

/** @param maker as the camera names it; undefined while nobody knows */
export function menuOf(maker: string | undefined): Text {
  const name = (maker ?? '').toLowerCase();
  const own = MAKERS.find(([words]) => words.some((word) => name.includes(word)))?.[1];
  return own === undefined ? COMMON : { zh: `${own.zh}。${COMMON.zh}`, en: `${own.en}. ${COMMON.en}` };
}
