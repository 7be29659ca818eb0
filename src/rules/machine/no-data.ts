/** Rules every site has without writing them: a device that does not answer, a sensor that flaps, a flood of alarms. */
import type { DeviceModel } from '../../base/model.ts';
import { gravest } from '../../base/privacy.ts';
import type { Circumstances } from './alarms.ts';

export const NO_DATA = 'no_data';
export const FLAPPING = 'flapping';
export const FLOOD = 'flood';
/** Their alarms belong to no document and go when what they are about goes. */
export const BUILT_IN: readonly string[] = [NO_DATA, FLAPPING, FLOOD];

const plain = { quality: 'good', observed: 1, firedLate: false, late: false, latch: false, classes: {} } as const;

/** One alarm per device, not one per rule that reads it (rules.md 5.3). */
export function noData(device: DeviceModel, ruleset: string): Circumstances {
  return {
    ...plain,
    key: `${NO_DATA}/${device.id}`,
    rule: NO_DATA,
    instance: device.id,
    ruleset,
    level: device.noData,
    name: '无数据',
    text: '{name} 无数据',
    values: { name: device.name ?? device.id },
    classes: { name: gravest(device.points.map((p) => p.class)) },
    act: '检查设备供电、接线和通信线路',
    device: device.id,
    zone: device.zone,
  };
}

/** Work for maintenance: the sensor behind an alarm comes and goes too often to be right. */
export function flapping(alarm: Circumstances, edges: number): Circumstances {
  return {
    ...plain,
    key: `${FLAPPING}/${alarm.key}`,
    rule: FLAPPING,
    instance: alarm.key,
    ruleset: alarm.ruleset,
    level: 'blue',
    name: '传感器抖动',
    text: '{name} 反复动作 {edges} 次',
    values: { name: alarm.name, edges },
    act: '检查传感器、接线和安装位置',
    device: alarm.device,
    zone: alarm.zone,
  };
}

/** Too many at once: one line instead of many. */
export function flood(ruleset: string, count: number): Circumstances {
  return {
    ...plain,
    key: `${FLOOD}/site`,
    rule: FLOOD,
    instance: 'site',
    ruleset,
    level: 'yellow',
    name: '报警集中出现',
    text: '10 分钟内新报警 {count} 条，黄色、蓝色不再逐条通知',
    values: { count },
    act: '先处理红色、橙色报警，再用 weinao alarms list 逐条查看',
  };
}
