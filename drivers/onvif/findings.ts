/** What is wrong with a camera and what to do about it, for `weinao doctor` and `weinao probe`. */
import type { JsonObject } from '../../src/base/json.ts';
import type { Standing } from './session.ts';
import type { Whereabouts } from './whereabouts.ts';

/** more than this is told; signing works with any */
const SKEW_S = 5;

type Finding = JsonObject & { readonly zh: string; readonly en: string; readonly hint?: boolean };

export function findingsOf(
  standing: Standing,
  { proposal, isStranger }: Pick<Whereabouts, 'proposal' | 'isStranger'>,
  skewS: number | undefined,
): Finding[] {
  const found: Finding[] = [];
  if (standing === 'auth_failed')
    found.push({
      zh: '用户或密码不对，每 15 分钟才再试一次，以免锁定账号；在摄像机里核对 ONVIF 用户（与网页账号可能不同）',
      en: 'user or password is wrong; it is tried every 15 minutes only, so that the account is not locked. Check the ONVIF user in the camera (it may not be the account of the web page)',
    });
  if (standing === 'unsupported')
    found.push({
      zh: '它不提供事件，只能抓图；在网页里升级固件或打开事件服务',
      en: 'it offers no events, only pictures; update its firmware or switch its event service on',
    });
  if (proposal !== undefined)
    found.push({
      zh: `可能已移到 ${proposal.host}（${proposal.why.zh}）；核实后改配置中的 host`,
      en: `it may have moved to ${proposal.host} (${proposal.why.en}); when that is it, change host in the configuration`,
    });
  if (isStranger)
    found.push({
      zh: '这个地址上应答的是另一台摄像机；若确已更换，执行 weinao plan --relearn 设备',
      en: 'another camera answers at this address; if it was exchanged, run weinao plan --relearn DEVICE',
    });
  if (skewS !== undefined && Math.abs(skewS) > SKEW_S)
    found.push({
      zh: `时钟相差 ${skewS} 秒；在摄像机里设置 NTP`,
      en: `its clock is off by ${skewS} s; set NTP in the camera`,
      hint: true,
    });
  return found;
}
