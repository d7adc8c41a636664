import { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { STREAMS } from '../../src/domain/streams.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { type Emulator, startEmulator } from '../../src/emulator/server.js';
import { boundScopes } from '../../src/http/metrics/bounded.js';
import { layCable } from '../support/cable.js';
import { type CliProcess, environmentFor, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { addressOf, ask } from '../support/http.js';
import { parseScrape, type Sample, total } from '../support/scrape.js';

const NEVER = '0 0 1 1 *';
/** One pass of every stream but reconcile at the start, what follows it, and then nothing. */
const ONCE = {
  DISCOVER_CRON: NEVER,
  POLL_CRON: NEVER,
  NODES_CRON: NEVER,
  DETAILS_CRON: NEVER,
  EXPERIMENTS_CRON: NEVER,
  RECONCILE_CRON: NEVER,
};
const TOKEN = 'a-token-of-the-test-of-metrics';

interface Setting {
  readonly emulator: Emulator;
  readonly pool: Pool;
  readonly service: CliProcess;
  scrape(): Promise<Sample[]>;
}

async function startMirrored(emulator: Emulator, url: string, databaseUrl = url): Promise<Setting> {
  const service = startCli(['start'], {
    env: { ...environmentFor(emulator, url), ...ONCE, HTTP_TOKEN: TOKEN },
  });
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  onTestFinished(() => pool.end());
  const address = await addressOf(service);
  const scrape = async (): Promise<Sample[]> => {
    const { status, text } = await ask(`${address}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(status, text).toBe(200);
    return parseScrape(text);
  };
  return { emulator, pool, service, scrape };
}

/** Until nothing has been called for a while: then counters and their counterparts hold still. */
async function untilQuiet({ emulator, scrape }: Setting): Promise<Sample[]> {
  for (let looks = 0; looks < 60; looks += 1) {
    const before = emulator.stats.calls();
    // Longer than a state that was read before is good for.
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    const samples = await scrape();
    if (total(samples, 'pai_mirror_passes_running') === 0 && before > 0 && emulator.stats.calls() === before)
      return samples;
  }
  throw new Error('never quiet');
}

const FAULTY = [
  { operation: 'ListPipelineRuns', kind: 'throttle', times: 3 },
  { operation: 'GetPipelineRun', kind: 'throttle', after: 5, times: 2, retryAfterMillis: 20 },
  { operation: 'ListRuns', kind: 'empty-5xx', times: 1 },
  { operation: 'GetPipelineRun', kind: 'error', match: 'flow-nobody', status: 404, code: 'PipelineRunNotExists' },
  { operation: 'GetPipelineRun', kind: 'error', match: 'flow-forbidden', status: 403, code: 'NoPermission' },
] as const;

describe('/metrics beside a source that throttles and fails', () => {
  it('tells the calls as the emulator counted them, and passes and rows as the database has them', async () => {
    const emulator = await startEmulator({
      history: 60,
      active: 4,
      experimentRuns: 20,
      clock: new SimulatedClock({ speed: 0 }),
    });
    onTestFinished(() => emulator.close());
    emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-forbidden', status: 'Running' });
    emulator.faults.add(...FAULTY);
    const setting = await startMirrored(emulator, (await createDatabase()).url);
    const samples = await untilQuiet(setting);
    const of = (name: string, labels = {}): number => total(samples, `pai_mirror_${name}`, labels);

    // Calls, against the emulator.
    const { operations } = emulator.stats.summary();
    expect(Object.keys(operations).length).toBeGreaterThanOrEqual(5);
    for (const [operation, counts] of Object.entries(operations)) {
      expect(of('calls_total', { operation }), operation).toBe(counts.calls);
      expect(of('calls_total', { operation, outcome: 'ok' }), operation).toBe(counts.ok);
      expect(of('call_duration_seconds_count', { operation })).toBe(counts.calls);
    }
    const met = (kind: string): number => emulator.stats.arrivals().filter(({ fault }) => fault === kind).length;
    expect(met('throttle')).toBe(5);
    expect(of('calls_total', { outcome: 'throttled' })).toBe(5);
    expect(of('calls_total', { outcome: 'unavailable' })).toBe(1);
    expect(of('calls_total', { outcome: 'forbidden' })).toBe(met('error'));
    expect(of('call_retries_total')).toBe(6);

    // Passes and rows, against the database.
    const query = async <R extends object>(sql: string): Promise<R[]> => (await setting.pool.query(sql)).rows as R[];
    const passes = await query<{ stream: string; outcome: string; n: number }>(
      'select stream, outcome, count(*)::int as n from pai.sync_passes group by 1, 2',
    );
    expect(passes.some(({ outcome }) => outcome === 'failed')).toBe(true);
    for (const { stream, outcome, n } of passes) expect(of('passes_total', { stream, outcome }), stream).toBe(n);
    expect(of('pass_duration_seconds_count')).toBe(passes.reduce((sum, { n }) => sum + n, 0));
    for (const table of ['pipeline_runs', 'pipeline_run_nodes', 'pipeline_run_details', 'runs', 'run_metrics']) {
      const [row] = await query<{ n: number }>(`select count(*)::int as n from pai.${table}`);
      expect(of('rows_total', { table, effect: 'inserted' }), table).toBe(row?.n);
    }
    for (const effect of ['inserted', 'updated', 'unchanged']) {
      const [row] = await query<{ n: number }>(`select sum(${effect})::int as n from pai.sync_passes`);
      expect(of('rows_total', { effect }), effect).toBe(row?.n);
    }

    // What only the database knows.
    const [truth] = await query<Record<string, number>>(
      `select count(*) filter (where status not in ('Succeeded', 'Failed', 'Terminated', 'Skipped'))::int as active,
         count(*) filter (where details_revision < revision)::int as details from pai.pipeline_runs`,
    );
    expect(of('database_up')).toBe(1);
    expect(of('active_runs')).toBe(truth?.active);
    expect(truth?.details).toBe(1);
    expect(of('due_runs', { work: 'details' })).toBe(1);
    expect(of('due_runs', { work: 'nodes' })).toBe(0);
    expect(of('failing_items')).toBe(1);
    expect(of('quarantine_unresolved')).toBe(0);
    expect(of('leases_held')).toBe(0);
    expect(of('rollups_due')).toBeGreaterThanOrEqual(0);
    for (const stream of STREAMS.filter((one) => one !== 'reconcile'))
      for (const { workspaceId } of emulator.world.workspaces()) {
        const age = of('stream_age_seconds', { stream, scope: `cn-test:${workspaceId}` });
        expect(age, stream).toBeGreaterThan(0);
        expect(age, stream).toBeLessThan(300);
      }
    expect(of('stream_age_seconds', { stream: 'reconcile' })).toBeNaN();
    expect(of('watermark_lag_seconds', { stream: 'pipeline-runs' })).toBeGreaterThan(0);
    expect(of('watermark_lag_seconds', { stream: 'status' })).toBeNaN();

    // The process.
    expect(of('build_info')).toBe(1);
    expect(of('budget_rate', { budget: 'flow' })).toBe(0);
    expect(of('pool_connections', { pool: 'http', state: 'used' })).toBe(0);
    expect(of('pool_waiting')).toBe(0);
    expect(of('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    const secrets = [TOKEN, emulator.accessKeys[0]?.accessKeySecret ?? TOKEN];
    for (const secret of secrets) expect(JSON.stringify(samples)).not.toContain(secret);

    setting.service.child.kill('SIGTERM');
    expect(await setting.service.exited, setting.service.stderr()).toBe(0);
  });

  it('tells what the process knows while the database is away, and leaves out what only that knows', async () => {
    const emulator = await startEmulator({
      history: 5,
      active: 1,
      experimentRuns: 2,
      clock: new SimulatedClock({ speed: 0 }),
    });
    onTestFinished(() => emulator.close());
    const { url } = await createDatabase();
    const cable = await layCable(url);
    const setting = await startMirrored(emulator, cable.url, url);
    await untilQuiet(setting);
    await cable.cut();
    let samples: Sample[] = [];
    await expect
      .poll(async () => total((samples = await setting.scrape()), 'pai_mirror_database_up'), { timeout: 30_000 })
      .toBe(0);
    // A pass that begins late on a busy machine may call between the scrape and the count.
    await expect
      .poll(async () => total((samples = await setting.scrape()), 'pai_mirror_calls_total') - emulator.stats.calls())
      .toBe(0);
    for (const name of ['stream_age_seconds', 'active_runs', 'due_runs', 'leases_held', 'rollups_due'])
      expect(total(samples, `pai_mirror_${name}`), name).toBeNaN();
    await cable.mend();
    await expect.poll(async () => total(await setting.scrape(), 'pai_mirror_rollups_due'), { timeout: 30_000 }).toBe(0);
  });
});

describe('series of many scopes', () => {
  const values = ['d', 'b', 'a', 'c'].map((scope, index) => ({ scope, value: 10 ** index }));

  it('are one each within the bound, and beyond it one for the rest: their sum, or the largest', () => {
    expect(boundScopes(values, 'sum', 4)).toBe(values);
    expect(boundScopes(values, 'sum', 2)).toEqual([
      { scope: 'a', value: 100 },
      { scope: 'b', value: 10 },
      { scope: 'other', value: 1001 },
    ]);
    expect(boundScopes(values, 'max', 1)).toEqual([
      { scope: 'a', value: 100 },
      { scope: 'other', value: 1000 },
    ]);
  });
});
