import { expect, test } from 'vitest';
import { joinBatches, type StatusBatch, transactionsFor } from '../../src/sync/join-batches.js';
import { pipelineRun, seen } from '../store/fixtures.js';

const evidence = seen(0);
const missing = (...items: string[]) => ({ evidence, items });
const clean = (id: string): StatusBatch => ({
  pipelineRunsMissing: [missing(id)],
  rejected: [{ evidence, operation: 'ListPipelineRunsStatus', items: [] }],
});
const unreadable = { entity: 'node', entityId: null, parentId: null, raw: '{}', error: 'no id' };
const bad = (id: string): StatusBatch => ({
  ...clean(id),
  rejected: [{ evidence, operation: 'ListPipelineRunsStatus', items: [unreadable] }],
});

const idsOf = (batch: StatusBatch): string => (batch.pipelineRunsMissing ?? []).flatMap(({ items }) => items).join(' ');

test('answers share a transaction, but for those with an item that nobody could read', () => {
  const batches = [clean('1'), clean('2'), bad('3'), clean('4'), bad('5'), bad('6'), clean('7'), clean('8')];
  expect(transactionsFor(batches).map(idsOf)).toEqual(['1 2', '3', '4', '5', '6', '7 8']);
  expect(transactionsFor([])).toEqual([]);
});

test('nothing of a batch is lost or mixed up when it is joined with others', () => {
  const first: StatusBatch = { ...bad('1'), failures: [{ entityId: '9', error: 'no answer' }] };
  const second: StatusBatch = {
    nodesPolled: [{ evidence: seen(1), items: [{ pipelineRunId: '2', nodeId: 'n' }] }],
    nodeStatuses: [{ evidence: seen(1), items: [] }],
  };
  expect(joinBatches([first, second])).toEqual({
    pipelineRunsMissing: [missing('1')],
    nodeStatuses: [{ evidence: seen(1), items: [] }],
    nodesPolled: [{ evidence: seen(1), items: [{ pipelineRunId: '2', nodeId: 'n' }] }],
    rejected: first.rejected,
    failures: [{ entityId: '9', error: 'no answer' }],
  });
});

test('the cursor of the last batch that has one is that of all, and no batch is changed by being joined', () => {
  const page = (number: number, id: string) => ({
    pipelineRuns: [{ evidence: seen(number), items: [pipelineRun(id)] }],
    cursor: { watermark: null, state: { page: number } },
  });
  const [first, second] = [page(1, 'r1'), page(2, 'r2')];
  const joined = joinBatches([first, second, { rejected: [] }]);
  expect(joined.cursor?.state).toEqual({ page: 2 });
  expect(joined.pipelineRuns?.map(({ items }) => items[0]?.pipelineRunId)).toEqual(['r1', 'r2']);
  expect(first).toEqual(page(1, 'r1'));
});
