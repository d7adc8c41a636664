/** Many new rows at once are copied, few are merged: it must make no difference. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Observed, WriteBatch } from '../../src/domain/batch.js';
import type { ExperimentRun, PipelineRun } from '../../src/domain/entities.js';
import { chunk } from '../../src/util/chunk.js';
import { createDatabase } from '../support/database.js';
import { at, DATA_TABLES, experimentRun, Mirror, observed, pipelineRun, treeNode, useMirror } from './fixtures.js';

const mirror = useMirror();
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);

/** More than twice what has to be new for COPY: the second batch goes another way than the first. */
const MANY = 60;
const FEW = 20;

/** What COPY, arrays and JSON take for their own, and what they make of nothing. */
const text = fc.constantFrom(
  null,
  '',
  'plain',
  '\\N',
  '\\.',
  'a\tb',
  'a\nb',
  '\r\n',
  'back\\slash',
  '"quoted"',
  "it's",
  '{a,b}',
  'NULL',
  ',',
  'é漢😀',
  '\u0001\u007f',
);
const instant = fc.constantFrom(null, at(-100), at(-5), at(3));
const json = fc.constantFrom(null, '{"a": "b\\nc\\\\d\\te", "n": 12345678901234567890}', '{}');

const runFields = fc.record({
  name: text,
  status: text,
  userId: text,
  message: text,
  sourceId: text,
  nodeId: text,
  pipelineRunUri: text,
  startedAt: instant,
  finishedAt: instant,
  gmtCreateTime: instant,
  gmtModifiedTime: instant,
  duration: fc.constantFrom(null, '0', '-1', '9223372036854775807'),
  extra: json,
});
const document = fc.constantFrom(
  { json: null, raw: null },
  { json: '[1, "\\\\"]', raw: null },
  { json: null, raw: 'no\\json\t' },
);
const nodeFields = fc.record({
  nodeName: text,
  status: text,
  startedAt: instant,
  finishedAt: instant,
  runtimeInfo: document,
  extra: json,
});
const points = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom('loss', 'a\tb', '\\N', ''),
    step: fc.constantFrom('0', '-1', '7'),
    timestamp: fc.constantFrom(at(0), at(1)),
    value: fc.constantFrom('NaN', '-0', '1.5e-300'),
  }),
  { selector: ({ key, step, timestamp }) => JSON.stringify([key, step, timestamp]), maxLength: 4 },
);
const experimentFields = fc.record({ name: text, extra: json, gmtModifiedTime: instant, metrics: points });

const paged = <T>(items: readonly T[], perPage: number): Observed<T>[] =>
  chunk(items, perPage).flatMap((page, number) => observed(number, ...page));

/** Every row of every table but for when it was written. */
async function contents(of: Mirror): Promise<Record<string, unknown[]>> {
  const tables = DATA_TABLES.map(async (table): Promise<[string, unknown[]]> => {
    const rows = await of.sql<{ row: string }>(
      `select (to_jsonb(t) - array['first_seen_at', 'updated_at', 'event_id'])::text as row from pai.${table} t order by 1`,
    );
    return [table, rows.map(({ row }) => row)];
  });
  return Object.fromEntries(await Promise.all(tables));
}

/** One row is enough to see: to print all of them takes minutes. */
function firstDifference(copied: Record<string, unknown[]>, merged: Record<string, unknown[]>): unknown {
  for (const [table, rows] of Object.entries(merged)) {
    const other = copied[table] ?? [];
    for (let index = 0; index < Math.max(rows.length, other.length); index += 1)
      if (rows[index] !== other[index]) return { table, copied: other[index], merged: rows[index] };
  }
  return null;
}

async function written(batches: readonly WriteBatch[]): Promise<Record<string, unknown[]>> {
  const own = new Mirror((await createDatabase()).url);
  for (const batch of batches) await own.commit(batch);
  const found = await contents(own);
  await own.close();
  return found;
}

test(`invariant 10: rows that are copied are those that merging makes, whatever is in them (TEST_SEED=${SEED})`, async () => {
  const world = fc.record({
    runs: fc.array(runFields, { minLength: 2 * MANY, maxLength: 2 * MANY }),
    nodes: fc.array(nodeFields, { minLength: 2 * MANY, maxLength: 2 * MANY }),
    experiments: fc.array(experimentFields, { minLength: 2 * MANY, maxLength: 2 * MANY }),
  });
  const property = fc.asyncProperty(world, async ({ runs, nodes, experiments }) => {
    const all: [PipelineRun, ReturnType<typeof treeNode>, ExperimentRun][] = runs.map((fields, index) => [
      pipelineRun(`r${index}`, fields),
      treeNode(`r${index}`, `n\\${index}`, nodes[index]),
      experimentRun(`e${index}`, experiments[index]),
    ]);
    const batches = (size: number): WriteBatch[] =>
      chunk(all, size).map((some, number) => ({
        pipelineRuns: paged(
          some.map(([run]) => run),
          FEW,
        ).map((page) => ({ ...page, evidence: evidenceOf(number, size, page) })),
        nodeTrees: some.map(([, node]) => ({
          evidence: observed(0)[0]?.evidence as Observed<never>['evidence'],
          pipelineRunId: node.pipelineRunId,
          nodeType: node.nodeType,
          nodes: [node],
          complete: true,
        })),
        experimentRuns: observed(0, ...some.map(([, , run]) => run)),
      }));
    expect(firstDifference(await written(batches(MANY)), await written(batches(FEW)))).toBeNull();
  });
  await fc.assert(property, { numRuns: Number(process.env.TEST_COPIES ?? 4), seed: SEED, endOnFailure: true });
});

/** Pages of FEW have the same answer in both worlds. */
const evidenceOf = (batch: number, size: number, page: Observed<PipelineRun>): Observed<PipelineRun>['evidence'] => {
  const minutes = Math.round((Date.parse(page.evidence.observedAt) - Date.parse(at(0))) / 60_000);
  return observed((batch * size) / FEW + minutes)[0]?.evidence as Observed<PipelineRun>['evidence'];
};

test('complaint 8: replicas that bring the same new rows at once make each of them once, with one discovery', async () => {
  const replicas = Array.from({ length: 3 }, () => new Mirror(mirror().url));
  const streams = ['pipeline-runs', 'status', 'reconcile'] as const;
  const ids = Array.from({ length: 600 }, (_, index) => `r${(index * 7919) % 600}`);
  const effects = await Promise.all(
    replicas.map(async (replica, number) => {
      const order = number === 1 ? [...ids].reverse() : ids;
      let inserted = 0;
      for (const some of chunk(order, 200)) {
        const batch = { pipelineRuns: observed(number, ...some.map((id) => pipelineRun(id))) };
        inserted += (await replica.commit(batch, streams[number] as (typeof streams)[number])).inserted;
      }
      return inserted;
    }),
  );
  for (const replica of replicas) await replica.close();
  expect(effects.reduce((sum, inserted) => sum + inserted, 0)).toBe(600);
  expect(await mirror().row('select count(*)::int as rows from pai.pipeline_runs')).toEqual({ rows: 600 });
  expect(
    await mirror().row(
      `select count(*)::int as events, count(distinct entity_id)::int as entities, count(*) filter (where kind = 'discovered')::int as discoveries from pai.change_events`,
    ),
  ).toEqual({ events: 600, entities: 600, discoveries: 600 });
});

test('invariant 6: one row that the database refuses goes to quarantine, and all others of its batch are copied', async () => {
  const runs = (from: number) => Array.from({ length: MANY }, (_, index) => pipelineRun(`r${from + index}`));
  for (const batch of [0, MANY]) {
    const some = runs(batch);
    some[7] = pipelineRun(`bad${batch}`, { duration: '9223372036854775808' });
    const effect = await mirror().commit({ pipelineRuns: observed(batch, ...some) });
    expect(effect).toMatchObject({ inserted: MANY - 1, quarantined: 1 });
  }
  expect(await mirror().row('select count(*)::int as runs from pai.pipeline_runs')).toEqual({ runs: 2 * MANY - 2 });
  expect(await mirror().row('select count(*)::int as events from pai.change_events')).toEqual({ events: 2 * MANY - 2 });
});

test('rows that another transaction is inserting at this moment are merged once it has committed', async () => {
  const ids = Array.from({ length: MANY }, (_, index) => `r${index}`);
  const other = await mirror().store.pool.connect();
  let committing: Promise<unknown>;
  try {
    await other.query('begin');
    await other.query(`insert into pai.pipeline_runs (pipeline_run_id, region, scope, first_seen_at, updated_at, observed_at, revision)
      values ('r30', 'cn-shanghai', 'cn-shanghai:15945', now(), now(), '${at(-50)}', 1)`);
    committing = mirror().commit({ pipelineRuns: observed(0, ...ids.map((id) => pipelineRun(id))) });
    await expect.poll(() => mirror().sql(WAITING_COPIES), { timeout: 10_000 }).toHaveLength(1);
    await other.query('commit');
  } finally {
    other.release(true);
  }
  expect(await committing).toMatchObject({ inserted: MANY - 1, updated: 1 });
  expect(await mirror().run('r30')).toMatchObject({ name: 'name of r30', revision: '2' });
  expect(await mirror().kinds('r30')).toEqual(['changed']);
});

const WAITING_COPIES = `select pid from pg_stat_activity
  where datname = current_database() and wait_event = 'transactionid' and query like 'copy%'`;
