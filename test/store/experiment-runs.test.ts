import { describe, expect, test } from 'vitest';
import type { ExperimentRun } from '../../src/domain/entities.js';
import { at, experimentRun, observed, SCOPE, useMirror } from './fixtures.js';

const mirror = useMirror();

const list = (minutes: number, ...runs: ExperimentRun[]) =>
  mirror().commit({ experimentRuns: observed(minutes, ...runs) }, 'experiment-runs');
const param = (key: string, value: string | null) => ({ key, value });
const label = (key: string, value: string, modified = 0) => ({
  key,
  value,
  gmtCreateTime: at(-1),
  gmtModifiedTime: at(modified),
});
const metric = (key: string, step: string, value: string | null, minutes = 0) => ({
  key,
  step,
  timestamp: at(minutes),
  value,
});
const params = () => mirror().sql('select key, value, deleted_at is not null as gone from pai.run_params order by key');
const run = () => mirror().row('select * from pai.runs');

describe('an experiment run', () => {
  test('is stored with params, labels and metrics, and written again only when something differs', async () => {
    const whole = experimentRun('x1', {
      requestId: 'own',
      params: [param('lr', '0.1'), param('empty', ''), param('none', null)],
      labels: [label('env', 'prod')],
      metrics: [
        metric('loss', '9007199254740993', 'NaN'),
        metric('loss', '2', '1e-320'),
        metric('auc', '0', 'Infinity'),
        metric('no', '0', null),
      ],
      extra: '{"New": true}',
    });
    const first = await list(0, whole);
    expect(first.tables).toEqual({
      runs: { inserted: 1, updated: 0, unchanged: 0 },
      run_params: { inserted: 3, updated: 0, unchanged: 0 },
      run_labels: { inserted: 1, updated: 0, unchanged: 0 },
      run_metrics: { inserted: 4, updated: 0, unchanged: 0 },
    });
    expect(await list(1, whole)).toMatchObject({ inserted: 0, updated: 0, unchanged: 9 });
    expect(await run()).toMatchObject({
      request_id: 'own',
      answer_request_id: 'request-0',
      extra: { New: true },
      revision: '1',
    });
    expect(await params()).toEqual([
      { key: 'empty', value: '', gone: false },
      { key: 'lr', value: '0.1', gone: false },
      { key: 'none', value: null, gone: false },
    ]);
    expect(await mirror().sql('select key, step, value::text from pai.run_metrics order by key, step')).toEqual([
      { key: 'auc', step: '0', value: 'Infinity' },
      { key: 'loss', step: '2', value: '1e-320' },
      { key: 'loss', step: '9007199254740993', value: 'NaN' },
      { key: 'no', step: '0', value: null },
    ]);
    // The first params and labels are part of the discovery.
    expect(await mirror().kinds('x1')).toEqual(['discovered']);
  });

  test('follows a new version, and within one version clears nothing and keeps its own request id', async () => {
    await list(0, experimentRun('x1', { requestId: 'a', sourceId: 's' }));
    expect(await list(1, experimentRun('x1', { requestId: 'b', sourceId: null }))).toMatchObject({ unchanged: 1 });
    await list(2, experimentRun('x1', { requestId: 'c', sourceId: null, gmtModifiedTime: at(2) }));
    expect(await run()).toMatchObject({ request_id: 'c', source_id: null, revision: '2' });
  });

  test('records changed, added and removed params and labels as one event each, with old and new values', async () => {
    await list(0, experimentRun('x1', { params: [param('a', '1'), param('b', '2')], labels: [label('l', 'x')] }));
    await list(1, experimentRun('x1', { params: [param('b', '3'), param('c', '4')], labels: null }));
    expect(await params()).toEqual([
      { key: 'a', value: '1', gone: true },
      { key: 'b', value: '3', gone: false },
      { key: 'c', value: '4', gone: false },
    ]);
    await list(2, experimentRun('x1', { params: [param('a', '1'), param('b', '3'), param('c', '4')], labels: [] }));
    const events = await mirror().events('x1');
    expect(events.map((event) => event.changes)).toEqual([
      null,
      { 'params.a': ['1', null], 'params.b': ['2', '3'], 'params.c': [null, '4'] },
      { 'params.a': [null, '1'] },
      { 'labels.l': ['x', null] },
    ]);
    expect(events.map((event) => event.request_id)).toEqual(['request-0', 'request-1', 'request-2', 'request-2']);
  });

  test('whose children alone changed refuses an older answer about them all the same', async () => {
    await list(1, experimentRun('x1', { params: [param('a', '1')] }));
    await list(3, experimentRun('x1', { params: [param('a', '2')] }));
    expect(await run()).toMatchObject({ revision: '2', answer_request_id: 'request-3' });
    const older = await list(2, experimentRun('x1', { params: [param('a', '1')], metrics: [metric('m', '1', '1')] }));
    expect(older).toMatchObject({ stale: 1, inserted: 0, updated: 0 });
    expect(await params()).toEqual([{ key: 'a', value: '2', gone: false }]);
  });

  test('keeps all metric points ever seen and corrects their values', async () => {
    await list(0, experimentRun('x1', { metrics: [metric('loss', '1', '0.5'), metric('loss', '2', '0.4', 1)] }));
    await list(1, experimentRun('x1', { metrics: [metric('loss', '2', '0.3', 1), metric('loss', '3', '0.2', 2)] }));
    expect(await mirror().sql('select step, value from pai.run_metrics order by step')).toEqual([
      { step: '1', value: 0.5 },
      { step: '2', value: 0.3 },
      { step: '3', value: 0.2 },
    ]);
    expect(await mirror().kinds('x1')).toEqual(['discovered']);
  });

  test('that is missing is counted out, and back in when it is listed again', async () => {
    await list(0, experimentRun('x1'), experimentRun('x2'));
    await mirror().commit({ experimentRunsMissing: observed(1, 'x1', 'unknown') }, 'reconcile');
    expect(await mirror().store.countPresent(SCOPE, 'run')).toBe(1);
    await list(2, experimentRun('x1'));
    expect(await mirror().store.countPresent(SCOPE, 'run')).toBe(2);
    expect(await mirror().kinds('x1')).toEqual(['discovered', 'missing', 'restored']);
  });

  test('with more metric points than one statement takes is stored whole', async () => {
    const metrics = Array.from({ length: 12_001 }, (_, step) => metric('loss', String(step), '0.5'));
    expect((await list(0, experimentRun('x1', { metrics }))).tables.run_metrics).toEqual({
      inserted: 12_001,
      updated: 0,
      unchanged: 0,
    });
  });
});

test('all metric points of a run that one transaction has from two answers are kept', async () => {
  const shown = (step: string) =>
    experimentRun('twice', { metrics: [{ key: 'loss', step, timestamp: at(0), value: step }] });
  await mirror().commit(
    { experimentRuns: [...observed(0, shown('1')), ...observed(1, shown('2'))] },
    'experiment-runs',
  );
  expect(await mirror().sql(`select step::text from pai.run_metrics where run_id = 'twice' order by 1`)).toEqual([
    { step: '1' },
    { step: '2' },
  ]);
});
