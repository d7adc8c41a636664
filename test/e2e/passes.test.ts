/**
 * What a pass leaves behind in memory. A week at the default schedules has 490,000 passes in four workspaces, and cron has
 * whole seconds; so here they follow each other as fast as they go, in a process of their own (test/support/week/soak.mjs).
 * Part of `npm run test:week` only, since few passes show nothing. `TEST_PASSES` sets how many.
 */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startEmulator } from '../../src/emulator/server.js';
import { DIST, environmentFor, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { slopeOf } from '../support/week/flatness.js';

const PASSES = Number(process.env.TEST_PASSES ?? 0);
/** Bytes a pass. In a week of 490,000 of them 40 would be 20 MB; with 3,000 less cannot be told from chance. */
const MOST = 40;
const SOAK = join(import.meta.dirname, '../support/week/soak.mjs');

it.runIf(PASSES > 0).each([
  ['complaint 7: passes over an unchanged source leave nothing in memory', 0],
  ['a pass that leaves something in memory would be noticed', MOST],
])(
  '%s',
  async (_, leak) => {
    const emulator = await startEmulator({ workspaces: 4, history: 20, active: 4, experimentRuns: 20, speed: 0 });
    onTestFinished(() => emulator.close());
    const { url } = await createDatabase();
    const env = { ...environmentFor(emulator, url), TEST_LEAK: String(2 * leak) };
    const soak = startCli([DIST, String(PASSES)], { script: SOAK, env });
    expect(await soak.exited, soak.stderr().slice(-2_000)).toBe(0);
    const left = soak
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly passes: number; readonly heapUsed: number });
    // The first passes compile code and fill caches.
    const samples = left.map(({ passes, heapUsed }) => ({ at: passes, value: heapUsed })).slice(left.length / 2);
    const bytes = slopeOf(samples);
    const heap = left.map(({ heapUsed }) => (heapUsed / 1e6).toFixed(2)).join(' ');
    process.stdout.write(`passes: ${PASSES}, ${bytes.toFixed(1)} bytes left of each; heap ${heap} MB\n`);
    if (leak === 0) expect(bytes).toBeLessThanOrEqual(MOST);
    else expect(bytes).toBeGreaterThan(MOST);
  },
  1_800_000,
);
