/** Random statements on the tables that the sums are made of: any column, any value, keys too. */
import type { Random } from '../../src/emulator/random.js';

const QUARTER = 15;
const SCOPES = ["'cn-test:1'", "'cn-test:2'", "'cn-other:1'"];
const STATUSES = 'Succeeded Failed Terminated Skipped Running Succeed Suspended NobodyKnows'.split(' ');
const ODD_TIMES = [
  "'infinity'",
  "'-infinity'",
  "'1970-01-01 00:00:00+00'",
  "'1999-12-31 23:45:00+00'",
  "'0001-01-01 00:00:00+00'",
  "'9999-12-31 23:59:59.999999+00'",
  "'294276-12-31 23:59:59.999999+00'",
];

/** Whole seconds within an hour and a half, mostly: quarter hours are shared, and sums are exact in any order. */
function time(random: Random): string {
  const kind = random.between(0, 19);
  if (kind === 0) return 'null';
  if (kind === 1) return random.pick(ODD_TIMES);
  const edge = random.between(0, 5) * QUARTER * 60;
  const second = kind < 8 ? edge : edge + random.between(-1, 900);
  return `timestamptz '2026-11-01 10:00:00+00' + ${second} * interval '1 second'`;
}

const orNull = (random: Random, value: string): string => (random.between(0, 5) === 0 ? 'null' : value);
const someTime = (random: Random): string => time(random).replace(/^null$/, "'2026-11-01 10:00:00+00'");
const runId = (random: Random): string => `'run-${random.between(1, 24)}'`;
const nodeId = (random: Random): string => `'node-${random.between(1, 5)}'`;
const status = (random: Random): string => orNull(random, `'${random.pick(STATUSES)}'`);
const word = (random: Random): string => orNull(random, random.pick(["'a'", "'b'", "''"]));
const number = (random: Random): string =>
  random.pick(['0', '1', '2', '-1', '9223372036854775807', String(random.between(0, 900))]);

type Value = (random: Random) => string;

/** Every column of the two tables; NOT NULL ones get a value. */
const RUN_COLUMNS: Readonly<Record<string, Value>> = {
  pipeline_run_id: runId,
  name: word,
  status,
  user_id: word,
  parent_user_id: word,
  started_at: time,
  finished_at: time,
  node_id: (random) => orNull(random, nodeId(random)),
  duration: (random) => orNull(random, number(random)),
  workspace_id: word,
  message: (random) => orNull(random, random.pick(["'no table t1'", "'no table t22'", "E'\\n'", "'killed'"])),
  source_type: word,
  source_id: word,
  gmt_create_time: time,
  gmt_modified_time: time,
  pipeline_id: word,
  accessibility: word,
  pipeline_run_uri: word,
  region: () => "'cn-test'",
  first_seen_at: someTime,
  updated_at: someTime,
  scope: (random) => random.pick(SCOPES),
  observed_at: someTime,
  answer_request_id: word,
  revision: number,
  deleted_at: (random) => (random.between(0, 2) > 0 ? 'null' : time(random)),
  missing_since: (random) => (random.between(0, 2) > 0 ? 'null' : time(random)),
  extra: () => 'null',
  nodes_revision: number,
  details_revision: number,
  nodes_open: (random) => random.pick(['true', 'false']),
  nodes_fetched_at: time,
};

const NODE_COLUMNS: Readonly<Record<string, Value>> = {
  pipeline_run_id: runId,
  node_id: nodeId,
  node_type: (random) => random.pick(["'Logical'", "'Physical'"]),
  node_name: word,
  status,
  started_at: time,
  finished_at: time,
  runtime_info: () => 'null',
  runtime_info_raw: word,
  input_artifact_archived: (random) => random.pick(['true', 'null']),
  output_artifact_archived: (random) => random.pick(['true', 'null']),
  region: () => "'cn-test'",
  first_seen_at: someTime,
  updated_at: someTime,
  scope: (random) => random.pick(SCOPES),
  observed_at: someTime,
  answer_request_id: word,
  revision: number,
  deleted_at: time,
  missing_since: (random) => (random.between(0, 2) > 0 ? 'null' : time(random)),
  extra: () => 'null',
  outputs_revision: number,
};

export const TABLES = { 'pai.pipeline_runs': RUN_COLUMNS, 'pai.pipeline_run_nodes': NODE_COLUMNS } as const;
type Table = keyof typeof TABLES;

const some = (random: Random): string =>
  `pipeline_run_id in (${Array.from({ length: random.between(1, 4) }, () => runId(random)).join(', ')})`;

/** Of up to six runs, or of one node each of up to six. Both kinds of trigger may run for it. */
function insert(random: Random, table: Table): string {
  const columns = TABLES[table];
  const names = Object.keys(columns);
  const ids = random.shuffle(Array.from({ length: 24 }, (_, index) => `'run-${index + 1}'`));
  const row = (id: string): string =>
    `(${names.map((name) => (name === 'pipeline_run_id' ? id : columns[name]?.(random))).join(', ')})`;
  const rows = ids.slice(0, random.between(1, 6)).map(row);
  const key = table === 'pai.pipeline_runs' ? 'pipeline_run_id' : 'pipeline_run_id, node_id, node_type';
  const changed = random.pick(names.filter((name) => !key.split(', ').includes(name)));
  const otherwise = random.between(0, 2) > 0 ? `do update set ${changed} = excluded.${changed}` : 'do nothing';
  return `insert into ${table} (${names.join(', ')}) values ${rows.join(', ')} on conflict (${key}) ${otherwise}`;
}

function update(random: Random, table: Table): string {
  const columns = TABLES[table];
  const names = random.shuffle(Object.keys(columns)).slice(0, random.between(1, 3));
  const sets = names.map((name) => `${name} = ${columns[name]?.(random)}`);
  return `update ${table} set ${sets.join(', ')} where ${some(random)}`;
}

/** One statement; now and then one that touches every row, seldom one that empties a table. */
export function statement(random: Random): string {
  const table: Table = random.between(0, 2) > 0 ? 'pai.pipeline_runs' : 'pai.pipeline_run_nodes';
  const kind = random.between(0, 99);
  if (kind < 38) return insert(random, table);
  if (kind < 84) return update(random, table);
  if (kind < 95) return `delete from ${table} where ${some(random)}`;
  if (kind < 98) return `update ${table} set status = ${status(random)}`;
  return kind === 98 ? `truncate ${table}` : 'select pai.rebuild_rollups()';
}
