/** Function and error codes of both versions (DL/T 645-2007 clause 7 and annex C; 1997 annex B). */
import type { Version } from './items.ts';

export const READ: Readonly<Record<Version, number>> = { '2007': 0x11, '1997': 0x01 };
export const READ_NEXT: Readonly<Record<Version, number>> = { '2007': 0x12, '1997': 0x02 };
export const READ_ADDRESS = 0x13;

/** functions a meter may answer */
export const FUNCTIONS: Readonly<Record<Version, readonly number[]>> = {
  '2007': [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x03],
  '1997': [0x01, 0x02, 0x03, 0x04, 0x0a, 0x0c, 0x0f, 0x10],
};

interface Said {
  readonly zh: string;
  readonly en: string;
}

const said = (zh: string, en: string): Said => ({ zh, en });

const BITS: Readonly<Record<Version, readonly Said[]>> = {
  '2007': [
    said('其他错误', 'other error'),
    said('无请求数据', 'no requested data'),
    said('密码错或未授权', 'password error or not authorised'),
    said('通信速率不能更改', 'baud rate cannot be changed'),
    said('年时区数超', 'too many year zones'),
    said('日时段数超', 'too many day periods'),
    said('费率数超', 'too many tariffs'),
  ],
  '1997': [
    said('非法数据', 'illegal data'),
    said('数据标识错', 'wrong identifier'),
    said('密码错', 'password error'),
    said('', ''),
    said('年时区数超', 'too many year zones'),
    said('日时段数超', 'too many day periods'),
    said('费率数超', 'too many tariffs'),
  ],
};

/** What the bits of an error byte say. */
export const errorTexts = (version: Version, error: number): readonly Said[] =>
  BITS[version].filter((text, bit) => (error & (1 << bit)) !== 0 && text.en !== '');
