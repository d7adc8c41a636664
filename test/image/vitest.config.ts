import { defineConfig } from 'vitest/config';

/** `npm run test:image`: no part of `npm test`, which needs nothing but Node.js. */
export default defineConfig({
  test: {
    name: 'image',
    include: ['test/image/**/*.test.ts'],
    globalSetup: ['test/image/global-setup.ts'],
    // The files share one database server, which some of them stop for a while.
    fileParallelism: false,
    testTimeout: 400_000,
    hookTimeout: 400_000,
  },
});
