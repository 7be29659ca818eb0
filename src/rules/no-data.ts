/** The built-in rule of each device: it does not answer. One alarm per device, not one per rule that reads it (rules.md 5.3). */
import type { DeviceModel } from '../base/model.ts';
import type { Circumstances } from './alarms.ts';

export const NO_DATA = 'no_data';

export function noData(device: DeviceModel, ruleset: string, key: string): Circumstances {
  return {
    key,
    rule: NO_DATA,
    instance: device.id,
    ruleset,
    level: device.noData,
    name: '无数据',
    text: '{name} 无数据',
    values: { name: device.name ?? device.id },
    act: '检查设备供电、接线和通信线路',
    device: device.id,
    zone: device.zone,
    quality: 'good',
    observed: 1,
    firedLate: false,
  };
}
