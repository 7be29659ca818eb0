/** What a technician reads of a camera: the cause and the next step, in his language, and nothing that drives his terminal. */
import { describe, expect, it } from 'vitest';
import { type Inspected, inspectedText, isSilent } from './inspected.ts';

const of = (camera: Partial<Inspected['camera']>): Inspected => ({
  device: 'cam',
  camera: { level: 'up_auth', events: 'up', findings: [], ...camera },
});

describe('what is shown of a camera', () => {
  it('names its services and profiles', () => {
    const profiles = [{ token: '000', name: 'main', video: 'H264 2560x1440' }];
    const text = inspectedText(of({ services: ['events', 'media'], profiles }), 'zh');
    expect(text).toContain('events media');
    expect(text).toContain('000  main  H264 2560x1440');
    expect(text).toContain('已订阅');
  });

  it('says what to do when it does not answer', () => {
    const gone = of({ level: 'reachable', events: 'lost', error: 'http.refused' });
    expect(inspectedText(gone, 'zh')).toContain('! 核对端口；在设备网页里打开这项服务');
    expect([isSilent(gone), isSilent(of({})), isSilent(of({ level: 'up_noauth' }))]).toEqual([true, false, false]);
  });

  it('says it once', () => {
    const findings = [{ zh: '用户或密码不对', en: 'user or password is wrong' }];
    const text = inspectedText(
      of({ level: 'up_noauth', events: 'auth_failed', error: 'device.not_authorized', findings }),
      'en',
    );
    expect(text.split('\n').filter((line) => line.startsWith('!'))).toEqual(['! user or password is wrong']);
  });

  it('prints nothing that drives a terminal', () => {
    const text = inspectedText(of({ model: '\u001b[2J', profiles: [{ token: '\u0007', name: '\u009b1m' }] }), 'zh');
    expect([...text].filter((c) => c < ' ' && c !== '\n')).toEqual([]);
    expect(text).not.toContain('\u009b');
  });
});
