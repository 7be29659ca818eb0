import { errorTable } from './spec.ts';

export const configErrors = errorTable({});
