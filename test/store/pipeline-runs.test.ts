import { describe, expect, test } from 'vitest';
import type { JsonDocument } from '../../src/domain/entities.js';
import { at, noDocument, observed, pipelineRun, runStatus, SCOPE, SCOPE_NAME, useMirror } from './fixtures.js';

const mirror = useMirror();
const instant = (value: unknown): string => (value as Date).toISOString();
const document = (json: string | null): JsonDocument => ({ json, raw: null });

describe('a listed run', () => {
  test('is stored with every field, exact', async () => {
    const effect = await mirror().commit({
      pipelineRuns: observed(
        0,
        pipelineRun('r1', {
          name: ' a\nname ',
          duration: '9223372036854775807',
          startedAt: '2026-11-01T11:50:00.123456Z',
          finishedAt: at(1),
          message: '失败 "\\ {,}',
          sourceId: 's',
          pipelineRunUri: 'uri',
          extra: '{"Priority": 12345678901234567890}',
        }),
      ),
    });
    expect(effect).toMatchObject({ inserted: 1, updated: 0, unchanged: 0, stale: 0, quarantined: 0 });
    expect(effect.tables).toEqual({ pipeline_runs: { inserted: 1, updated: 0, unchanged: 0 } });
    const row = await mirror().row(
      `select *, started_at::text, extra::text, node_id, first_seen_at = updated_at as same from pai.pipeline_runs`,
    );
    expect(row).toMatchObject({
      pipeline_run_id: 'r1',
      name: ' a\nname ',
      status: 'Running',
      user_id: '1557702098194904123',
      parent_user_id: '1234567890123456',
      started_at: '2026-11-01 11:50:00.123456+00',
      node_id: 'root-r1',
      duration: '9223372036854775807',
      workspace_id: '15945',
      message: '失败 "\\ {,}',
      source_type: 'UNKNOWN',
      source_id: 's',
      pipeline_id: 'pipeline-1',
      accessibility: 'PRIVATE',
      pipeline_run_uri: 'uri',
      region: 'cn-shanghai',
      scope: SCOPE_NAME,
      answer_request_id: 'request-0',
      revision: '1',
      deleted_at: null,
      missing_since: null,
      extra: '{"Priority": 12345678901234567890}',
      same: true,
    });
    expect([row.finished_at, row.gmt_create_time, row.gmt_modified_time, row.observed_at].map(instant)).toEqual(
      [1, -20, -10, 0].map((minutes) => instant(new Date(at(minutes)))),
    );
  });

  test('that did not change is not written', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1'), pipelineRun('r2')) });
    const before = await mirror().sql('select xmin::text, * from pai.pipeline_runs order by 2');
    const effect = await mirror().commit({ pipelineRuns: observed(5, pipelineRun('r2'), pipelineRun('r1')) });
    expect(effect).toMatchObject({ inserted: 0, updated: 0, unchanged: 2, stale: 0 });
    expect(await mirror().sql('select xmin::text, * from pai.pipeline_runs order by 2')).toEqual(before);
    expect(await mirror().kinds('r1')).toEqual(['discovered']);
  });

  test('replaces every column when it is a new version, but keeps a URI that the answer leaves out', async () => {
    await mirror().commit({
      pipelineRuns: observed(0, pipelineRun('r1', { message: 'hm', pipelineRunUri: 'uri', extra: '{"A": 1}' })),
    });
    await mirror().commit({ pipelineRuns: observed(1, pipelineRun('r1', { gmtModifiedTime: at(0) })) });
    expect(await mirror().run('r1')).toMatchObject({
      message: null,
      pipeline_run_uri: 'uri',
      extra: null,
      revision: '2',
    });
  });

  test('clears nothing within one version', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1', { message: 'hm', extra: '{"A": 1}' })) });
    const effect = await mirror().commit({ pipelineRuns: observed(1, pipelineRun('r1', { nodeId: '', name: null })) });
    expect(effect.unchanged).toBe(1);
    await mirror().commit({ pipelineRuns: observed(2, pipelineRun('r1', { sourceId: 'now known' })) });
    expect(await mirror().run('r1')).toMatchObject({
      message: 'hm',
      extra: { A: 1 },
      node_id: 'root-r1',
      name: 'name of r1',
      source_id: 'now known',
      revision: '2',
    });
  });

  test('is refused when a newer observation or a newer version is stored', async () => {
    await mirror().commit({
      pipelineRuns: observed(5, pipelineRun('r1', { gmtModifiedTime: at(4), status: 'Succeeded' })),
    });
    const older = await mirror().commit({ pipelineRuns: observed(3, pipelineRun('r1', { gmtModifiedTime: at(4) })) });
    const laterButOlderVersion = await mirror().commit({
      pipelineRuns: observed(6, pipelineRun('r1', { gmtModifiedTime: at(3) })),
    });
    expect([older.stale, laterButOlderVersion.stale]).toEqual([1, 1]);
    expect(await mirror().run('r1')).toMatchObject({ status: 'Succeeded', revision: '1' });
  });

  test('dated into the future by the source is mended by the next answer that is not', async () => {
    await mirror().commit({
      pipelineRuns: observed(0, pipelineRun('r1', { gmtModifiedTime: '2999-01-01T00:00:00.000000Z' })),
    });
    const mended = pipelineRun('r1', { gmtModifiedTime: at(1), name: 'mended' });
    expect(await mirror().commit({ pipelineRuns: observed(2, mended) })).toMatchObject({ updated: 1, stale: 0 });
    expect(await mirror().run('r1')).toMatchObject({ name: 'mended', revision: '2' });
  });

  test('given several times in one batch counts once, as its newest', async () => {
    const effect = await mirror().commit({
      pipelineRuns: [
        ...observed(2, pipelineRun('r1', { status: 'Failed' })),
        ...observed(1, pipelineRun('r1', { status: 'Succeeded' })),
        ...observed(2, pipelineRun('r1', { status: 'Terminated' })),
      ],
    });
    expect(effect).toMatchObject({ inserted: 1, updated: 0 });
    expect((await mirror().run('r1')).status).toBe('Terminated');
  });

  test('comes back from a tombstone and from being missing', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1'), pipelineRun('r2')) });
    await mirror().commit({
      pipelineRunsMissing: observed(1, 'r1', 'r2', 'unknown'),
      pipelineRunsDeleted: observed(2, 'r2'),
    });
    await mirror().commit({ pipelineRuns: observed(3, pipelineRun('r1'), pipelineRun('r2')) });
    for (const id of ['r1', 'r2']) {
      expect(await mirror().run(id)).toMatchObject({ deleted_at: null, missing_since: null });
    }
    expect(await mirror().kinds('r1')).toEqual(['discovered', 'missing', 'restored']);
    expect(await mirror().kinds('r2')).toEqual(['discovered', 'missing', 'deleted', 'restored']);
    expect(await mirror().sql('select 1 from pai.pipeline_runs')).toHaveLength(2);
  });
});

describe('a polled run', () => {
  test('changes status and root node only, fills gaps, and ignores extra', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1', { nodeId: '', sourceId: null })) });
    await mirror().commit(
      {
        pipelineRunStatuses: observed(
          1,
          runStatus('r1', { status: 'Succeeded', name: 'another', sourceId: 's', nodeId: 'root', extra: '{"B": 1}' }),
        ),
      },
      'status',
    );
    expect(await mirror().run('r1')).toMatchObject({
      status: 'Succeeded',
      name: 'name of r1',
      source_id: 's',
      node_id: 'root',
      extra: null,
    });
    const effect = await mirror().commit(
      { pipelineRunStatuses: observed(2, runStatus('r1', { status: null, nodeId: '' })) },
      'status',
    );
    expect(effect.unchanged).toBe(1);
    // The list still says what it said before the poll: no version change, but another status.
    await mirror().commit({
      pipelineRuns: observed(3, pipelineRun('r1', { nodeId: '', status: 'Succeeded', gmtModifiedTime: at(-10) })),
    });
    expect((await mirror().run('r1')).node_id).toBe('root');
  });

  test('that the mirror does not know is stored with what the answer says', async () => {
    await mirror().commit(
      { pipelineRunStatuses: observed(1, runStatus('r9', { name: 'new', extra: '{"B": 1}' })) },
      'status',
    );
    expect(await mirror().run('r9')).toMatchObject({
      name: 'new',
      status: 'Running',
      extra: { B: 1 },
      pipeline_id: null,
    });
    await mirror().commit({ pipelineRuns: observed(2, pipelineRun('r9')) });
    expect(await mirror().run('r9')).toMatchObject({ name: 'name of r9', pipeline_id: 'pipeline-1' });
  });

  test('gets a tombstone by IsDeleted, keeps it while nothing is said, and loses it when PAI says so', async () => {
    const poll = (minutes: number, isDeleted: boolean | null) =>
      mirror().commit({ pipelineRunStatuses: observed(minutes, runStatus('r1', { isDeleted })) }, 'status');
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    await poll(1, true);
    const first = (await mirror().run('r1')).deleted_at;
    expect(instant(first)).toBe(instant(new Date(at(1))));
    await poll(2, true);
    await poll(3, null);
    expect((await mirror().run('r1')).deleted_at).toEqual(first);
    await poll(4, false);
    expect((await mirror().run('r1')).deleted_at).toBeNull();
    expect(await mirror().kinds('r1')).toEqual(['discovered', 'deleted', 'restored']);
  });

  test('that was missing is back when a poll names it, but not when the poll says it is deleted', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1'), pipelineRun('r2')) });
    await mirror().commit({ pipelineRunsMissing: observed(1, 'r1', 'r2') }, 'reconcile');
    await mirror().commit(
      { pipelineRunStatuses: observed(2, runStatus('r1'), runStatus('r2', { isDeleted: true })) },
      'status',
    );
    expect(await mirror().kinds('r1')).toEqual(['discovered', 'missing', 'restored']);
    expect(await mirror().kinds('r2')).toEqual(['discovered', 'missing', 'deleted']);
    expect((await mirror().run('r1')).missing_since).toBeNull();
  });

  test('that is unknown and deleted is discovered and deleted at once', async () => {
    await mirror().commit({ pipelineRunStatuses: observed(1, runStatus('r1', { isDeleted: true })) }, 'status');
    expect(await mirror().kinds('r1')).toEqual(['discovered', 'deleted']);
  });
});

describe('details', () => {
  const details = (fields: Parameters<typeof pipelineRun>[1] = {}) => ({
    run: pipelineRun('r1', fields),
    manifest: document('{"apiVersion": "core/v1"}'),
    arguments: { json: null, raw: 'not json: {' },
    options: noDocument,
  });

  test('are stored once, and written again only when they differ', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    const first = await mirror().commit({ pipelineRunDetails: observed(1, details()) }, 'details');
    expect(first.tables).toEqual({
      pipeline_runs: { inserted: 0, updated: 0, unchanged: 1 },
      pipeline_run_details: { inserted: 1, updated: 0, unchanged: 0 },
    });
    const again = await mirror().commit({ pipelineRunDetails: observed(2, details()) }, 'details');
    expect(again.unchanged).toBe(2);
    const row = await mirror().row('select * from pai.pipeline_run_details');
    expect(row).toMatchObject({
      manifest: { apiVersion: 'core/v1' },
      manifest_raw: null,
      arguments: null,
      arguments_raw: 'not json: {',
      options: null,
      scope: SCOPE_NAME,
      answer_request_id: 'request-1',
    });
    expect(instant(row.fetched_at)).toBe(instant(new Date(at(1))));
  });

  test('move the status and fill gaps of the run, and overwrite nothing else', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1', { message: null, nodeId: '' })) });
    await mirror().commit(
      {
        pipelineRunDetails: observed(1, details({ status: 'Failed', name: 'another', message: 'why', nodeId: 'root' })),
      },
      'details',
    );
    expect(await mirror().run('r1')).toMatchObject({
      status: 'Failed',
      name: 'name of r1',
      message: 'why',
      node_id: 'root',
    });
  });

  test('whose own answer changes the run do not make it due again; a later change does', async () => {
    const due = () => mirror().store.runsDueForDetails(SCOPE, { after: null, limit: 10, failedBefore: null });
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    expect(await due()).toEqual([{ pipelineRunId: 'r1', nodeId: 'root-r1', revision: '1' }]);
    await mirror().commit(
      {
        pipelineRunDetails: observed(1, details({ status: 'Failed' })),
        detailsFetched: [{ pipelineRunId: 'r1', revision: '1' }],
      },
      'details',
    );
    expect(await mirror().run('r1')).toMatchObject({ revision: '2', details_revision: '2' });
    expect(await due()).toEqual([]);
    // Found due at revision 2, but the run changed before the answer was stored: it stays due.
    await mirror().commit({ pipelineRunStatuses: observed(2, runStatus('r1', { status: 'Running' })) }, 'status');
    await mirror().commit({ pipelineRunStatuses: observed(3, runStatus('r1', { status: 'Succeeded' })) }, 'status');
    await mirror().commit(
      {
        pipelineRunDetails: observed(4, details({ status: 'Terminated' })),
        detailsFetched: [{ pipelineRunId: 'r1', revision: '3' }],
      },
      'details',
    );
    expect(await mirror().run('r1')).toMatchObject({ revision: '5', details_revision: '3' });
  });

  test('older than the stored ones are refused', async () => {
    await mirror().commit({ pipelineRunDetails: observed(2, details()) }, 'details');
    const effect = await mirror().commit(
      { pipelineRunDetails: observed(1, { ...details(), manifest: document('{"old": true}') }) },
      'details',
    );
    expect(effect.stale).toBe(2);
    expect((await mirror().row('select manifest from pai.pipeline_run_details')).manifest).toEqual({
      apiVersion: 'core/v1',
    });
  });
});
