import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { noEffect } from '../../src/domain/batch.js';
import { LeaseLostError } from '../../src/domain/errors.js';
import { isDeadHolder, newHolder } from '../../src/store/holder.js';
import { at, Mirror, observed, pipelineRun, SCOPE, useMirror } from './fixtures.js';

const mirror = useMirror();
const others: Mirror[] = [];
afterEach(async () => {
  for (const other of others.splice(0)) await other.close();
});

function anotherReplica(options: ConstructorParameters<typeof Mirror>[1] = {}): Mirror {
  const other = new Mirror(mirror().url, options);
  others.push(other);
  return other;
}

const expire = () => mirror().sql(`update pai.sync_leases set expires_at = clock_timestamp() - interval '1 second'`);

describe('invariant 7: two replicas never run the same stream of a scope at once', () => {
  test('of twenty replicas that want the lease at the same moment one gets it', async () => {
    const replicas = Array.from({ length: 20 }, () => anotherReplica({ maxConnections: 1 }));
    const leases = await Promise.all(replicas.map(({ store }) => store.acquireLease(SCOPE, 'status')));
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
    await expire();
    const next = await Promise.all(replicas.map(({ store }) => store.acquireLease(SCOPE, 'status')));
    expect(next.filter((lease) => lease !== null)).toMatchObject([{ fence: '2' }]);
  });

  test('leases of other streams and scopes are independent', async () => {
    const { store } = mirror();
    expect(await store.acquireLease(SCOPE, 'status')).toMatchObject({ fence: '1' });
    expect(await store.acquireLease(SCOPE, 'status')).toBeNull();
    expect(await store.acquireLease(SCOPE, 'nodes')).toMatchObject({ fence: '1' });
    expect(await store.acquireLease({ ...SCOPE, workspaceId: '2' }, 'status')).toMatchObject({ fence: '1' });
  });

  test('a replica that lost its lease writes nothing, and learns it when it renews', async () => {
    const lease = await mirror().lease('pipeline-runs');
    await expire();
    const other = anotherReplica();
    expect(await other.lease('pipeline-runs')).toMatchObject({ fence: '2' });
    await expect(mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) })).rejects.toThrow(LeaseLostError);
    await expect(mirror().store.renewLease(lease)).rejects.toThrow(LeaseLostError);
    expect(await mirror().sql('select 1 from pai.pipeline_runs')).toEqual([]);
    // Its late release does not take the lease from the new owner.
    await mirror().store.releaseLease(lease);
    await other.commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
  });

  test('a lease that ran out is no right to write, even when nobody else took it', async () => {
    const lease = await mirror().lease('pipeline-runs');
    await expire();
    await expect(mirror().commit({ cursor: { watermark: at(0), state: {} } })).rejects.toThrow(LeaseLostError);
    await mirror().store.renewLease(lease);
    await mirror().commit({ cursor: { watermark: at(0), state: {} } });
  });

  test('whoever takes over waits for a commit that passed the fence', async () => {
    const lease = await mirror().lease('pipeline-runs');
    const blocker = await mirror().store.pool.connect();
    try {
      await blocker.query('begin');
      await blocker.query('lock table pai.pipeline_runs in access exclusive mode');
      const commit = mirror().store.commit(lease, { pipelineRuns: observed(0, pipelineRun('r1')) });
      const waiting = `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
      const waits = async (n: number) => expect.poll(async () => (await mirror().row(waiting)).n).toBe(n);
      await waits(1);
      const takeover = anotherReplica({ isDeadHolder: () => true }).store.acquireLease(SCOPE, 'pipeline-runs');
      await waits(2);
      await blocker.query('rollback');
      expect(await commit).toMatchObject({ inserted: 1 });
      expect(await takeover).toMatchObject({ fence: '2' });
    } finally {
      blocker.release();
    }
  });

  test('a released lease is free at once, and its fence goes on', async () => {
    const lease = await mirror().lease('status');
    await mirror().store.releaseLease(lease);
    await expect(mirror().store.renewLease(lease)).rejects.toThrow(LeaseLostError);
    expect(await anotherReplica().lease('status')).toMatchObject({ fence: '2' });
  });

  test('a commit extends a lease of which more than a third is used up', async () => {
    const left = async () =>
      (
        await mirror().row(
          `select extract(epoch from expires_at - clock_timestamp())::int as seconds from pai.sync_leases`,
        )
      ).seconds as number;
    await mirror().lease('pipeline-runs');
    await mirror().sql(`update pai.sync_leases set expires_at = clock_timestamp() + interval '10 seconds'`);
    await mirror().commit({});
    expect(await left()).toBeGreaterThan(20);
  });

  test('the lease of a process that was killed is taken over at once, that of a living one is not', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const own = newHolder();
    const machine = own.text.slice(0, own.text.indexOf(`/${process.pid}/`));
    own.end();
    await mirror().lease('status');
    await mirror().sql('update pai.sync_leases set holder = $1', [`${machine}/${child.pid}/some-uuid`]);
    const other = anotherReplica();
    expect(await other.store.acquireLease(SCOPE, 'status')).toBeNull();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await other.store.acquireLease(SCOPE, 'status')).toMatchObject({ fence: '2' });
  });
});

describe('passes a tick: with a spacing, a lease', () => {
  const age = (millis: number) =>
    mirror().sql(`update pai.sync_leases set acquired_at = acquired_at - $1 * interval '1 millisecond'`, [millis]);
  const acquire = (spacingMs: number) => anotherReplica().store.acquireLease(SCOPE, 'status', spacingMs);

  test('is not given again so soon after a pass that ran to its end, and is once that began long enough ago', async () => {
    await mirror().store.releaseLease(await mirror().lease('status'));
    expect(await acquire(60_000)).toBeNull();
    await age(59_000);
    expect(await acquire(60_000)).toBeNull();
    await age(1_000);
    expect(await acquire(60_000)).toMatchObject({ fence: '2' });
  });

  test('of which nobody asks for a distance is given at once', async () => {
    await mirror().store.releaseLease(await mirror().lease('status'));
    expect(await acquire(0)).toMatchObject({ fence: '2' });
  });

  test('is given at once after a pass that was broken off, one that ran out, and one whose holder died', async () => {
    await mirror().store.releaseLease(await mirror().lease('status'), false);
    expect(await acquire(60_000)).toMatchObject({ fence: '2' });
    expect(await acquire(60_000)).toBeNull();
    await expire();
    expect(await acquire(60_000)).toMatchObject({ fence: '3' });
    const dead = anotherReplica({ isDeadHolder: () => true });
    expect(await dead.store.acquireLease(SCOPE, 'status', 60_000)).toMatchObject({ fence: '4' });
  });

  test.each(['at the same moment', 'one after the other'])(
    'goes to one of twenty replicas that come %s',
    async (when) => {
      const replicas = Array.from({ length: 20 }, () => anotherReplica({ maxConnections: 1 }));
      const turn = async ({ store }: Mirror): Promise<boolean> => {
        const lease = await store.acquireLease(SCOPE, 'status', 30_000);
        if (lease !== null) await store.releaseLease(lease);
        return lease !== null;
      };
      const ran: boolean[] = [];
      if (when === 'at the same moment') ran.push(...(await Promise.all(replicas.map(turn))));
      else for (const replica of replicas) ran.push(await turn(replica));
      expect(ran.filter(Boolean)).toHaveLength(1);
    },
  );
});

describe('a holder', () => {
  const alive = () => true;
  const dead = () => false;

  test('of this process is alive until it ends', () => {
    const holder = newHolder();
    expect(isDeadHolder(holder.text)).toBe(false);
    holder.end();
    // Our pid with an unknown uuid: a process before us, in a container where every process is pid 1.
    expect(isDeadHolder(holder.text)).toBe(true);
  });

  test('of another machine or in an unknown form is never taken for dead', () => {
    const { text, end } = newHolder();
    end();
    const machine = text.slice(0, text.indexOf(`/${process.pid}/`));
    expect(isDeadHolder(`another-${hostname()}/999999/uuid`, dead)).toBe(false);
    expect(isDeadHolder('something else', dead)).toBe(false);
    expect(isDeadHolder(`${machine}/999999/uuid`, dead)).toBe(true);
    expect(isDeadHolder(`${machine}/999999/uuid`, alive)).toBe(false);
  });
});

describe('passes', () => {
  test('are one row each, with what they did', async () => {
    const lease = await mirror().lease('nodes');
    const id = await mirror().store.startPass(lease);
    const effect = { inserted: 1, updated: 2, unchanged: 3, stale: 4, quarantined: 5, tables: {} };
    await mirror().store.finishPass(id, { outcome: 'failed', calls: 6, rowsRead: 7, effect, error: 'why\u0000' });
    const row = await mirror().row('select *, finished_at >= started_at as ended from pai.sync_passes');
    expect(row).toMatchObject({
      stream: 'nodes',
      fence: '1',
      outcome: 'failed',
      calls: '6',
      rows_read: '7',
      error: 'why\\u0000',
      ended: true,
    });
    expect([row.inserted, row.updated, row.unchanged, row.stale, row.quarantined]).toEqual(['1', '2', '3', '4', '5']);
  });

  const passes = () =>
    mirror().sql(
      `select fence, outcome, calls, finished_at is null as open, finished_at, started_at from pai.sync_passes order by id`,
    );
  const done = { outcome: 'failed', calls: 6, rowsRead: 7, effect: noEffect(), error: 'lost the lease' };

  test('of a process that died are closed by the next owner of the lease, at the time when that lease ended', async () => {
    await mirror().store.startPass(await mirror().lease('nodes'));
    await mirror().sql(`update pai.sync_passes set started_at = started_at - interval '1 minute'`);
    await mirror().sql(`update pai.sync_leases set expires_at = clock_timestamp() - interval '10 seconds'`);
    const before = await mirror().row('select expires_at from pai.sync_leases');
    const other = anotherReplica();
    await other.store.startPass(await other.lease('nodes'));
    const [first, second] = await passes();
    expect(first).toMatchObject({ outcome: 'abandoned', finished_at: before.expires_at });
    expect(second).toMatchObject({ outcome: null, open: true });
  });

  test('invariant 7: of a replica that lost its lease do not overlap those of the next owner, however late it ends them', async () => {
    const lease = await mirror().lease('nodes');
    const id = await mirror().store.startPass(lease);
    await expire();
    const other = anotherReplica();
    const next = await other.lease('nodes');
    const [closed] = await passes();
    await other.store.startPass(next);
    await mirror().store.finishPass(id, done);
    const [first, second] = await passes();
    // What it did is worth knowing; when and how it ended has been told.
    expect(first).toMatchObject({ outcome: 'abandoned', calls: '6', finished_at: closed?.finished_at });
    expect(second?.open).toBe(true);
    await expect(mirror().store.startPass(lease)).rejects.toThrow(LeaseLostError);
    expect(await passes()).toHaveLength(2);
  });

  test('that are still open when another replica has the lease already end no later than that one took it', async () => {
    const id = await mirror().store.startPass(await mirror().lease('nodes'));
    const { acquired_at: taken } = await mirror().row(
      `update pai.sync_leases set fence = fence + 1, acquired_at = clock_timestamp() returning acquired_at`,
    );
    await mirror().store.finishPass(id, { ...done, outcome: 'succeeded' });
    expect(await passes()).toMatchObject([{ outcome: 'succeeded', finished_at: taken }]);
  });

  test('whose end could not be written down are closed by the next owner, too', async () => {
    await mirror().store.startPass(await mirror().lease('nodes'));
    await mirror().store.releaseLease(await mirror().lease('nodes'));
    await anotherReplica().lease('nodes');
    expect(await passes()).toMatchObject([{ outcome: 'abandoned', open: false }]);
  });

  test('are not begun under a lease that ran out', async () => {
    const lease = await mirror().lease('nodes');
    await expire();
    await expect(mirror().store.startPass(lease)).rejects.toThrow(LeaseLostError);
  });
});
