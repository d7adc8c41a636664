import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import { PendingObservations, RecentObservations } from '../../src/store/commit/recent.js';
import {
  at,
  experimentRun,
  noDocument,
  observed,
  pipelineRun,
  runStatus,
  seen,
  treeNode,
  useMirror,
} from './fixtures.js';

const mirror = useMirror();

/** Random, but the same again with TEST_SEED (a failure prints it); TEST_RUNS makes it longer. */
const parameters = (numRuns: number) => ({
  numRuns: Number(process.env.TEST_RUNS ?? numRuns),
  ...(process.env.TEST_SEED ? { seed: Number(process.env.TEST_SEED) } : {}),
});

/** The source in one span of ten minutes. Two spans in a row may be the same: then an observation finds nothing new. */
interface Span {
  readonly status: string;
  readonly exists: boolean;
  /** False: the status moved in silence, GmtModifiedTime and all other fields stayed. */
  readonly touched: boolean;
}

const span: fc.Arbitrary<Span> = fc.record({
  status: fc.constantFrom('Running', 'Suspended', 'Failed'),
  exists: fc.boolean(),
  touched: fc.boolean(),
});

type Kind = 'list' | 'poll' | 'details';
interface Observation {
  readonly minute: number;
  readonly kind: Kind;
}

const SPANS = 6;
const observations = fc.uniqueArray(
  fc.record({
    minute: fc.integer({ min: 0, max: SPANS * 10 - 1 }),
    kind: fc.constantFrom<Kind>('list', 'poll', 'details'),
  }),
  { minLength: 2, maxLength: 9, selector: ({ minute }) => minute },
);

/** The same observations in the order of the questions, and in the order in which the answers arrive. */
const schedules = fc
  .record({ spans: fc.array(span, { minLength: SPANS, maxLength: SPANS }), asked: observations })
  .chain(({ spans, asked }) =>
    fc.record({
      spans: fc.constant(spans),
      asked: fc.constant([...asked].sort((a, b) => a.minute - b.minute)),
      arrived: fc.shuffledSubarray(asked, { minLength: asked.length, maxLength: asked.length }),
    }),
  );

const runAt = (id: string, spans: readonly Span[], index: number) => {
  const version = spans.findLastIndex((one, at) => one.touched && at <= index);
  return pipelineRun(id, {
    status: spans[index]?.status ?? 'Initialized',
    name: `version ${version}`,
    duration: String(version + 1),
    gmtModifiedTime: at(version * 10),
  });
};

function pipelineRunBatch(id: string, spans: readonly Span[], { minute, kind }: Observation): WriteBatch {
  const index = Math.floor(minute / 10);
  const run = runAt(id, spans, index);
  const exists = spans[index]?.exists ?? true;
  if (kind === 'list')
    return exists ? { pipelineRuns: observed(minute, run) } : { pipelineRunsMissing: observed(minute, id) };
  if (kind === 'poll')
    return { pipelineRunStatuses: observed(minute, runStatus(id, { status: run.status, isDeleted: !exists })) };
  if (!exists) return { pipelineRunsDeleted: observed(minute, id) };
  const details = {
    run,
    manifest: { json: `{"version": ${index}}`, raw: null },
    arguments: noDocument,
    options: noDocument,
  };
  return { pipelineRunDetails: observed(minute, details) };
}

let serial = 0;

/** The fields on which the answers are an authority. Of a run that is gone nobody knows what it would say now. */
async function pipelineRunAfter(spans: readonly Span[], arrivals: readonly Observation[]): Promise<object> {
  const id = `run-${++serial}`;
  await mirror().commit({ pipelineRuns: observed(-1, runAt(id, spans, -1)) });
  for (const one of arrivals) await mirror().commit(pipelineRunBatch(id, spans, one));
  await checkChain(id);
  return mirror().row(
    `select case when present then r.status end as status, r.name, r.duration, r.gmt_modified_time, present, d.manifest
     from pai.pipeline_runs r left join pai.pipeline_run_details d using (pipeline_run_id)
     cross join lateral (select r.deleted_at is null and r.missing_since is null as present) p where pipeline_run_id = $1`,
    [id],
  );
}

/** Every event begins with the status that the one before ended with, and a run is only restored after it was gone. */
async function checkChain(id: string): Promise<void> {
  const events = await mirror().events(id);
  let isGone = false;
  for (const [index, event] of events.entries()) {
    expect(event.from_status).toEqual(events[index - 1]?.to_status ?? null);
    if (event.kind === 'restored') expect(isGone).toBe(true);
    if (event.kind !== 'changed') isGone = event.kind === 'missing' || event.kind === 'deleted';
  }
}

describe('invariant 4: an older observation never overwrites a newer one', () => {
  test('invariant 4, complaint 15: lists, polls, details and absences end in the same row in whatever order they arrive, also where some found nothing new', async () => {
    await fc.assert(
      fc.asyncProperty(schedules, async ({ spans, asked, arrived }) => {
        expect(await pipelineRunAfter(spans, arrived)).toEqual(await pipelineRunAfter(spans, asked));
      }),
      parameters(20),
    );
  });

  test('invariant 4: experiment runs with params, and their absences, in whatever order the lists arrive', async () => {
    const rowAfter = async (spans: readonly Span[], arrivals: readonly Observation[]) => {
      const id = `x-${++serial}`;
      const runOf = (index: number) => {
        const version = spans.findLastIndex((one, at) => one.touched && at <= index);
        const value = spans[index]?.status ?? 'first';
        // A param comes and goes, and its value moves without GmtModifiedTime.
        const params = value === 'Failed' ? [] : [{ key: 'p', value }];
        return experimentRun(id, { name: `version ${version}`, gmtModifiedTime: at(version * 10), params });
      };
      await mirror().commit({ experimentRuns: observed(-1, runOf(-1)) }, 'experiment-runs');
      for (const { minute } of arrivals) {
        const index = Math.floor(minute / 10);
        const batch = spans[index]?.exists
          ? { experimentRuns: observed(minute, runOf(index)) }
          : { experimentRunsMissing: observed(minute, id) };
        await mirror().commit(batch, 'reconcile');
      }
      return mirror().row(
        `select name, gmt_modified_time, missing_since is null as present,
           (select json_agg(p.value) from pai.run_params p
              where p.run_id = r.run_id and p.deleted_at is null and r.missing_since is null) as params
         from pai.runs r where run_id = $1`,
        [id],
      );
    };
    await fc.assert(
      fc.asyncProperty(schedules, async ({ spans, asked, arrived }) => {
        expect(await rowAfter(spans, arrived)).toEqual(await rowAfter(spans, asked));
      }),
      parameters(12),
    );
  });

  test('invariant 4: a poll that was asked before a list which found nothing new, but after the last change, is refused', async () => {
    const poll = (minute: number, status: string) =>
      mirror().commit({ pipelineRunStatuses: observed(minute, runStatus('r1', { status })) }, 'status');
    await mirror().commit({ pipelineRuns: observed(1, pipelineRun('r1', { status: 'Suspended' })) });
    await mirror().commit({ pipelineRuns: observed(3, pipelineRun('r1')) });
    expect(await mirror().commit({ pipelineRuns: observed(5, pipelineRun('r1')) })).toMatchObject({ unchanged: 1 });
    expect(await poll(4, 'Suspended')).toMatchObject({ stale: 1, updated: 0 });
    expect(await poll(6, 'Suspended')).toMatchObject({ updated: 1 });
  });

  test('a newer version is taken from a list that was asked for earlier, but for what a later poll knows better', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    await mirror().commit(
      { pipelineRunStatuses: observed(5, runStatus('r1', { isDeleted: true, status: 'Failed' })) },
      'status',
    );
    const late = pipelineRun('r1', { gmtModifiedTime: at(4), name: 'new', status: 'Terminating' });
    await mirror().commit({ pipelineRuns: observed(4, late) });
    expect(await mirror().run('r1')).toMatchObject({
      name: 'new',
      status: 'Failed',
      deleted_at: new Date(at(5)),
      observed_at: new Date(at(5)),
    });
    const event = (
      await mirror().sql('select observed_at, request_id from pai.change_events order by event_id desc limit 1')
    )[0];
    expect(event).toEqual({ observed_at: new Date(at(4)), request_id: 'request-4' });
  });

  test('a tree of which a node was refused counts as not fetched: no poll tells what is in it', async () => {
    const tree = (minutes: number, info: string) => ({
      nodeTrees: [
        {
          evidence: seen(minutes),
          pipelineRunId: 'r1',
          nodeType: 'Logical',
          nodes: [treeNode('r1', 'n1', { runtimeInfo: { json: info, raw: null } })],
          complete: true,
        },
      ],
      nodesFetched: [{ pipelineRunId: 'r1', revision: '1' }],
    });
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    await mirror().commit({ nodeTrees: tree(3, '{}').nodeTrees }, 'nodes');
    await mirror().commit(tree(2, '{"old": true}'), 'nodes');
    expect(await mirror().run('r1')).toMatchObject({ nodes_revision: '0' });
    await mirror().commit(tree(4, '{}'), 'nodes');
    expect(await mirror().run('r1')).toMatchObject({ nodes_revision: '1' });
  });
});

describe('invariant 9: what a process remembers of rows', () => {
  test('is bounded: the rows that were seen longest ago are forgotten first', () => {
    const recent = new RecentObservations(2);
    for (const [minute, key] of ['a', 'b', 'c', 'a', 'd'].entries()) recent.note(key, at(minute));
    expect(['a', 'b', 'c', 'd'].map((key) => recent.seenAt(key))).toEqual([at(3), null, at(2), at(4)]);
    recent.note('d', at(1));
    expect(recent.seenAt('d')).toBe(at(4));
  });

  test('counts only once the transaction has committed', () => {
    const recent = new RecentObservations();
    const pending = new PendingObservations(recent);
    pending.unchanged('runs', 'x', at(1));
    expect(pending.seenAt('runs', 'x')).toBeNull();
    pending.committed();
    expect(pending.seenAt('runs', 'x')).toBe(at(1));
    expect(pending.seenAt('pipeline_runs', 'x')).toBeNull();
  });
});
