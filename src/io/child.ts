/** A child process asked one question: values go both ways by structured clone, and with the process goes all its memory. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Rejects when the child ends without an answer; its messages go to our standard error. */
export function askChild(entry: URL, question: unknown): Promise<unknown> {
  const child = fork(fileURLToPath(entry), {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise<unknown>((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the child ended without an answer (${signal ?? code})`)));
    child.send(question as never);
  });
}

/** In a child: answers the question, and ends. */
export function answerParent(answer: (question: unknown) => Promise<unknown>): void {
  process.once('message', (question) => {
    void answer(question).then((reply) => process.send?.(reply, () => process.disconnect()));
  });
}
