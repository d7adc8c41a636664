/**
 * What a full disk does to a statement: SQLSTATE 53100, raised by a trigger of a real server. (A disk that is really full
 * needs root to make; docs/decisions.md tells what one did.) A server that dies of it is in faults-restarts.
 */
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { differences } from '../support/compare.js';
import { startMirror, type TestMirror } from '../support/mirror.js';

const refuse = (mirror: TestMirror, table: string, sqlState: string, message: string) =>
  mirror.pool.query(`
    create function public.refuse() returns trigger language plpgsql as
      $$ begin raise exception using errcode = '${sqlState}', message = '${message}'; end $$;
    create trigger refuse before insert or update on ${table} for each row execute function public.refuse()`);
const allow = (mirror: TestMirror) => mirror.pool.query('drop function public.refuse() cascade');

const world = { workspaces: 1, history: 15, active: 5, experimentRuns: 5, seed: 12 };

describe("when the database's disk is full", () => {
  it('complaint 4: the pass fails with exactly that reason, writes nothing by halves, and moves no cursor; then it recovers', async () => {
    const mirror = await startMirror({ emulator: { ...world, clock: new SimulatedClock({ speed: 0 }) } });
    // The history comes last in a statement: everything before it must be undone.
    await refuse(mirror, 'pai.change_events', '53100', 'could not extend file "base/1/2": No space left on device');
    const reports = await mirror.sync();
    for (const { stream, outcome, error } of reports) {
      if (!['pipeline-runs', 'experiment-runs', 'reconcile'].includes(stream)) continue;
      expect(outcome, stream).toBe('failed');
      expect(error, stream).toMatch(
        /committing .*No space left on device \(53100\); the database's disk is full: nothing was written, make room there/,
      );
    }
    const { rows } = await mirror.pool.query(`
      select (select count(*) from pai.pipeline_runs)::int + (select count(*) from pai.runs)::int as rows,
        (select count(*) from pai.sync_cursors where watermark is not null and state = '{}')::int as complete,
        (select count(*) from pai.sync_passes where outcome = 'failed' and error like '%disk is full%')::int as failed,
        (select count(*) from pai.quarantine)::int as quarantined`);
    expect(rows[0]).toEqual({ rows: 0, complete: 0, failed: 3, quarantined: 0 });
    const streams = (await mirror.store.overview()).streams.filter(({ lastPass }) => lastPass?.outcome === 'failed');
    expect(streams.map(({ lastSuccessAt }) => lastSuccessAt)).toEqual([null, null, null]);

    await allow(mirror);
    expect((await mirror.sync()).map(({ outcome }) => outcome)).not.toContain('failed');
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
  });

  it('invariant 5: in the middle of what was mirrored before, the watermark waits for what could not be written', async () => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({ emulator: { ...world, clock } });
    await mirror.sync();
    const cursors = async () =>
      (await mirror.pool.query('select stream, watermark, state from pai.sync_cursors order by 1')).rows;
    const before = await cursors();
    clock.advance(600_000);
    mirror.emulator.world.tick();
    await refuse(mirror, 'pai.pipeline_runs', '53100', 'no room');
    await mirror.sync(['pipeline-runs']);
    expect(await cursors()).toEqual(before);
    await allow(mirror);
    await mirror.sync();
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
    expect(await cursors()).not.toEqual(before);
  });

  it.each([
    ['58030', /disk fails to read or write/],
    ['57P03', /starting, stopping or recovering/],
    ['XX002', /REINDEX/],
  ])('so it is with SQLSTATE %s: told, quarantined nowhere, and over by itself', async (sqlState, reason) => {
    const mirror = await startMirror({ emulator: { ...world, clock: new SimulatedClock({ speed: 0 }) } });
    await refuse(mirror, 'pai.pipeline_runs', sqlState, 'something odd');
    const [report] = await mirror.sync(['pipeline-runs']);
    expect(report).toMatchObject({ outcome: 'failed', error: expect.stringMatching(reason) });
    await allow(mirror);
    expect(await mirror.sync(['pipeline-runs'])).toMatchObject([{ outcome: 'succeeded' }]);
    const { rows } = await mirror.pool.query('select count(*)::int as n from pai.quarantine');
    expect(rows).toEqual([{ n: 0 }]);
  });
});
