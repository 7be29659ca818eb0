import { errorTable } from './spec.ts';

export const uplinkErrors = errorTable({});
