import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'structure', include: ['test/structure/**/*.test.ts'] } },
      {
        test: {
          name: 'mirror',
          include: ['test/**/*.test.ts'],
          exclude: ['test/structure/**', 'test/image/**'],
          globalSetup: ['test/support/global-setup.ts'],
          setupFiles: ['test/support/each-file.ts'],
          // One process a worker, not one a file: loading and warming up the same modules a hundred times is a third of
          // the CPU. A file must therefore leave process.env, listeners and prototypes as it found them.
          isolate: false,
          // Shared machines are at times three times slower than at others; no test measures speed.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // What a test polls for comes late on such a machine, too: vitest's own second is no fault of the code.
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
    // Of two cores, which are shared with a PostgreSQL server and the emulator, two workers leave a quarter idle: they wait for
    // schedules, timeouts and processes. Three take a sixth less time.
    maxWorkers: 3,
  },
});
