import { errorTable } from './spec.ts';

export const journalErrors = errorTable({});
