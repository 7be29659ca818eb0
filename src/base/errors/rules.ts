import { errorTable } from './spec.ts';

export const rulesErrors = errorTable({});
