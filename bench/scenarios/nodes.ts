/** Node trees of runs that have changed, and the nodes of active runs in batches. */
import { activeRuns, changeStatus, sample } from '../active-runs.js';
import { startEmulator } from '../emulator.js';
import type { Lab, Outcome } from '../lab.js';
import { callsText } from '../minimum.js';
import { type NodeCalls, timeNodeCalls } from '../own-calls.js';
import { createDatabase, ROOT_WITHOUT_ENV, withClient } from '../server.js';
import { measureSync } from '../service.js';

/** Active runs for each that changes. */
const ACTIVE_FOR_EACH = 2;

export async function nodesScenario(lab: Lab): Promise<Outcome> {
  const { changedRuns, statusBatch, concurrency } = lab.options;
  const active = changedRuns * ACTIVE_FOR_EACH;
  const emulator = await startEmulator(lab.cleanup, ROOT_WITHOUT_ENV, {
    history: 0,
    active,
    experimentRuns: 0,
    life: 'still',
  });
  const database = await createDatabase(lab.cleanup, lab.server);
  lab.tell(`trees of ${active} new runs`);
  await measureSync(lab, { emulator, database, streams: ['pipeline-runs', 'nodes'] });
  const runs = (await activeRuns(database.url)).filter(({ nodeId }) => nodeId !== '');
  const trees = sample(runs, changedRuns);
  await changeStatus(emulator, trees);
  await measureSync(lab, { emulator, database, streams: ['status'] });
  lab.tell(`trees of ${trees.length} changed runs`);
  const sync = await measureSync(lab, { emulator, database, streams: ['nodes'] });
  const work: NodeCalls = { trees, nodes: await activeNodes(database.url) };
  const ownSeconds = await timeNodeCalls(emulator.client(), emulator.scope, work, { concurrency, statusBatch });
  await database.drop();
  await emulator.stop();
  const batches = Math.ceil(work.nodes.length / statusBatch);
  const size = trees.length.toLocaleString('en-US');
  const figures = [
    {
      scenario: 'nodes',
      name: `trees of ${size} changed runs, runs/s`,
      measured: trees.length / sync.passSeconds,
      floor: trees.length / ownSeconds,
      floorName: "the calls' own",
      goal: null,
    },
    {
      scenario: 'nodes',
      name: `trees of ${size} changed runs, calls`,
      measured: sync.calls.calls,
      floor: trees.length + batches,
      floorName: 'the minimum',
      goal: { of: 'ratio', atMost: 1 },
    },
  ] as const;
  const notes = [
    `nodes: ${callsText(sync.calls.calls, trees.length + batches)}: a tree for each of ${size} changed runs, ` +
      `and ${work.nodes.length.toLocaleString('en-US')} nodes of active runs ÷ ${statusBatch} for their outputs`,
    `nodes: CPU of the service ${sync.cpuSeconds.toFixed(1)} s, of PostgreSQL ${sync.serverCpuSeconds?.toFixed(1) ?? 'unknown'} s`,
  ];
  return { figures, notes, raw: { sync, ownSeconds, batches } };
}

/** Those that every pass asks for, since only the poll brings their outputs. */
async function activeNodes(url: string): Promise<NodeCalls['nodes']> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ pipelineRunId: string; nodeId: string }>(
      `select distinct pipeline_run_id as "pipelineRunId", n.node_id as "nodeId"
       from pai.pipeline_runs r join pai.pipeline_run_nodes n using (pipeline_run_id)
       where r.deleted_at is null and (r.status is null or r.status not in ('Succeeded', 'Failed', 'Terminated', 'Skipped'))
         and n.missing_since is null order by 1, 2`,
    ),
  );
  return rows;
}
