import { errorTable } from './spec.ts';

export const cliErrors = errorTable({});
