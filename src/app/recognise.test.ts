import { describe, expect, it } from 'vitest';
import { unhex } from '../base/bytes.ts';
import { decodeLine } from './decode.ts';
import { recognised } from './recognise.ts';

const FRAMES: Readonly<Record<string, string>> = {
  'dlt698.45':
    '68 21 00 C3 05 10 00 00 00 00 00 10 55 7E 85 01 41 40 01 02 00 01 09 06 00 00 00 00 00 10 00 00 DD BA 16',
  dny: '44 4E 59 09 00 CD 28 A2 04 67 02 22 1A 03',
  cjt188:
    'FE FE 68 10 26 13 06 07 00 33 78 81 16 1F 90 04 00 68 00 00 2C 00 00 00 00 2C 00 00 00 00 00 00 00 00 00 73 16',
  mbus: '68 1B 1B 68 08 01 72 07 20 18 00 E6 1E 35 07 4C 00 00 00 0C 78 07 20 18 00 0C 16 69 02 00 00 96 16',
};

describe('recognising', () => {
  it.each(Object.entries(FRAMES))('%s by its frame, also in noise, and not with a changed byte', (name, text) => {
    const frame = unhex(text) ?? new Uint8Array(0);
    expect(recognised(frame)).toContain(name);
    expect(recognised(Uint8Array.of(0xfe, 0x68, ...frame, 0xff))).toContain(name);
    const last = frame.length - 4;
    expect(recognised(frame.map((b, i) => (i === last ? b ^ 0x11 : b)))).not.toContain(name);
  });

  it('names what is not decoded, and whose frames they may be instead', () => {
    const line = (protocol: string, response = ''): string => JSON.stringify({ id: 'a', protocol, response });
    expect(decodeLine(line('dlt698.45', FRAMES['dlt698.45']))).toMatchObject({
      outcome: 'unsupported',
      recognised: true,
    });
    expect(decodeLine(line('dny', '00 01 02'))).toMatchObject({ outcome: 'unsupported', recognised: false });
    expect(decodeLine(line('dlt645-2007', FRAMES.cjt188))).toMatchObject({ looks_like: ['cjt188'] });
    expect(decodeLine(line('dlt645-2007', FRAMES['dlt698.45']))).toMatchObject({ looks_like: ['dlt698.45'] });
    expect(decodeLine(line('mbus', FRAMES.mbus))).not.toHaveProperty('looks_like');
  });
});
