/** A serial port whose far end is a TCP port of ours, made by socat: for simulated lines. */
import { spawn } from 'node:child_process';

export interface Pty {
  close(): Promise<void>;
}

/** Rejects when socat is missing or cannot make the port. */
export function linkPty(path: string, tcpPort: number): Promise<Pty> {
  const child = spawn('socat', ['-d', '-d', `pty,raw,echo=0,link=${path}`, `tcp:127.0.0.1:${tcpPort}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`socat ended: ${said.trim().split('\n').at(-1) ?? ''}`)));
    child.stderr.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-2000);
      if (!said.includes('starting data transfer loop')) return;
      const close = async (): Promise<void> => {
        child.kill('SIGTERM');
        await ended;
      };
      resolve({ close });
    });
  });
}
