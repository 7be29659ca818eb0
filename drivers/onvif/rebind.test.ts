import { describe, expect, it } from 'vitest';
import { type Recorded, rebinding } from './rebind.ts';

const UUID = 'urn:uuid:2419d68a-2dd2-21b2-a205-4d6f6e69746f';
const KNOWN: Recorded = { host: '192.168.1.64', uuid: UUID, subnet: '192.168.1.0/24', isDigestOnly: true };
const there = (host: string, uuid = UUID) => ({ host, port: 80, uuid });

describe('a camera at another address', () => {
  it('is followed when its endpoint, the subnet and the digest agree', () => {
    expect(rebinding(KNOWN, [there('192.168.1.9', UUID.toUpperCase())])).toEqual({
      kind: 'take',
      host: '192.168.1.9',
      port: 80,
    });
  });

  it.each([
    ['outside the subnet', KNOWN, [there('192.168.2.9')], 'outside the configured subnet'],
    ['no subnet is configured', { ...KNOWN, subnet: undefined }, [there('192.168.1.9')], 'names no subnet'],
    ['a plain password is allowed', { ...KNOWN, isDigestOnly: false }, [there('192.168.1.9')], 'plain password'],
    ['two claim to be it', KNOWN, [there('192.168.1.9'), there('192.168.1.10')], 'several addresses'],
  ] as const)('is only proposed: %s', (_, recorded, seen, why) => {
    const told = rebinding(recorded, seen);
    expect(told).toMatchObject({ kind: 'propose', host: seen[0].host });
    expect(told.kind === 'propose' ? told.why.en : '').toContain(why);
  });

  it('is left alone: nobody like it, another endpoint with the same MAC, still where it was, nothing recorded', () => {
    const mac = { ...KNOWN, mac: '44:19:B6:00:00:01' };
    for (const [recorded, seen] of [
      [KNOWN, []],
      [KNOWN, [there('192.168.1.9', 'urn:uuid:00000000-2dd2-21b2-a205-4d6f6e69746f')]],
      [mac, [{ host: '192.168.1.9', port: 80, uuid: 'urn:uuid:0', mac: '4419b6000001' }]],
      [KNOWN, [there('192.168.1.9'), there('192.168.1.64')]],
      [{ ...KNOWN, uuid: undefined }, [there('192.168.1.9')]],
    ] as const)
      expect(rebinding(recorded, seen)).toEqual({ kind: 'stay' });
  });

  it('goes by its MAC where no endpoint was recorded', () => {
    const recorded = { ...KNOWN, uuid: undefined, mac: '44:19:B6:00:00:01' };
    const seen = [{ host: '192.168.1.9', port: 8000, mac: '44-19-b6-00-00-01' }];
    expect(rebinding(recorded, seen)).toMatchObject({ kind: 'take', port: 8000 });
  });
});
