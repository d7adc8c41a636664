/** All is well: `doctor` says so, changes nothing, and may run beside the service. */
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openInspection } from '../../src/store/inspect/session.js';
import { runCli, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { rowVersions } from '../support/mirror.js';
import { doctor, expectProblems, patient, problemsOf, run } from './harness.js';

const mirror = patient();

const budgets = async (url: string): Promise<string[]> =>
  (await run<{ name: string }>(url, 'select name from pai.call_budgets order by name')).map(({ name }) => name);

describe('all well', () => {
  test('is exit code 0, every check, and not a row written', async () => {
    const client = new pg.Pool({ connectionString: await mirror.brokenCopy(), max: 1 });
    onTestFinished(() => client.end());
    const url = client.options.connectionString as string;
    const before = await rowVersions(client);
    const report = await doctor(mirror.environment(url));
    expectProblems(report);
    expect([...new Set(report.findings.map(({ check }) => check))]).toEqual(
      `configuration data-directory database database-version database-rights database-connections disk migrations schema reader
       partitions credentials endpoint clock workspaces permission scope account leases freshness quarantine sums retention`.split(
        /\s+/,
      ),
    );
    expect(report.findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(await rowVersions(client)).toEqual(before);
    expect(await budgets(url), 'no limit, no budget').toEqual(['listWorkspaces']);
  });

  test('keeps to the call budget that the service keeps in the database', async () => {
    const url = await mirror.brokenCopy();
    const { code } = await doctor({ ...mirror.environment(url), PAI_FLOW_QPS: '200', PAI_LIST_RUNS_QPS: '200' });
    expect(code).toBe(0);
    expect(await budgets(url)).toEqual(['flow', 'listRuns', 'listWorkspaces']);
  });

  test('also beside a service that runs, whose leases are told', async () => {
    const url = await mirror.brokenCopy();
    const env = mirror.environment(url);
    const service = startCli(['start'], { env: { ...env, HTTP_PORT: '0', LOG_LEVEL: 'info' } });
    await service.sees('pai-mirror started');
    const report = await doctor(env);
    expect(problemsOf(report)).toEqual([]);
    expect(report.code).toBe(0);
    const own = await runCli(['doctor'], { env });
    expect(own, own.stderr).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('All well') });
    service.child.kill('SIGTERM');
    expect(await service.exited).toBe(0);
  });

  test('of a database without a mirror: it says so, makes nothing, and is no failure', async () => {
    const { url } = await createDatabase({ empty: true });
    const report = await doctor(mirror.environment(url));
    expectProblems(report, {
      check: 'migrations',
      subject: null,
      verdict: 'warning',
      found: 'no mirror yet',
      remedy: 'pai-mirror migrate',
    });
    expect(await run(url, `select to_regnamespace('pai') as pai`)).toEqual([{ pai: null }]);
  });

  test('nothing could be written, whatever a check tried', async () => {
    const inspection = await openInspection(mirror.healthy.url);
    onTestFinished(() => inspection.close());
    await expect(inspection.client.query('delete from pai.sync_passes')).rejects.toMatchObject({ code: '25006' });
  });
});
