import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { withDevices } from './add.ts';

const NEW = [
  { id: 'modbus_3', section: { driver: 'modbus', address: 3, channel: 'c' } },
  { id: 'modbus_3', section: { driver: 'modbus', address: 4, channel: 'c' } },
];

describe('adding devices to a file', () => {
  it('puts them before the first, with its indent, and leaves everything else as it was', () => {
    const text =
      '# my estate\nsite: {id: x, name: x}\ndevices:\n    # the old one\n    modbus_3: {driver: modbus}   # keep\nfeeds: {}\n';
    const added = withDevices(text, NEW);
    expect(added?.ids).toEqual(['modbus_3_2', 'modbus_3_3']);
    expect(added?.text).toBe(
      '# my estate\nsite: {id: x, name: x}\ndevices:\n    # the old one\n    modbus_3_2: {driver: modbus, address: 3, channel: c}\n' +
        '    modbus_3_3: {driver: modbus, address: 4, channel: c}\n    modbus_3: {driver: modbus}   # keep\nfeeds: {}\n',
    );
    expect(Object.keys(parse(added?.text ?? '').devices)).toEqual(['modbus_3_2', 'modbus_3_3', 'modbus_3']);
  });

  it('begins a section where there is none', () => {
    expect(withDevices('site: {id: x, name: x}', NEW)?.text).toBe(
      'site: {id: x, name: x}\ndevices:\n  modbus_3: {driver: modbus, address: 3, channel: c}\n  modbus_3_2: {driver: modbus, address: 4, channel: c}\n',
    );
  });

  it('leaves alone what it cannot add to', () => {
    for (const text of ['devices: {a: {driver: modbus}}\n', 'devices:\n', 'a: [\n', '- a\n'])
      expect(withDevices(text, NEW)).toBeUndefined();
  });
});
