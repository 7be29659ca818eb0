/** The command line without a process: what goes out, what goes to the messages, and the exit code. */
import { cli } from '../../src/cli/index.ts';

export async function run(args: readonly string[], stdin: readonly string[] = [], env: Record<string, string> = {}) {
  let out = '';
  let err = '';
  async function* input(): AsyncGenerator<string> {
    yield* stdin;
  }
  const code = await cli(args, {
    env: { LANG: 'C.UTF-8', ...env },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isTty: false,
    now: () => '2026-06-01T00:00:00.000Z',
    stdin: input,
    lines: (path) => {
      if (path.includes('missing')) throw new Error('test reads no files');
      return input();
    },
    stop: new AbortController().signal,
  });
  return { code, out, err };
}
