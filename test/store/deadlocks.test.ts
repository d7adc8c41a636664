import { expect, test } from 'vitest';
import { at, Mirror, observed, pipelineRun, useMirror } from './fixtures.js';

const mirror = useMirror();
const IDS = Array.from({ length: 40 }, (_, index) => `r${index}`);

/** Counted by the server; a session reports what it has counted at its end at the latest. */
async function deadlocks(): Promise<number> {
  const { rows } = await mirror().store.pool.query<{ deadlocks: number }>(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  );
  return rows[0]?.deadlocks ?? 0;
}

test('complaint 8: replicas that write the same rows at once in opposite orders do not deadlock', async () => {
  await mirror().commit({ pipelineRuns: observed(0, ...IDS.map((id) => pipelineRun(id))) });
  const before = await deadlocks();
  const streams = ['pipeline-runs', 'status', 'details', 'reconcile'] as const;
  const replicas = streams.map(() => new Mirror(mirror().url));
  await mirror().store.releaseLease(await mirror().lease('pipeline-runs'));
  await Promise.all(
    replicas.map(async (replica, writer) => {
      const stream = streams[writer] as (typeof streams)[number];
      for (let turn = 1; turn <= 8; turn += 1) {
        const minutes = turn * streams.length + writer;
        const order = writer % 2 === 0 ? IDS : [...IDS].reverse();
        const runs = order.map((id) => pipelineRun(id, { gmtModifiedTime: at(minutes), name: `version ${minutes}` }));
        await replica.commit({ pipelineRuns: observed(minutes, ...runs) }, stream);
      }
    }),
  );
  for (const replica of replicas) await replica.close();
  expect(await deadlocks()).toBe(before);
});

test.each([
  ['of a deadlock', '40P01', 'deadlock detected'],
  // A month that moves out of the default partition changes that partition's bounds under a commit that waits for it.
  ['a partition of the history was made meanwhile', '23514', 'new row violates partition constraint'],
])('complaint 8: a commit that the server ends because %s is made again', async (_why, code, message) => {
  await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1'), pipelineRun('r2')) });
  // A sequence does not go back with its transaction, so that only the first try fails.
  await mirror().sql(`create sequence pai.tries;
    create function pai.fail_once() returns trigger language plpgsql as $$ begin
      if nextval('pai.tries') = 1 then raise exception '${message}' using errcode = '${code}'; end if;
      return new;
    end $$;
    create trigger fail_once before update on pai.pipeline_runs for each row execute function pai.fail_once()`);
  try {
    const renamed = observed(1, pipelineRun('r1', { name: 'new' }), pipelineRun('r2', { name: 'new' }));
    expect(await mirror().commit({ pipelineRuns: renamed })).toMatchObject({ updated: 2 });
    expect(await mirror().row(`select last_value::int as tries from pai.tries`)).toEqual({ tries: 3 });
    expect(await mirror().kinds('r1')).toEqual(['discovered', 'changed']);
  } finally {
    await mirror().sql('drop function pai.fail_once cascade; drop sequence pai.tries');
  }
});
