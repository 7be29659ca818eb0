/** Worker threads as two ends of a port. */
import {
  type MessagePort,
  parentPort as nodeParentPort,
  receiveMessageOnPort,
  type Transferable,
  Worker,
} from 'node:worker_threads';

export interface WorkerPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** at most one listener */
  onMessage(listener: (message: unknown) => void): void;
  /** the thread ended, by itself or by an error nobody caught */
  onExit(listener: (why: string) => void): void;
  terminate(): Promise<void>;
}

/** A young generation of V8's own size would grow by tens of megabytes before anything in it is given back. */
const LIMITS = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 };

export function startWorker(entry: URL, data: unknown): WorkerPort {
  const worker = new Worker(entry, { workerData: data, name: 'store', resourceLimits: LIMITS });
  let why = 'ended';
  worker.on('error', (error) => {
    why = error instanceof Error ? error.message : String(error);
  });
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as Transferable[]),
    onMessage: (listener) => void worker.on('message', listener),
    onExit: (listener) => void worker.once('exit', () => listener(why)),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

export interface ParentPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Called with everything that waits, oldest first, so that what came during a sync shares the next one. */
  onBatch(listener: (messages: readonly unknown[]) => void): void;
  close(): void;
}

export function parentPort(): ParentPort {
  const port = nodeParentPort as MessagePort;
  return {
    post: (message, transfer = []) => port.postMessage(message, transfer as Transferable[]),
    onBatch: (listener) => {
      port.on('message', (first: unknown) => {
        const batch = [first];
        for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
          batch.push(next.message);
        listener(batch);
      });
    },
    close: () => port.close(),
  };
}
