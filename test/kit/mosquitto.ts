/** A real broker (Debian's mosquitto) of one test: plain or TLS with client certificates, keeping its sessions over a restart. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openSocket } from '../../src/io/socket.ts';
import { freePort, tempFolder, until } from './site.ts';

export interface Mosquitto {
  readonly port: number;
  readonly folder: string;
  start(): Promise<void>;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const BINARY = '/usr/sbin/mosquitto';

/** @param settings further lines of its configuration */
export async function mosquitto(settings: readonly string[] = []): Promise<Mosquitto> {
  const port = await freePort();
  const folder = tempFolder();
  mkdirSync(join(folder, 'store'));
  const config = join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${join(folder, 'store')}/`,
    'autosave_interval 1',
    'max_queued_messages 0',
    // Without this it gives up root for a user who may not read the test's folder.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    ...settings,
  ];
  writeFileSync(config, `${lines.map((l) => l.replaceAll('FOLDER', folder)).join('\n')}\n`);
  let ended: Promise<void> | undefined;
  let kill: (signal: 'SIGTERM' | 'SIGKILL') => void = () => {};
  const broker: Mosquitto = {
    port,
    folder,
    start: async () => {
      const child = spawn(BINARY, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.on('data', (bytes: Buffer) => {
        said = (said + bytes.toString()).slice(-4000);
      });
      let over = false;
      ended = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', () => {
          over = true;
          resolve();
        });
      });
      kill = (signal) => void child.kill(signal);
      await until('mosquitto listens', async () => {
        if (over) throw new Error(`mosquitto ended: ${said}`);
        const probe = await openSocket('127.0.0.1', port).catch(() => undefined);
        await probe?.close();
        return probe !== undefined;
      });
    },
    stop: async (signal = 'SIGTERM') => {
      kill(signal);
      await ended;
    },
  };
  onTestFinished(() => broker.stop('SIGKILL'));
  return broker;
}

/** A certificate authority, a server's certificate for 127.0.0.1 and a client's, made by openssl in `folder`. */
export function certificates(folder: string): void {
  const openssl = (...args: string[]): void => {
    const done = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`openssl ${args[0]}: ${done.stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test-ca');
  for (const [name, extension] of [
    ['server', 'subjectAltName=IP:127.0.0.1'],
    ['client', 'extendedKeyUsage=clientAuth'],
  ] as const) {
    writeFileSync(join(folder, `${name}.ext`), `${extension}\n`);
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', '2', '-out', `${name}.pem`, '-extfile', `${name}.ext`],
    );
  }
}
