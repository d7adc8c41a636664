/**
 * Items in quarantine that today's code can read: as an older version would have left them. Decoder, engine and database
 * are the real ones.
 */
import { describe, expect, test } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import { fingerprintOf, type QuarantineEntry } from '../../src/domain/quarantine.js';
import type { Stream } from '../../src/domain/streams.js';
import { decodeAgain } from '../../src/pai/decode/again.js';
import type { Lease } from '../../src/sync/ports.js';
import { type RetryOutcome, retryQuarantine } from '../../src/sync/retry-quarantine.js';
import { systemClock } from '../../src/util/clock.js';
import {
  at,
  experimentRun,
  Mirror,
  observed,
  pipelineRun,
  SCOPE,
  seen,
  treeNode,
  useMirror,
} from '../store/fixtures.js';

const mirror = useMirror();

interface Item {
  readonly operation: string;
  readonly entity: string;
  readonly entityId?: string | null;
  readonly parentId?: string;
  readonly raw: string;
}

const quarantine = (minutes: number, stream: Stream, ...items: Item[]) =>
  mirror().commit(
    {
      rejected: items.map(({ operation, ...item }) => ({
        evidence: seen(minutes),
        operation,
        items: [{ entityId: null, error: 'an older version could not read it', ...item }],
      })),
    },
    stream,
  );

async function retry(ids: string[] | null = null, busyWaitMs = 0, store = mirror().store) {
  const told: [string, RetryOutcome][] = [];
  await retryQuarantine(
    {
      store,
      decode: decodeAgain,
      clock: systemClock,
      onEntry: (entry: QuarantineEntry, outcome: RetryOutcome) => told.push([entry.entityId ?? entry.raw, outcome]),
    },
    { ids, busyWaitMs, signal: new AbortController().signal },
  );
  return told;
}

/** The mirror's own lease is held by the test: it has to let go before a retry can have it. */
async function release(...streams: Stream[]): Promise<void> {
  for (const stream of streams) await mirror().store.releaseLease(await mirror().lease(stream));
}

const entries = () => mirror().sql('select entity_id, resolution, error from pai.quarantine order by id');

const LISTED: Item = {
  operation: 'ListPipelineRuns',
  entity: 'pipeline_run',
  entityId: 'r1',
  raw: '{"PipelineRunId":"r1","Status":"Failed","UserId":1557702098194904123,"GmtModifiedTime":"2026-11-01T12:00:00Z"}',
};

/** One of every kind, and where its row is found. */
const GOOD: [Stream, Item, string][] = [
  [
    'pipeline-runs',
    LISTED,
    `select from pai.pipeline_runs where user_id = '1557702098194904123' and status = 'Failed'`,
  ],
  [
    'status',
    {
      ...LISTED,
      operation: 'ListPipelineRunsStatus',
      raw: '{"PipelineRunId":"r1","Status":"Running","IsDeleted":true}',
    },
    `select from pai.pipeline_runs where pipeline_run_id = 'r1' and deleted_at = '${at(1)}'`,
  ],
  [
    'nodes',
    {
      operation: 'ListPipelineRunsStatus',
      entity: 'node',
      entityId: 'r1/n1',
      parentId: 'r1',
      raw: '{"PipelineRunId":"r1","NodeId":"n1","Status":"Running"}',
    },
    `select from pai.pipeline_run_nodes where node_id = 'n1' and status = 'Running'`,
  ],
  [
    'nodes',
    {
      operation: 'ListPipelineRunsStatus',
      entity: 'node_output',
      entityId: 'r1/o1',
      parentId: 'r1',
      raw: '{"PipelineRunId":"r1","Id":"o1","Value":"{\\"a\\":1.50}"}',
    },
    `select from pai.node_outputs where id = 'o1' and value::text = '{"a": 1.50}'`,
  ],
  [
    'nodes',
    {
      operation: 'ListPipelineRunNodeStatus',
      entity: 'node',
      entityId: 'r1/n2/Physical',
      parentId: 'r1',
      raw: '{"NodeId":"n2","Status":"Failed"}',
    },
    `select from pai.pipeline_run_nodes where node_id = 'n2' and node_type = 'Physical' and missing_since is null`,
  ],
  [
    'details',
    {
      ...LISTED,
      operation: 'GetPipelineRun',
      parentId: 'r1',
      raw: '{"PipelineRunId":"r1","Manifest":"{}","Options":"5"}',
    },
    `select from pai.pipeline_run_details where manifest = '{}' and fetched_at = '${at(1)}'`,
  ],
  [
    'experiment-runs',
    { operation: 'ListRuns', entity: 'run', entityId: 'x2', raw: '{"RunId":"x2","Params":[{"Key":"k","Value":1.50}]}' },
    `select from pai.run_params where run_id = 'x2' and value = '1.50'`,
  ],
  ...(['param', 'label', 'metric'] as const).map((kind): [Stream, Item, string] => [
    'experiment-runs',
    { operation: 'ListRuns', entity: `run_${kind}`, parentId: 'x1', raw: '{"Key":"k","Value":"2","Step":7}' },
    `select from pai.run_${kind}s where run_id = 'x1' and key = 'k' and value::text = '2'`,
  ]),
];

describe('invariant 6: what an older version could not read is read again', () => {
  test.each(GOOD)('%s: %j', async (stream, item, row) => {
    await mirror().commit({ experimentRuns: observed(0, experimentRun('x1')) });
    await quarantine(1, stream, item);
    await release(stream);
    expect(await retry()).toEqual([[item.entityId ?? item.raw, 'retried']]);
    expect(await mirror().sql(row)).toHaveLength(1);
    expect(await entries()).toMatchObject([{ resolution: 'retried' }]);
    expect(await retry(), 'nothing is left').toEqual([]);
  });

  test.each([
    ['duration', '9223372036854775808', 60],
    ['extra', '{', null],
  ])('what the database refused before, as it was decoded: %s', async (field, refused, fixed) => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1', { [field]: refused })) });
    await release('pipeline-runs');
    expect(await retry(), 'refused once more').toEqual([['r1', 'bad']]);
    expect((await entries())[0]?.error).toMatch(/the database refused the item/);
    expect(await entries(), 'one entry, not two').toHaveLength(1);
    await mirror().sql('update pai.quarantine set raw = jsonb_set(raw::jsonb, array[$1], $2)::text', [
      field,
      JSON.stringify(fixed),
    ]);
    await mirror().sql(`update pai.quarantine set fingerprint = encode(sha256(raw::bytea), 'hex')`);
    expect(await retry()).toEqual([['r1', 'retried']]);
    expect(await mirror().run('r1')).toMatchObject({ name: 'name of r1' });
  });

  test('a run that is good now puts its bad members into quarantine, and they are not retried in the same go', async () => {
    const raw = '{"RunId":"x2","Labels":[{"Key":"good"},{"Key":"bad","Value":{}}]}';
    await quarantine(1, 'experiment-runs', { operation: 'ListRuns', entity: 'run', entityId: 'x2', raw });
    await release('experiment-runs');
    expect(await retry()).toEqual([['x2', 'retried']]);
    expect(await entries()).toMatchObject([
      { entity_id: 'x2', resolution: 'retried' },
      { entity_id: 'x2/bad', resolution: null },
    ]);
  });
});

describe('what is still bad stays', () => {
  test('with the error of today', async () => {
    await quarantine(
      1,
      'pipeline-runs',
      { ...LISTED, raw: '{"PipelineRunId":"r1","Name":[]}' },
      { ...LISTED, entityId: 'r2' },
    );
    await quarantine(1, 'nodes', { operation: 'ListPipelineRunNodeStatus', entity: 'node', parentId: 'r1', raw: '{}' });
    await quarantine(1, 'nodes', { operation: 'NoSuchOperation', entity: 'node', entityId: 'r1/n1', raw: '{' });
    await quarantine(1, 'nodes', { operation: 'ListPipelineRunsStatus', entity: 'node', entityId: 'r1/n1', raw: '{' });
    await release('pipeline-runs', 'nodes');
    expect((await retry()).map(([, outcome]) => outcome).sort()).toEqual(['bad', 'bad', 'bad', 'bad', 'retried']);
    expect((await entries()).map(({ error }) => error)).toEqual([
      'Name: found an array of 0, expected a text',
      'an older version could not read it',
      expect.stringMatching(/^entity_id: found null, expected an id that ends in the type of the node/),
      'this version knows no node of NoSuchOperation',
      expect.stringMatching(/^raw is not JSON/),
    ]);
  });

  test('a member whose run is not stored', async () => {
    await quarantine(1, 'experiment-runs', {
      operation: 'ListRuns',
      entity: 'run_param',
      parentId: 'x9',
      raw: '{"Key":"k"}',
    });
    await release('experiment-runs');
    expect(await retry()).toEqual([['{"Key":"k"}', 'bad']]);
    expect((await entries())[0]?.error).toBe('the run that the run_param belongs to is not stored');
  });
});

describe('invariant 4: a retry overwrites nothing newer', () => {
  test('a run that was stored from a later answer', async () => {
    await quarantine(1, 'pipeline-runs', LISTED);
    const later = pipelineRun('r1', { status: 'Succeeded', gmtModifiedTime: at(2) });
    await mirror().commit({ pipelineRuns: observed(2, later) }, 'reconcile');
    await mirror().sql('update pai.quarantine set resolved_at = null, resolution = null');
    await release('pipeline-runs');
    expect(await retry()).toEqual([['r1', 'superseded']]);
    expect(await mirror().run('r1')).toMatchObject({ status: 'Succeeded', name: 'name of r1' });
  });

  test('a param of a run that has changed since, but a new point is a new point', async () => {
    const item = (entity: string): Item => ({
      operation: 'ListRuns',
      entity,
      parentId: 'x1',
      raw: '{"Key":"k","Value":"2"}',
    });
    await quarantine(1, 'experiment-runs', item('run_param'), item('run_metric'));
    await mirror().commit({ experimentRuns: observed(2, experimentRun('x1', { name: 'renamed' })) });
    await release('experiment-runs');
    expect((await retry()).map(([, outcome]) => outcome)).toEqual(['superseded', 'retried']);
    expect(await mirror().sql('select from pai.run_params')).toEqual([]);
    expect(await mirror().sql('select from pai.run_metrics')).toHaveLength(1);
  });

  test('an entry that was replaced by a newer bad version while it was being decoded stays', async () => {
    await quarantine(1, 'pipeline-runs', LISTED);
    await release('pipeline-runs');
    const newer: WriteBatch = {
      rejected: [
        {
          evidence: seen(5),
          operation: LISTED.operation,
          items: [{ entity: 'pipeline_run', entityId: 'r1', raw: '{"newer":1}', error: 'worse' }],
        },
      ],
    };
    const [id] = await idOf();
    await mirror().commit(newer, 'reconcile');
    const lease = await mirror().store.acquireLease(SCOPE, 'pipeline-runs');
    const retried = { id: id as string, entity: 'pipeline_run', fingerprint: fingerprintOf(LISTED.raw), error: null };
    await mirror().store.commit(lease as Lease, { pipelineRuns: observed(1, pipelineRun('r1')), retried });
    expect(await entries()).toMatchObject([{ resolution: null, error: 'worse' }]);
  });
});

const idOf = async () =>
  (await mirror().sql<{ id: string }>('select id::text from pai.quarantine')).map(({ id }) => id);

describe('invariant 7: a retry is under the lease of its stream', () => {
  test('and waits for it, then gives up and says so', async () => {
    await quarantine(1, 'pipeline-runs', LISTED);
    const other = new Mirror(mirror().url);
    try {
      expect(await retry(null, 600, other.store)).toEqual([['r1', 'busy']]);
      expect(await entries()).toMatchObject([{ resolution: null }]);
      setTimeout(() => void release('pipeline-runs'), 300);
      expect(await retry(null, 60_000, other.store)).toEqual([['r1', 'retried']]);
    } finally {
      await other.close();
    }
    expect(await mirror().store.acquireLease(SCOPE, 'pipeline-runs'), 'it was given back').not.toBeNull();
  });

  test('only the entries that are named are tried', async () => {
    await quarantine(1, 'pipeline-runs', LISTED, { ...LISTED, entityId: 'r2', raw: '{"PipelineRunId":"r2"}' });
    await release('pipeline-runs');
    const [first] = await idOf();
    expect(await retry([first as string])).toEqual([['r1', 'retried']]);
    expect(await retry(['999999'])).toEqual([]);
  });

  test('more entries than are held in memory at once', async () => {
    const many = Array.from({ length: 45 }, (_, index) => ({
      ...LISTED,
      entityId: `r${index}`,
      raw: `{"PipelineRunId":"r${index}"}`,
    }));
    await quarantine(1, 'pipeline-runs', ...many);
    await release('pipeline-runs');
    const outcomes = await retry();
    expect(outcomes).toHaveLength(45);
    expect(new Set(outcomes.map(([, outcome]) => outcome))).toEqual(new Set(['retried']));
  });
});

test('a retried node leaves the other nodes of its run alone', async () => {
  const tree = {
    evidence: seen(0),
    pipelineRunId: 'r1',
    nodeType: 'Logical',
    nodes: [treeNode('r1', 'n1')],
    complete: true,
  };
  await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')), nodeTrees: [tree] });
  await quarantine(1, 'nodes', {
    operation: 'ListPipelineRunNodeStatus',
    entity: 'node',
    entityId: 'r1/n2/Logical',
    parentId: 'r1',
    raw: '{"NodeId":"n2"}',
  });
  await release('nodes');
  expect(await retry()).toEqual([['r1/n2/Logical', 'retried']]);
  const rows = await mirror().sql('select node_id, missing_since from pai.pipeline_run_nodes order by 1');
  expect(rows).toEqual([
    { node_id: 'n1', missing_since: null },
    { node_id: 'n2', missing_since: null },
  ]);
});

test('a retry is no pass: the next one of its stream need not keep a distance from it', async () => {
  await quarantine(1, 'reconcile', LISTED);
  await release('reconcile');
  expect(await retry()).toEqual([['r1', 'retried']]);
  expect(await mirror().store.acquireLease(SCOPE, 'reconcile', 3 * 3_600_000)).not.toBeNull();
});
