/** Two commits of one pass side by side. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import { inTurn, Overtaking } from '../../src/store/in-turn.js';
import { observed, pipelineRun, SCOPE, seen, useMirror } from './fixtures.js';

const mirror = useMirror();

const batch = (id: string, page: number): WriteBatch => ({
  pipelineRuns: observed(page, pipelineRun(id)),
  cursor: { watermark: null, state: { page } },
});
const page = async () => (await mirror().store.readCursor(SCOPE, 'pipeline-runs'))?.state.page;
const runs = async () =>
  (await mirror().sql('select pipeline_run_id as id from pai.pipeline_runs order by 1')).map(({ id }) => id);

describe('a commit that was begun beside the one before it', () => {
  it('invariants 2 and 5: ends after it, so that the cursor never goes back or ahead of its rows', async () => {
    const lease = await mirror().lease('pipeline-runs');
    const order: string[] = [];
    const first = delay(300)
      .then(() => mirror().store.commit(lease, batch('r1', 1)))
      .then(() => order.push('first'));
    const second = mirror()
      .store.commit(lease, batch('r2', 2), first)
      .then(() => order.push('second'));
    await delay(150);
    expect(await runs()).toEqual([]);
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(await page()).toBe(2);
    expect(await runs()).toEqual(['r1', 'r2']);
  });

  it('invariant 2: leaves nothing where that one fails', async () => {
    const lease = await mirror().lease('pipeline-runs');
    const first = delay(100).then(() => Promise.reject(new Error('the first one failed')));
    // On a slow machine it fails before anybody has come to wait for it.
    first.catch(() => {});
    await expect(mirror().store.commit(lease, batch('r2', 2), first)).rejects.toThrow('the first one failed');
    expect(await runs()).toEqual([]);
    expect(await page()).toBeUndefined();
  });

  it('complaint 8: gives way where the two wait for each other, and is made again in its turn', async () => {
    const lease = await mirror().lease('pipeline-runs');
    let wrote = (): void => {};
    const secondWrote = new Promise<void>((resolve) => {
      wrote = resolve;
    });
    // Nobody may begin like that; both want the same new row, and PostgreSQL sees only one of them wait.
    const first = secondWrote.then(() => mirror().store.commit(lease, batch('r1', 1)));
    const second = mirror().store.commit(lease, batch('r1', 2), first);
    await expect
      .poll(() =>
        mirror().sql(
          `select 1 as one from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
        ),
      )
      .toHaveLength(1);
    wrote();
    await Promise.all([first, second]);
    expect(await page()).toBe(2);
    expect(await mirror().kinds('r1')).toEqual(['discovered']);
  });

  it('invariant 7: is refused when the lease was lost meanwhile', async () => {
    const lease = await mirror().lease('pipeline-runs');
    const first = delay(200).then(() => mirror().sql('update pai.sync_leases set fence = fence + 1'));
    await expect(mirror().store.commit(lease, batch('r2', 2), first)).rejects.toThrow(/lease/);
    expect(await runs()).toEqual([]);
  });
});

it('waits no longer than it is told', async () => {
  await expect(inTurn(new Promise(() => {}), 10)).rejects.toBeInstanceOf(Overtaking);
  await expect(inTurn(Promise.resolve(), 10)).resolves.toBeUndefined();
  await expect(inTurn(Promise.reject(new Error('no')), 10)).rejects.toThrow('no');
});

it('complaint 8: does not hold the lock of quarantine while it waits, with items in it or not', async () => {
  const lease = await mirror().lease('pipeline-runs');
  const raw = { entity: 'pipeline_run', entityId: 'bad', parentId: null, raw: '{}', error: 'bad' };
  const rejected = [{ evidence: seen(0), items: [raw], operation: 'ListPipelineRuns' }];
  await mirror().commit({ ...batch('known', 1), rejected });
  const first = delay(300).then(() => mirror().store.commit(lease, { ...batch('r1', 2), rejected }));
  const second = mirror().store.commit(lease, { ...batch('known', 3), rejected }, first);
  // Other files have databases of their own on this server, and locks in them.
  const waits = `select 1 as one from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`;
  const waitsForLock = async () => (await mirror().sql(waits)).length > 0;
  let isOver = false;
  const both = Promise.all([first, second]).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    expect(await waitsForLock()).toBe(false);
    await delay(5);
  }
  await both;
  expect(await page()).toBe(3);
});
