/** The configuration the demo runs: an ordinary site, written to a temporary folder and loaded like any other. */
export interface DemoPorts {
  readonly plc: number;
  readonly dtu: number;
  readonly broker: number;
}

export function demoFiles(data: string, ports: DemoPorts): ReadonlyMap<string, string> {
  return new Map([
    ['weinao.yaml', weinaoYaml(data, ports)],
    ['rules/demo.yaml', RULES],
  ]);
}

const weinaoYaml = (
  data: string,
  ports: DemoPorts,
): string => `site: {id: demo, name: 阳光花园, lat: 22.54, lon: 114.05, timezone: Asia/Shanghai}
gateway: {id: gw1, data: ${JSON.stringify(data)}}
places:
  pump_house: {name: 水泵房}
  ebike_shed: {name: 充电棚}
  south_gate: {name: 南门}
channels:
  plc: {modbus_tcp: "127.0.0.1:${ports.plc}"}
  dtu_3: {tcp: "127.0.0.1:${ports.dtu}", baud: 9600, parity: none}
devices:
  tank_1:
    {driver: modbus, channel: plc, address: 1, poll: 500ms, type: tank, tags: [fire], zone: pump_house, name: 消防水池,
     points: {level: {register: holding 0, as: float32, unit: m, deadband: 0.01, name: 水位}}}
  pump_1:
    driver: modbus
    channel: plc
    address: 2
    poll: 1s
    zone: pump_house
    name: 增压泵
    points:
      running: {register: coil 0, as: bool, name: 运行, class: none}
      current: {register: input 0, as: uint16, scale: 0.1, unit: A, deadband: 0.1, name: 电流, class: none}
  hydrant_3:
    {driver: modbus, channel: dtu_3, address: 11, poll: 1s, tags: [fire], zone: south_gate, name: 3号消火栓,
     points: {pressure: {register: holding 0, as: uint16, scale: 0.001, unit: MPa, deadband: 0.005, name: 压力, class: none}}}
  smoke_1:
    {driver: modbus, channel: dtu_3, address: 12, poll: 500ms, tags: [fire], zone: ebike_shed, name: 充电棚烟感,
     points: {alarm: {register: discrete 0, as: bool, name: 烟雾, class: none}}}
  climate_1:
    driver: modbus
    channel: dtu_3
    address: 13
    poll: 2s
    zone: pump_house
    name: 泵房温湿度
    points:
      temperature: {register: input 0, as: int16, scale: 0.1, unit: Cel, deadband: 0.2, name: 温度, class: none}
      humidity: {register: input 1, as: uint16, scale: 0.1, unit: "%", deadband: 1, name: 湿度, class: none}
feeds:
  property: {to: "mqtt://127.0.0.1:${ports.broker}", mqtt: 3, view: everything}
`;

const RULES = `rule: shed_smoke
name: 充电棚烟感火警
level: red
each: {device: smoke_1}
when: alarm
text: "{place} 火警！3号消火栓压力 {hydrant_3.pressure} MPa"
act: 断电、灭火、疏散，拨119
---
rule: tank_low
name: 消防水池水位低
level: orange
each: {type: tank, tag: fire}
when: level < 1.5
clear: level > 1.8
for: 2s
text: "水位 {level} 米"
act: 检查补水阀和增压泵
---
rule: hydrant_dry
name: 消火栓无水
level: orange
each: {device: hydrant_3}
when: pressure < 0.14
for: 1s
text: "{place} 消火栓压力 {pressure} MPa"
act: 检查阀门并报修
`;
