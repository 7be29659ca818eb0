import { errorTable } from './spec.ts';

export const deviceErrors = errorTable({});
