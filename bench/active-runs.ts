/** Runs under way, and changing their status by hand. */
import type { BenchEmulator } from './emulator.js';
import { withClient } from './server.js';

export interface ActiveRun {
  readonly pipelineRunId: string;
  /** Of the root node; empty where it is not known yet. */
  readonly nodeId: string;
  readonly status: string;
}

/** As the database has them, in key order: the runs that the poll asks for. */
export async function activeRuns(url: string): Promise<readonly ActiveRun[]> {
  const { rows } = await withClient(url, (client) =>
    client.query<ActiveRun>(
      `select pipeline_run_id as "pipelineRunId", coalesce(node_id, '') as "nodeId", coalesce(status, '') as status
       from pai.pipeline_runs
       where deleted_at is null and (status is null or status not in ('Succeeded', 'Failed', 'Terminated', 'Skipped'))
       order by pipeline_run_id`,
    ),
  );
  return rows;
}

/** Another status that is not the end of a run either, so that as many are active as before. */
export const otherActiveStatus = (status: string): string => (status === 'Running' ? 'Suspended' : 'Running');

/** So many of them, chosen at random. */
export function sample<T>(items: readonly T[], count: number, random: () => number = Math.random): T[] {
  const left = [...items];
  const chosen: T[] = [];
  while (chosen.length < count && left.length > 0) {
    const at = Math.floor(random() * left.length);
    chosen.push(left[at] as T);
    left[at] = left.at(-1) as T;
    left.pop();
  }
  return chosen;
}

/** Returns the status that each has now. */
export async function changeStatus(
  emulator: BenchEmulator,
  runs: readonly ActiveRun[],
  statusOf: (run: ActiveRun) => string = (run) => otherActiveStatus(run.status),
): Promise<ReadonlyMap<string, string>> {
  const now = new Map<string, string>();
  for (const run of runs) {
    const status = statusOf(run);
    await emulator.mutate('updatePipelineRun', run.pipelineRunId, { status });
    now.set(run.pipelineRunId, status);
  }
  return now;
}
