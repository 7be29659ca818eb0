import { join } from 'node:path';

/** Where the journal stands in the gateway's data folder. */
export const journalFile = (data: string): string => join(data, 'journal.db');
