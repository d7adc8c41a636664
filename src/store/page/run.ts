/** One pipeline run and all that belongs to it, by its id. */
import type pg from 'pg';
import type {
  DocumentName,
  HistoryEvent,
  JsonText,
  NodeOutput,
  Part,
  RunDetail,
  RunDocuments,
  RunNode,
  StatusInterval,
} from '../../domain/page.js';
import { query } from '../pool.js';
import { instantSql } from '../sql.js';

const times = (...names: readonly (readonly [sql: string, name: string])[]): string =>
  names.map(([sql, name]) => `${instantSql(sql)} as "${name}"`).join(', ');

const RUN = `
  select pipeline_run_id as id, name, scope, pipeline_id as "pipelineId", user_id as "userId", status, outcome,
    source_type as "sourceType", source_id as "sourceId", run_seconds::float8 as "runSeconds", queue_seconds as "queueSeconds",
    left(error, 10000) as error, url, revision::float8 as revision,
    ${times(['created_at', 'createdAt'], ['started_at', 'startedAt'], ['finished_at', 'finishedAt'], ['modified_at', 'modifiedAt'])},
    ${times(['deleted_at', 'deletedAt'], ['missing_since', 'missingSince'], ['first_seen_at', 'firstSeenAt'], ['updated_at', 'updatedAt'], ['now()', 'now'])},
    array(select distinct e.experiment_id from analytics.run_experiments e
      where e.pipeline_run_id = r.pipeline_run_id and e.experiment_id <> '' order by 1 limit 20) as "experimentIds"
  from analytics.pipeline_runs r where pipeline_run_id = $1`;

export async function run(pool: pg.Pool, id: string): Promise<RunDetail | null> {
  return (await query<RunDetail>(pool, 'reading a run', RUN, [id]))[0] ?? null;
}

/** One row more than is shown tells whether there are more. */
export const partOf = <T>(rows: readonly T[], most: number): Part<T> => ({
  rows: rows.slice(0, most),
  hasMore: rows.length > most,
});

const NODES = `
  select node_id as "nodeId", node_type as "nodeType", node_name as name, status, outcome,
    ${times(['started_at', 'startedAt'], ['finished_at', 'finishedAt'])},
    run_seconds as "runSeconds", is_root as "isRoot", is_critical as "isCritical"
  from analytics.nodes where pipeline_run_id = $1
  order by is_root desc, started_at nulls last, finished_at nulls last, node_name, node_id, node_type limit $2 offset $3`;

/** By number of rows: the view reads all nodes of a run anyway, to find the longest. */
export async function nodes(pool: pg.Pool, runId: string, skip: number, most: number): Promise<Part<RunNode>> {
  return partOf(await query<RunNode>(pool, 'reading the nodes of a run', NODES, [runId, most + 1, skip]), most);
}

const INTERVALS = `
  select status, ${times(['from_time', 'from'], ['to_time', 'to'])}, seconds
  from analytics.status_history where pipeline_run_id = $1 order by from_time, to_time nulls last limit $2`;

export const intervals = (pool: pg.Pool, runId: string, most: number): Promise<StatusInterval[]> =>
  query(pool, 'reading the statuses of a run', INTERVALS, [runId, most]);

/** Values as text: a number is shown as it was stored, and a long one cut. */
const HISTORY = `
  select event_id::text as "eventId", entity, node_id as "nodeId", kind, from_status as "fromStatus", to_status as "toStatus",
    ${times(['observed_at', 'at'])}, request_id as "requestId",
    coalesce((select jsonb_agg(jsonb_build_array(c.key,
        case when jsonb_typeof(c.value) = 'array' then left(c.value ->> 0, 300) end,
        case when jsonb_typeof(c.value) = 'array' then left(c.value ->> 1, 300) else left(c.value #>> '{}', 300) end))
      from (select * from jsonb_each(changes) order by 1 limit 30) c), '[]') as changes
  from analytics.history where entity_id = $1 and ($2::bigint is null or event_id < $2)
  order by event_id desc limit $3`;

export async function history(
  pool: pg.Pool,
  entityId: string,
  before: string | null,
  most: number,
): Promise<Part<HistoryEvent>> {
  return partOf(
    await query<HistoryEvent>(pool, 'reading the history of a run', HISTORY, [entityId, before, most + 1]),
    most,
  );
}

const pretty = (column: string, most: string): string =>
  `left(jsonb_pretty(${column}), ${most}::int) as "${column}Text", length(jsonb_pretty(${column}))::float8 as "${column}Length"`;

const DOCUMENTS = `
  select ${times(['fetched_at', 'fetchedAt'])}, ${pretty('manifest', '$2')}, ${pretty('arguments', '$2')}, ${pretty('options', '$2')}
  from analytics.run_details where pipeline_run_id = $1`;

type DocumentsRow = { readonly fetchedAt: string } & Readonly<Record<string, string | number | null>>;

export async function documents(pool: pg.Pool, runId: string, mostCharacters: number): Promise<RunDocuments | null> {
  const [row] = await query<DocumentsRow>(pool, 'reading the details of a run', DOCUMENTS, [runId, mostCharacters]);
  if (row === undefined) return null;
  const document = (name: DocumentName): JsonText | null => jsonText(row[`${name}Text`], row[`${name}Length`]);
  return {
    fetchedAt: row.fetchedAt,
    documents: { manifest: document('manifest'), arguments: document('arguments'), options: document('options') },
  };
}

const jsonText = (text: unknown, characters: unknown): JsonText | null =>
  typeof text === 'string' ? { text, characters: Number(characters) } : null;

const OUTPUTS = `
  select output_id as "outputId", node_id as "nodeId", name, type, producer, ${pretty('value', '2000')},
    ${times(['deleted_at', 'deletedAt'])}
  from analytics.node_outputs where pipeline_run_id = $1 and ($2::text is null or output_id > $2) order by output_id limit $3`;

type OutputRow = Omit<NodeOutput, 'value'> & { readonly valueText: string | null; readonly valueLength: number };

export async function outputs(
  pool: pg.Pool,
  runId: string,
  after: string | null,
  most: number,
): Promise<Part<NodeOutput>> {
  const found = await query<OutputRow>(pool, 'reading the outputs of a run', OUTPUTS, [runId, after, most + 1]);
  const rows = found.map(({ valueText, valueLength, ...row }) => ({ ...row, value: jsonText(valueText, valueLength) }));
  return partOf(rows, most);
}
