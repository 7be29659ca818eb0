import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'drivers/**/*.test.ts', 'test/**/*.test.ts'],
    // Patience, no measure: on virtual time a busy machine is only slow.
    testTimeout: 120_000,
    pool: 'forks',
  },
});
