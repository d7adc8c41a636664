import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAhead } from '../../src/sync/read-ahead.js';

describe('reading ahead', () => {
  it('yields every result once and in order, in groups of at most the given size, never above the concurrency', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.record({ turns: fc.nat(4), fails: fc.boolean() }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 12 }),
      async (tasks, concurrency, groupSize, ahead) => {
        let active = 0;
        let yielded = 0;
        let most = 0;
        const work = async (index: number): Promise<number> => {
          expect(index).toBeLessThan(yielded + Math.max(ahead, concurrency) + groupSize);
          active += 1;
          most = Math.max(most, active);
          for (let turn = 0; turn < (tasks[index]?.turns ?? 0); turn += 1) await Promise.resolve();
          active -= 1;
          if (tasks[index]?.fails) throw new Error(`task ${index}`);
          return index * 2;
        };
        const results: string[] = [];
        for await (const group of readAhead(tasks.keys(), { concurrency, groupSize, ahead }, work)) {
          yielded += group.length;
          expect(group.length).toBeGreaterThan(0);
          expect(group.length).toBeLessThanOrEqual(groupSize);
          for (const result of group)
            results.push(result.ok ? `${result.item}=${result.value}` : `${result.item} failed`);
        }
        expect(results).toEqual(tasks.map((task, index) => (task.fails ? `${index} failed` : `${index}=${index * 2}`)));
        expect(most).toBeLessThanOrEqual(concurrency);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it('starts no new call once the consumer has left', async () => {
    const started: number[] = [];
    const work = async (item: number): Promise<number> => {
      started.push(item);
      await Promise.resolve();
      return item;
    };
    for await (const _group of readAhead(Array.from({ length: 100 }).keys(), { concurrency: 2 }, work)) break;
    const count = started.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(started.length).toBe(count);
    expect(count).toBeLessThanOrEqual(4);
  });
});
