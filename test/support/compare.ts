/** Compares every table of the mirror with the emulator's world, field by field. */
import type { Pool } from 'pg';
import type { JsonDocument, JsonText } from '../../src/domain/entities.js';
import type { World } from '../../src/emulator/world/world.js';

type Cell = string | boolean | null;
type Row = Record<string, Cell>;

const instant = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ${column}`;

/** Columns as text, times as Instants. */
const columns = (texts: string, times: string): string =>
  [...texts.split(' ').map((name) => `${name}::text as ${name}`), ...times.split(' ').map(instant)].join(', ');

interface Comparison {
  readonly table: string;
  readonly key: readonly string[];
  readonly select: string;
  /** Columns that hold JSON. */
  readonly json: readonly string[];
  readonly expected: (world: World) => Iterable<Row>;
}

const RUN_TEXT =
  'pipeline_run_id name status user_id parent_user_id node_id duration workspace_id message source_type source_id pipeline_id accessibility pipeline_run_uri extra deleted_at missing_since';

const document = (name: string, { json, raw }: JsonDocument): Row => ({ [name]: json, [`${name}_raw`]: raw });

const COMPARISONS: readonly Comparison[] = [
  {
    table: 'pipeline_runs',
    key: ['pipeline_run_id'],
    select: `select ${columns(RUN_TEXT, 'started_at finished_at gmt_create_time gmt_modified_time')} from pai.pipeline_runs where deleted_at is null`,
    json: ['extra'],
    *expected(world) {
      for (const run of world.pipelineRuns()) yield { ...snake(run), deleted_at: null, missing_since: null };
    },
  },
  {
    table: 'pipeline_run_details',
    key: ['pipeline_run_id'],
    select: `select d.pipeline_run_id, manifest::text, manifest_raw, arguments::text, arguments_raw, options::text, options_raw
      from pai.pipeline_run_details d join pai.pipeline_runs r using (pipeline_run_id) where deleted_at is null`,
    json: ['manifest', 'arguments', 'options'],
    *expected(world) {
      for (const { pipelineRunId } of world.pipelineRuns()) {
        const details = world.detailsOf(pipelineRunId);
        if (details === null) continue;
        yield {
          pipeline_run_id: pipelineRunId,
          ...document('manifest', details.manifest),
          ...document('arguments', details.arguments),
          ...document('options', details.options),
        };
      }
    },
  },
  {
    table: 'pipeline_run_nodes',
    key: ['pipeline_run_id', 'node_id', 'node_type'],
    select: `select ${columns(
      'n.pipeline_run_id n.node_id n.node_type n.node_name n.status n.runtime_info n.runtime_info_raw n.input_artifact_archived n.output_artifact_archived n.extra',
      'n.started_at n.finished_at',
    ).replaceAll(' as n.', ' as ')} from pai.pipeline_run_nodes n join pai.pipeline_runs r using (pipeline_run_id)
      where r.deleted_at is null and n.missing_since is null`,
    json: ['runtime_info', 'extra'],
    *expected(world) {
      for (const { pipelineRunId, nodeId } of world.pipelineRuns()) {
        if (nodeId === null || nodeId === '') continue;
        for (const node of world.nodesOf(pipelineRunId)) {
          const {
            runtimeInfo,
            parentNodeId,
            logicalNodeId,
            depth,
            inputArtifactArchived,
            outputArtifactArchived,
            ...rest
          } = node;
          yield {
            ...snake(rest),
            ...document('runtime_info', runtimeInfo),
            input_artifact_archived: boolText(inputArtifactArchived),
            output_artifact_archived: boolText(outputArtifactArchived),
          };
        }
      }
    },
  },
  {
    table: 'node_outputs',
    key: ['pipeline_run_id', 'id'],
    select: `select ${columns(
      'o.pipeline_run_id o.id o.node_id o.name o.type o.metadata o.value o.value_raw o.producer o.expanded_artifact_index o.expandable_artifact_name o.extra',
      'o.gmt_create_time',
    ).replaceAll(' as o.', ' as ')} from pai.node_outputs o join pai.pipeline_runs r using (pipeline_run_id)
      where r.deleted_at is null and o.deleted_at is null`,
    json: ['metadata', 'value', 'extra'],
    *expected(world) {
      for (const { pipelineRunId } of world.pipelineRuns()) {
        for (const { value, ...rest } of world.outputsOf(pipelineRunId))
          yield { ...snake(rest), ...document('value', value) };
      }
    },
  },
  {
    table: 'runs',
    key: ['run_id'],
    select: `select ${columns(
      'run_id name experiment_id workspace_id user_id owner_id source_type source_id accessibility request_id extra deleted_at missing_since',
      'gmt_create_time gmt_modified_time',
    )} from pai.runs where missing_since is null`,
    json: ['extra'],
    *expected(world) {
      for (const { params, labels, metrics, ...run } of world.experimentRuns()) {
        yield { ...snake(run), deleted_at: null, missing_since: null };
      }
    },
  },
  {
    table: 'run_params',
    key: ['run_id', 'key'],
    select: `select p.run_id, key, value from pai.run_params p join pai.runs r using (run_id) where p.deleted_at is null and r.missing_since is null`,
    json: [],
    *expected(world) {
      for (const run of world.experimentRuns())
        for (const item of run.params ?? []) yield { run_id: run.runId, ...snake(item) };
    },
  },
  {
    table: 'run_labels',
    key: ['run_id', 'key'],
    select: `select ${columns('l.run_id l.key l.value', 'l.gmt_create_time l.gmt_modified_time').replaceAll(' as l.', ' as ')}
      from pai.run_labels l join pai.runs r using (run_id) where l.deleted_at is null and r.missing_since is null`,
    json: [],
    *expected(world) {
      for (const run of world.experimentRuns())
        for (const item of run.labels ?? []) yield { run_id: run.runId, ...snake(item) };
    },
  },
];

const boolText = (value: boolean | null): string | null => (value === null ? null : String(value));

const snake = (item: object): Row =>
  Object.fromEntries(
    Object.entries(item).map(([name, value]) => [name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), value as Cell]),
  );

/** At most some dozen differences, in words; empty when the mirror equals the world. */
export async function differences(world: World, pool: Pool): Promise<string[]> {
  const found: string[] = [];
  for (const comparison of COMPARISONS) found.push(...(await compareTable(comparison, world, pool)));
  found.push(...(await compareMetrics(world, pool)));
  return found.slice(0, 24);
}

async function compareTable(comparison: Comparison, world: World, pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<Row>(comparison.select);
  const expected = [...comparison.expected(world)];
  await canonicalJson(comparison, expected, pool);
  const keyOf = (row: Row): string => comparison.key.map((name) => row[name]).join(' ');
  const mirrored = new Map(rows.map((row) => [keyOf(row), row]));
  const found: string[] = [];
  for (const row of expected) {
    const key = keyOf(row);
    const mine = mirrored.get(key);
    mirrored.delete(key);
    if (mine === undefined) found.push(`${comparison.table} ${key}: missing in the mirror`);
    else found.push(...compareRow(`${comparison.table} ${key}`, row, mine));
  }
  for (const key of mirrored.keys()) found.push(`${comparison.table} ${key}: not in the world`);
  return found.length > 5 ? [...found.slice(0, 5), `${comparison.table}: ${found.length} differences in all`] : found;
}

const compareRow = (where: string, expected: Row, mine: Row): string[] =>
  Object.entries(expected).flatMap(([name, value]) =>
    mine[name] === value
      ? []
      : [`${where} ${name}: world ${JSON.stringify(value)}, mirror ${JSON.stringify(mine[name])}`],
  );

/** PostgreSQL writes jsonb in its own way: let it write the expected documents, too. */
async function canonicalJson(comparison: Comparison, expected: Row[], pool: Pool): Promise<void> {
  for (const column of comparison.json) {
    const texts = expected.map((row) => row[column] as JsonText | null);
    const { rows } = await pool.query<{ text: string | null }>(
      'select (t::jsonb)::text as text from unnest($1::text[]) with ordinality as u (t, n) order by n',
      [texts],
    );
    for (const [index, row] of expected.entries()) row[column] = rows[index]?.text ?? null;
  }
}

/** The latest point of every key must be there; older points stay. */
async function compareMetrics(world: World, pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ point: string }>(
    `select run_id || ' ' || key || ' ' || step || ' ' || to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
       || ' ' || value as point from pai.run_metrics`,
  );
  const mirrored = new Set(rows.map(({ point }) => point));
  const { rows: texts } = await pool.query<{ text: string }>(
    'select (v::float8)::text as text from unnest($1::text[]) with ordinality as u (v, n) order by n',
    [points(world).map(({ value }) => value)],
  );
  return points(world)
    .map((point, index) => `${point.key} ${texts[index]?.text}`)
    .filter((point) => !mirrored.has(point))
    .map((point) => `run_metrics ${point}: missing in the mirror`)
    .slice(0, 5);
}

const points = (world: World): { key: string; value: string | null }[] =>
  world.experimentRuns().flatMap((run) =>
    (run.metrics ?? []).map(({ key, step, timestamp, value }) => ({
      key: `${run.runId} ${key} ${step} ${timestamp}`,
      value,
    })),
  );

/** What the source dropped must still be there under a tombstone, and nothing else may be under one. */
export async function tombstoneFaults(world: World, pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; deleted: boolean }>(
    'select pipeline_run_id as id, deleted_at is not null as deleted from pai.pipeline_runs',
  );
  const faults = rows.flatMap(({ id, deleted }) => {
    const status = world.statusOf(id);
    if (status === null) return [`pipeline run ${id}: never was in the world`];
    return status.isDeleted === deleted ? [] : [`pipeline run ${id}: deleted ${status.isDeleted}, mirror ${deleted}`];
  });
  const present = new Set(world.experimentRuns().map(({ runId }) => runId));
  const { rows: experiments } = await pool.query<{ id: string; gone: boolean }>(
    'select run_id as id, missing_since is not null as gone from pai.runs',
  );
  for (const { id, gone } of experiments) {
    if (gone === present.has(id)) faults.push(`experiment run ${id}: there ${present.has(id)}, mirror missing ${gone}`);
  }
  return faults.slice(0, 24);
}
