/**
 * A serial port as a byte port, through node-serialport. The package is loaded with the first port: a site without serial lines does not pay
 * for it. The port is locked against other programs that lock (flock); see deps of the `serialport` bindings for who does not.
 */
import type { SerialSettings } from '../base/model.ts';
import type { BytePort } from '../base/ports.ts';

/** Rejects with the system's message: no such device, permission denied, cannot lock port. */
export async function openSerial(path: string, line: SerialSettings): Promise<BytePort> {
  const { SerialPort } = await import('serialport');
  const port = new SerialPort({
    path,
    baudRate: line.baud,
    parity: line.parity,
    dataBits: line.dataBits,
    stopBits: line.stopBits,
    autoOpen: false,
  });
  await settled((done) => port.open(done));
  let gone: (why: string) => void = () => {};
  let why = 'the port disappeared';
  let ours = false;
  port.on('error', (error) => {
    why = error.message;
  });
  port.once('close', () => {
    if (!ours) gone(why);
  });
  return {
    write: async (bytes) => {
      await settled((done) => port.write(bytes, (error) => done(error ?? null)));
      await settled((done) => port.drain(done));
    },
    onData: (listener) => void port.on('data', listener),
    onClose: (listener) => {
      gone = listener;
    },
    close: async () => {
      ours = true;
      if (port.isOpen) await settled((done) => port.close(done)).catch(() => {});
    },
  };
}

function settled(start: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error == null ? resolve() : reject(error))));
}
