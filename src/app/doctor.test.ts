import { describe, expect, it } from 'vitest';
import { type Examined, findingsOf } from './doctor.ts';

const FINE: Examined = {
  health: { causes: [] },
  config: { last_good: false, problems: [] },
  clock: { synced: true },
  channels: [{ id: 'l1', state: 'open' }],
  devices: [{ id: 'd1', online: true }, { id: 'd2' }],
  journal: { durable: true },
  feeds: [{ id: 'street', state: 'connected' }],
};
const found = (change: Partial<Examined>) =>
  findingsOf({ ...FINE, ...change }).map(
    (f) => `${f.isFault ? 'fault' : 'hint'} ${f.about}: ${f.says.en}; ${f.next.en}`,
  );

describe('doctor', () => {
  it('finds nothing where nothing is wrong; a device that was not asked yet is no finding', () => {
    expect(found({})).toEqual([]);
  });

  it('tells each fault with its next step', () => {
    expect(found({ devices: [{ id: 'cam', online: false, error: 'http.refused' }] })[0]).toContain(
      'fault device cam: offline; check the port',
    );
    expect(found({ channels: [{ id: 'l1', state: 'opening' }] })[0]).toContain(
      'fault channel l1: its port is not open',
    );
    expect(found({ feeds: [{ id: 's', state: 'connecting', says: { zh: '不通', en: 'ECONNREFUSED' } }] })[0]).toContain(
      'not connected: ECONNREFUSED',
    );
    expect(found({ clock: { synced: false } })[0]).toContain('hint clock');
    expect(
      found({ journal: { durable: false }, config: { last_good: true, problems: [{ zh: '错', en: 'wrong' }] } }).length,
    ).toBe(3);
  });

  it('tells what a driver found of its device, online or not', () => {
    const health = {
      findings: [
        { zh: '新地址', en: 'it may be at 192.168.1.9' },
        { zh: '慢', en: 'slow clock', hint: true },
      ],
    };
    expect(found({ devices: [{ id: 'cam', online: false, error: 'nobody.knows', health }] })).toEqual([
      'fault device cam: offline; check power, wiring and address',
      'fault device cam: it may be at 192.168.1.9; ',
      'hint device cam: slow clock; ',
    ]);
  });
});
