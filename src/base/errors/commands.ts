import { errorTable } from './spec.ts';

/** What the duty room asks about platforms' commands. */
export const commandErrors = errorTable({
  'commands.nothing_waits': {
    says: { zh: '没有等待确认的平台命令 {id}', en: 'no command {id} waits for confirmation' },
    next: { zh: '可能已过期；用 weinao commands 查看', en: 'it may have expired; see weinao commands' },
    retry: 'never',
  },
});
