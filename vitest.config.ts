import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'structure', include: ['test/structure/**/*.test.ts'] } },
      {
        test: {
          name: 'mirror',
          include: ['test/**/*.test.ts'],
          exclude: ['test/structure/**'],
          globalSetup: ['test/support/global-setup.ts'],
          // Shared machines are at times three times slower than at others; no test measures speed.
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
    ],
    // Two cores are shared with a PostgreSQL server and the emulator.
    maxWorkers: 2,
  },
});
