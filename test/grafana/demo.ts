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
      history: 600,
      historyDays: 30,
      active: 15,
      experimentRuns: 40,
      pipelines: 8,
      nodesPerRun: [3, 5],
    },
  });
  await mirror.sync();
  clock.advance(3 * HOUR_MS);
  mirror.emulator.world.tick();
  breakSomeItems(mirror);
  await mirror.sync();
  await troubleTheCalls(mirror);
  // Who made a role may give it to somebody, and is no member of it.
  await mirror.pool.query('grant pai_reader to current_user');
  return { mirror, reader: await logIn(mirror.databaseUrl) };
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
