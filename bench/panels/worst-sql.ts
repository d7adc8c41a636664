/**
 * What a page has most to do with, beside a million ordinary runs: a run of 5,000 nodes, with outputs and a long manifest; an
 * experiment of one run with 100,000 points; 50,000 items in quarantine.
 */
export const WORST_RUN = 'flow-worst';
export const WORST_EXPERIMENT = 'exp-worst';
export const WORST_NODES = 5_000;

const MIRRORED = `'cn-bench', now(), now(), now()`;

export const WORST: readonly string[] = [
  `insert into pai.pipeline_runs
   select (jsonb_populate_record(r, '{"pipeline_run_id": "${WORST_RUN}", "name": "a run of many nodes", "node_id": "node-0"}')).*
   from pai.pipeline_runs r where status = 'Succeeded' order by gmt_create_time desc limit 1`,
  `insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, node_name, status, started_at, finished_at, scope, revision,
     region, first_seen_at, updated_at, observed_at)
   select '${WORST_RUN}', 'node-' || n, 'Logical', 'node ' || n, 'Succeeded', now() - interval '3 hours' + n * interval '2 seconds',
     now() - interval '3 hours' + (n + 45) * interval '2 seconds', 'cn-bench:10001', 1, ${MIRRORED}
   from generate_series(0, ${WORST_NODES}) as n`,
  `insert into pai.change_events (entity, entity_id, node_id, node_type, region, scope, kind, from_status, to_status, observed_at)
   select 'node', '${WORST_RUN}', 'node-' || n / 3, 'Logical', 'cn-bench', 'cn-bench:10001', 'changed', 'Running', 'Succeeded', now()
   from generate_series(0, 3 * ${WORST_NODES}) as n`,
  `insert into pai.pipeline_run_details (pipeline_run_id, manifest, arguments, options, scope, region, first_seen_at, updated_at, fetched_at)
   select '${WORST_RUN}', jsonb_build_object('nodes', jsonb_agg(jsonb_build_object('name', 'node ' || n, 'image', md5(n::text)))),
     '{}', '{}', 'cn-bench:10001', ${MIRRORED}
   from generate_series(1, ${WORST_NODES}) as n`,
  `insert into pai.node_outputs (pipeline_run_id, id, node_id, name, type, value, region, first_seen_at, updated_at, observed_at)
   select '${WORST_RUN}', 'output-' || n, 'node-' || n, 'output ' || n, 'DataSet', jsonb_build_object('text', repeat('x', 500)), ${MIRRORED}
   from generate_series(1, ${WORST_NODES}) as n`,
  `insert into pai.runs (run_id, name, experiment_id, workspace_id, scope, gmt_create_time, revision, region, observed_at, updated_at, first_seen_at)
   select 'run-worst', 'many points', '${WORST_EXPERIMENT}', '10001', 'cn-bench:10001', now(), 1, ${MIRRORED}`,
  `insert into pai.run_metrics (run_id, key, step, "timestamp", value, region, first_seen_at, updated_at)
   select 'run-worst', 'loss', n, now() - (100000 - n) * interval '1 second', 1.0 / n, 'cn-bench', now(), now()
   from generate_series(1, 100000) as n`,
  `insert into pai.quarantine (scope, stream, operation, entity, entity_id, raw, error, request_id, fingerprint, region, first_seen_at, observed_at)
   select 'cn-bench:10001', 'nodes', 'ListPipelineRunNodeStatus', 'pipeline_run', 'flow-' || n, repeat('{"a":1}', 300),
     'field Status: found ' || n || ', expected a text ' || repeat('y', 300), 'request', 'worst ' || n, 'cn-bench', now(), now()
   from generate_series(1, 50000) as n`,
  'vacuum (analyze) pai.pipeline_run_nodes, pai.run_metrics, pai.quarantine, pai.pipeline_runs, pai.runs',
];
