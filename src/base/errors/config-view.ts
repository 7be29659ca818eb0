import { errorTable } from './spec.ts';

/** What leaves, and what does not, against what was meant. Parameters: `key` of the view, `device`, `points`, `feeds`. */
export const configViewErrors = errorTable({
  'config.clear_personal': {
    says: {
      zh: '{scheme} 不加密，而 view 给出个人信息，途中任何人都能读到',
      en: '{scheme} is clear text, and the view lets personal data out: whoever is on the way reads it',
    },
    next: { zh: '改用 {secure}，或收窄 view', en: 'use {secure}, or narrow the view' },
    retry: 'never',
  },
  'config.classless': {
    says: {
      zh: '{device} 的测点 {points} 没写 class，按个人信息处理，{feeds} 因此收不到 {device} 的任何遥测',
      en: 'point {points} of {device} has no class and counts as personal, so {feeds} gets no telemetry of {device} at all',
    },
    next: {
      zh: '只说明设备的写 class: none；涉及人的写 class: personal',
      en: 'write class: none if it tells of equipment only, class: personal if it tells of people',
    },
    retry: 'never',
  },
});
