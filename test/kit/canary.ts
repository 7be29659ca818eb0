/**
 * A person in every text of a configuration: phone, identity number, name and flat. What is written here stands where test/texts.test.ts says that
 * people write as they like, so that a new place for texts gets its canary or fails there.
 */
export const PHONE = '13912345678';
export const ID = '11010119900307775X';
export const NAME = '欧阳翠花';
export const FLAT = '7栋2单元1903';
export const CANARIES = { PHONE, ID, NAME, FLAT };
/** what may stand where the model says that it is of equipment: numbers of people do not become harmless there */
export const NUMBERS = `${PHONE} ${ID}`;
export const ALL = `${NAME} ${FLAT} ${NUMBERS}`;

export const SELECTIONS = (rights: string): string =>
  `[{alarms: {${rights}}, telemetry: {${rights}}, devices: {${rights}}, forms: {report: {${rights}}}, commands: {${rights}}, config: {${rights}}}]`;
export const PERSONAL = 'classes: [personal, sensitive]';

export const SITE = `site: {id: c1, name: "小区 ${NUMBERS}"}
gateway: {data: DATA}
people: {duty: {name: "${NAME}", screen: true}, office: {feed: street}}
places:
  b7: {name: "7栋 ${NUMBERS}", lat: 22.5402, lon: 114.05031}
  b7_1903: {name: "${FLAT} ${NAME}", in: b7, lat: 22.54087, lon: 114.05978}
channels: {plc: {modbus_tcp: "127.0.0.1:1502"}}
devices:
  tank: {driver: modbus, channel: plc, address: 1, poll: 1s, type: tank, zone: b7, name: "水池 ${NUMBERS}", let: {who: "${NAME}"},
    points: {level: {register: holding 0, as: uint16, unit: m, name: "水位 ${NUMBERS}"},
      note: {register: holding 10, as: "string:11", class: none, name: 标牌},
      memo: {register: holding 20, as: "string:18", class: personal, name: "${ALL}"},
      valve: {register: coil 1, as: bool, class: none}}}
  hydrant: {driver: modbus, channel: plc, address: 3, poll: 1s, type: hydrant, zone: b7, name: "消火栓 ${NUMBERS}", points: {open: {register: discrete 0, as: bool}}}
  door_1903: {driver: modbus, channel: plc, address: 2, poll: 1s, type: home_door, zone: b7_1903, name: "${ALL}",
    points: {open: {register: discrete 0, as: bool, name: "${ALL}"}, battery: {register: input 0, as: uint16, class: none}}}
assets:
  flat_1903: {type: home, zone: b7_1903, name: "${ALL}", door: door_1903, let: {elder: "${NAME}"}}
stats:
  alarms: {name: "统计 ${NUMBERS}", of: {alarms: {}}, count: true, every: 1h}
feeds:
  street: {to: "mqtt://broker", view: ${SELECTIONS('')}}
  packed: {to: "mqtt://broker", encoding: json+zstd, view: ${SELECTIONS('')}}
  police: {to: "mqtt://broker", view: ${SELECTIONS(PERSONAL)}}
`;

export const RULES = `rule: low
name: "水位低 ${NUMBERS}"
level: red
each: {device: tank}
when: level < 1
let: {who: "${NAME}"}
text: "{name} {level} {memo} {note} {who} 联系${NUMBERS}"
act: "电话 ${NUMBERS}"
do: [{write: {tank.valve: true}}]
undo: [{write: {tank.valve: false}}]
escalate: {0s: office}
---
rule: elder
name: 未开门
theme: elder
level: orange
each: {type: home}
let: {elder: 老人}
when: door.open == false
for: 5s
text: "{place} {name} {elder} {top}"
act: 上门
with: {top: {last: report.text, over: 1h}}
---
form: report
name: "报事 ${NUMBERS}"
fields:
  - {id: text, label: "内容 ${NUMBERS}", text: 200}
  - {id: note, label: 备注, text: 200, person: none}
  - {id: phone, label: 电话, number: [0, 99999999999]}
  - {id: where, label: 位置, place: true}
  - {id: kind, label: 类别, pick: [求助, 其他]}
`;

/** Other systems of the estate, and platforms that are told in their own words. */
export const OUTSIDE = `site: {id: c2, name: 小区}
gateway: {data: DATA}
people: {duty: {screen: true}}
places: {b7: {name: "7栋 ${NUMBERS}"}}
channels: {b: {mqtt: "mqtt://broker"}, in: {http: "127.0.0.1:8088"}, plc: {modbus_tcp: "127.0.0.1:1502"}}
devices:
  lamp: {driver: modbus, channel: plc, address: 1, poll: 1s, type: lamp, name: "路灯 ${NUMBERS}", points: {dim: {register: holding 0, as: uint16}}}
  radio: {driver: mqtt, channel: b, topic: radio/1, poll: 1h, zone: b7, name: "水池 ${NUMBERS}", points: {level: {value: level, class: none}, note: {value: note, as: text, class: none}}}
  chat: {driver: mqtt, channel: b, topic: chat/1, poll: 1h, zone: b7, points: {memo: {value: memo, as: text}}}
  desk: {driver: http, channel: in, token: {file: desk}, forms: [report], poll: 1h, points: {note: {value: data.note, as: text, class: none}}}
  nurse: {driver: http, channel: in, token: {file: nurse}, poll: 1h, points: {memo: {value: data.memo, as: text}}}
feeds:
  street: {to: "mqtts://broker", view: ${SELECTIONS('')}}
  police: {to: "mqtts://broker", view: ${SELECTIONS(PERSONAL)}}
  tb: {to: "mqtts://broker", codec: thingsboard, view: ${SELECTIONS('')}, commands: [{allow: write, to: {device: lamp}, point: dim, range: [0, 9]}]}
  ali: {to: "mqtts://broker", codec: alink, ack: broker, alink: {product: p, device: d, sub_product: q}, view: ${SELECTIONS('')}}
  web: {to: "https://platform/events", view: ${SELECTIONS('')}}
`;
export const OUTSIDE_RULES = `rule: wet
level: red
each: {device: radio}
when: level > 5
text: "{level} {note}"
act: 看
---
rule: said
level: yellow
each: {device: chat}
when: size(memo) > 0
text: "{memo}"
act: 看
---
form: report
fields: [{id: text, label: 内容, text: 200}, {id: note, label: 备注, text: 200, person: none}]
`;

/** types of events that happen in the canaries' estate */
export const TOLD = [
  'alarm.acked',
  'alarm.escalated',
  'alarm.raised',
  'alarm.shelved',
  'command.result',
  'config.changed',
  'device.offline',
  'report.created',
  'telemetry.sampled',
] as const;
