/** Devices behind a broker as messages: what Zigbee2MQTT, network servers of LoRaWAN and Tasmota publish. */
export interface Published {
  readonly topic: string;
  readonly payload: string;
}

const json = (topic: string, body: unknown): Published => ({ topic, payload: JSON.stringify(body) });

/** A device of Zigbee2MQTT under its friendly name. */
export const zigbee = (name: string, state: Readonly<Record<string, unknown>>): Published =>
  json(`zigbee2mqtt/${name}`, { linkquality: 120, ...state });

export const zigbeeThere = (name: string, isThere: boolean): Published =>
  json(`zigbee2mqtt/${name}/availability`, { state: isThere ? 'online' : 'offline' });

export interface Uplink {
  readonly devEui: string;
  readonly counter: number;
  /** UTC ms */
  readonly at: number;
  readonly object: Readonly<Record<string, unknown>>;
}

/** An uplink as ChirpStack 4 forwards it. */
export const chirpstack = ({ devEui, counter, at, object }: Uplink): Published =>
  json(`application/4c2b7a1e-0d3f-4f7e-9f65-3d1a5b7c9e01/device/${devEui}/event/up`, {
    deduplicationId: `3ac7e3c4-4401-4b8d-9386-${String(counter).padStart(12, '0')}`,
    time: new Date(at).toISOString().replace('Z', '000000+00:00'),
    deviceInfo: { applicationName: 'estate', deviceName: 'device', devEui },
    devAddr: '00189440',
    adr: true,
    dr: 5,
    fCnt: counter,
    fPort: 2,
    confirmed: false,
    data: 'AWcA6wJoUA==',
    object,
    rxInfo: [{ gatewayId: '0016c001f153a14c', uplinkId: 4217106255, rssi: -57, snr: 10.2 }],
  });
