/** The demo's devices as TCP servers: a PLC speaking Modbus TCP, and a transparent RS-485 server with three slaves behind it. */
import { createModbusSimulator, float32Registers, type SimulatedUnit } from '../../../drivers/modbus/simulator.ts';
import type { Clock } from '../../base/ports.ts';
import { listenSocket, type SocketServer } from '../../io/socket.ts';
import type { Simulator } from '../../kit/simulator.ts';
import { type Estate, estateAt } from './estate.ts';

type Cells = (estate: Estate) => Readonly<Record<string, number>>;

const PLC: Readonly<Record<number, Cells>> = {
  1: ({ level }) => {
    const [high, low] = float32Registers(level);
    return { 'holding 0': high, 'holding 1': low };
  },
  2: ({ pump, current }) => ({ 'coil 0': pump ? 1 : 0, 'input 0': Math.round(current * 10) }),
};
const DTU: Readonly<Record<number, Cells>> = {
  11: ({ pressure }) => ({ 'holding 0': Math.round(pressure * 1000) }),
  12: ({ smoke }) => ({ 'discrete 0': smoke ? 1 : 0 }),
  13: ({ temperature, humidity }) => ({
    'input 0': Math.round(temperature * 10),
    'input 1': Math.round(humidity * 10),
  }),
};

export interface Simulators {
  readonly plc: number;
  readonly dtu: number;
  close(): Promise<void>;
}

export async function startSimulators(clock: Clock): Promise<Simulators> {
  const start = clock.mono();
  const units = (cells: Readonly<Record<number, Cells>>): ReadonlyMap<number, SimulatedUnit> =>
    new Map(
      Object.entries(cells).map(([station, of]) => [
        Number(station),
        { read: (table, address) => of(estateAt((clock.mono() - start) / 1000))[`${table} ${address}`] },
      ]),
    );
  const plc = await serve(() => createModbusSimulator('tcp', units(PLC)), clock);
  const dtu = await serve(() => createModbusSimulator('rtu', units(DTU)), clock);
  return {
    plc: plc.port,
    dtu: dtu.port,
    close: async () => {
      await plc.close();
      await dtu.close();
    },
  };
}

function serve(simulator: () => Simulator, clock: Clock): Promise<SocketServer> {
  return listenSocket('127.0.0.1', 0, (port) => {
    const far = simulator();
    port.onData((bytes) => {
      for (const reply of far.receive(bytes))
        clock.timer('simulator', reply.afterMs, () => void port.write(reply.bytes).catch(() => {}));
    });
  });
}
