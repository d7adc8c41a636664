import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WriteBehind } from '../../src/sync/write-behind.js';

const later = (turns: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, turns));

describe('storing behind the calls', () => {
  it('invariant 5: stores everything once and in order, two groups at most at a time, each within its bounds', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.record({ size: fc.nat(5), wait: fc.nat(2) }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 12 }),
      fc.boolean(),
      async (items, maxItems, maxSize, overlaps) => {
        const stored: number[] = [];
        let storing = 0;
        const behind = new WriteBehind<{ id: number; size: number }>(
          { maxItems, maxSize, patienceMs: 1, mayOverlap: () => overlaps },
          async (group, previous) => {
            storing += 1;
            expect(storing).toBe(previous === undefined ? 1 : 2);
            expect(group.length).toBeLessThanOrEqual(maxItems);
            // The last one may go beyond the size, no other.
            expect(group.slice(0, -1).reduce((sum, { size }) => sum + size, 0)).toBeLessThan(maxSize);
            await later(1);
            await previous;
            stored.push(...group.map(({ id }) => id));
            storing -= 1;
          },
        );
        for (const [id, { size, wait }] of items.entries()) {
          await behind.add({ id, size });
          if (wait > 0) await later(wait);
        }
        await behind.flush();
        expect(stored).toEqual(items.map((_, id) => id));
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  it('does not wait for company when it is told to be done, and stores a lone page after its patience', async () => {
    const groups: number[] = [];
    const behind = new WriteBehind<object>({ maxItems: 50, patienceMs: 60_000 }, async (group) => {
      groups.push(group.length);
    });
    await behind.add({});
    await behind.add({});
    await behind.flush();
    expect(groups).toEqual([2]);
    const patient = new WriteBehind<object>({ maxItems: 50, patienceMs: 1 }, async (group) => {
      groups.push(group.length);
    });
    await patient.add({});
    await expect.poll(() => groups).toEqual([2, 1]);
  });

  it('invariant 9: holds one group more than the one that is being stored, and no more', async () => {
    let release = (): void => {};
    const stored = new Promise<void>((resolve) => {
      release = resolve;
    });
    let added = 0;
    const behind = new WriteBehind<object>({ maxItems: 3 }, () => stored);
    const adding = (async () => {
      for (; added < 20; added += 1) await behind.add({});
    })();
    await later(20);
    expect(added).toBe(5);
    release();
    await adding;
    await behind.flush();
    expect(added).toBe(20);
  });

  it('invariant 5: what comes behind a group that failed is not stored, and whoever adds or waits is told', async () => {
    const groups: number[][] = [];
    const behind = new WriteBehind<{ id: number; size?: number }>({ maxItems: 2 }, async (group) => {
      groups.push(group.map(({ id }) => id));
      await later(5);
      throw new Error('the database is gone');
    });
    const adding = (async () => {
      for (let id = 0; id < 10; id += 1) await behind.add({ id });
    })();
    await expect(adding).rejects.toThrow('the database is gone');
    await expect(behind.flush()).rejects.toThrow('the database is gone');
    expect(groups).toEqual([[0, 1]]);
  });
});

it('a page that ends its group is stored without those behind it', async () => {
  const groups: string[] = [];
  const behind = new WriteBehind<{ id: string; size?: number }>(
    { maxItems: 50, endsGroup: ({ id }) => id === 'bad' },
    async (group) => void groups.push(group.map(({ id }) => id).join(' ')),
  );
  for (const id of ['a', 'bad', 'b', 'c']) await behind.add({ id });
  await behind.flush();
  expect(groups).toEqual(['a bad', 'b c']);
});
