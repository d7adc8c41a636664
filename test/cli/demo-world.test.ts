import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startDemoWorld } from '../../src/cli/demo-world.js';
import { emptyDirectory } from '../support/cli.js';

/** A world whose clock is saved when the test says so. */
async function world(directory: string) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  return startDemoWorld(directory);
}

const isUp = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

describe('the world of the demo', () => {
  it('ends whenever it is told to, also while it saves its clock', async () => {
    for (let round = 0; round < 5; round += 1) {
      const directory = emptyDirectory();
      const { close, emulator } = await world(directory);
      vi.advanceTimersByTime(2_000);
      await close();
      expect(await isUp(emulator.url)).toBe(false);
      const times = JSON.parse(readFileSync(join(directory, 'demo.json'), 'utf8'));
      expect(times.worldNow).toBeGreaterThanOrEqual(times.startAt);
      vi.useRealTimers();
    }
  });

  it('leaves no server behind when its clock cannot be saved', async () => {
    const directory = emptyDirectory();
    const { close, emulator } = await world(directory);
    rmSync(directory, { recursive: true });
    await expect(close()).rejects.toThrow('ENOENT');
    expect(await isUp(emulator.url)).toBe(false);
  });
});
