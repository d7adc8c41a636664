/** A mirror with something for every panel: runs of all outcomes, active and stuck ones, experiments, and its own troubles. */
import { Client } from 'pg';
import { onTestFinished } from 'vitest';
import { scopeName } from '../../src/domain/scope.js';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { startMirror, type TestMirror } from '../support/mirror.js';

const HOUR_MS = 3_600_000;

export interface Demo {
  readonly mirror: TestMirror;
  /** Acts as the role that Grafana's login has, read only. */
  readonly reader: Client;
}

export async function startDemo(): Promise<Demo> {
  // The world stands still three hours ago: what is active there is stuck here.
  const clock = new SimulatedClock({ startAt: Date.now() - 6 * HOUR_MS, speed: 0 });
  const mirror = await startMirror({
    emulator: {
      clock,
      history: 120,
      historyDays: 20,
      active: 8,
      experimentRuns: 20,
      pipelines: 2,
      nodesPerRun: [3, 4],
      arrivalsPerMinute: 0.2,
    },
  });
  await mirror.sync();
  await slowDown(mirror);
  clock.advance(3 * HOUR_MS);
  mirror.emulator.world.tick();
  breakSomeItems(mirror);
  await mirror.sync();
  await troubleTheCalls(mirror);
  // Who made a role may give it to somebody, and is no member of it.
  await mirror.pool.query('grant pai_reader to current_user');
  return { mirror, reader: await logIn(mirror.databaseUrl) };
}

/**
 * The runs of one pipeline in the last days took two and a half hours, and another one of it has been
 * running for three days, with an experiment run.
 */
async function slowDown({ pool, emulator }: TestMirror): Promise<void> {
  const { rows } = await pool.query<{ id: string; pipeline: string }>(
    `select pipeline_run_id as id, pipeline_id as pipeline from analytics.pipeline_runs
     where outcome = 'succeeded' and created_at > now() - interval '6 days'
       and pipeline_id = (select min(pipeline_id) from analytics.pipeline_runs)`,
  );
  for (const { id } of rows) emulator.mutate.updatePipelineRun(id, { duration: '9000' });
  const startedAt = new Date(Date.now() - 72 * HOUR_MS).toISOString();
  const pipelineId = rows[0]?.pipeline ?? '';
  const fields = { pipelineId, status: 'Running', gmtCreateTime: startedAt, startedAt };
  const { pipelineRunId, workspaceId } = emulator.mutate.addPipelineRun(fields);
  emulator.mutate.addExperimentRun({ workspaceId, sourceId: pipelineRunId });
}

/** One node tree holds a node that nobody can read, and another tree cannot be fetched. */
function breakSomeItems({ emulator }: TestMirror): void {
  const operation = 'ListPipelineRunNodeStatus';
  const body = JSON.stringify({ RequestId: 'R', Status: [{ NodeId: 'unreadable', Status: [] }] });
  emulator.faults.add({ operation, kind: 'replace', body, times: 1 });
  emulator.faults.add({ operation, kind: 'error', status: 403, code: 'Forbidden', after: 3, times: 1 });
}

/** Calls without a limit have no budget, so this row is made by hand. */
async function troubleTheCalls({ pool, scopes }: TestMirror): Promise<void> {
  await pool.query(
    `insert into pai.call_budgets (region, name, due_at, pace, slowed_at) values ($1, 'flow', now(), 0.5, now())`,
    [scopes[0]?.region],
  );
  const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from pai.sync_retries');
  if (rows[0]?.n === 0) {
    const scope = scopes[0] && scopeName(scopes[0]);
    await pool.query(`insert into pai.sync_retries values ($1, 'nodes', 'a run', 1, now(), now(), 'refused')`, [scope]);
  }
}

async function logIn(connectionString: string): Promise<Client> {
  const reader = new Client({ connectionString, options: '-c role=pai_reader -c default_transaction_read_only=on' });
  await reader.connect();
  onTestFinished(() => reader.end());
  return reader;
}
