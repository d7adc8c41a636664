/** What the database tells about a measurement. */
import type { Stream } from '../src/domain/streams.js';
import { BenchError } from './failure.js';
import { withClient } from './server.js';

export interface PassRow {
  readonly id: number;
  readonly stream: Stream;
  readonly seconds: number;
  readonly outcome: string | null;
  readonly calls: number;
  readonly rowsRead: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** Passes that have ended, oldest first; those after the pass `after`. Throws BenchError for one that failed. */
export async function passesAfter(url: string, after = 0): Promise<readonly PassRow[]> {
  const { rows } = await withClient(url, (client) =>
    client.query<PassRow>(
      `select id::float8 as id, stream, extract(epoch from finished_at - started_at)::float8 as seconds, outcome,
         calls::float8 as calls, rows_read::float8 as "rowsRead", inserted::float8 as inserted,
         updated::float8 as updated, unchanged::float8 as unchanged
       from pai.sync_passes where id > $1 and finished_at is not null order by id`,
      [after],
    ),
  );
  return rows;
}

export function requireSuccess(passes: readonly PassRow[]): void {
  const bad = passes.find(({ outcome }) => outcome !== 'succeeded');
  if (bad) throw new BenchError(`the pass of ${bad.stream} ended as ${bad.outcome}, expected succeeded`);
}

export const lastPassId = async (url: string): Promise<number> => (await passesAfter(url)).at(-1)?.id ?? 0;

/** Everything that is mirrored; the cursors and passes, which tell of every pass, are not. */
const DATA_TABLES =
  'pipeline_runs pipeline_run_details pipeline_run_nodes node_outputs runs run_params run_labels run_metrics change_events quarantine'.split(
    ' ',
  );

/**
 * Place and writing transaction of every row, as one number a table: any insert, update or delete changes it. (The
 * server's counters lag behind, and tell of this as well: see `writeCounts`.)
 */
export async function rowVersions(url: string): Promise<Readonly<Record<string, string>>> {
  return withClient(url, async (client) => {
    const versions: Record<string, string> = {};
    for (const table of DATA_TABLES) {
      const { rows } = await client.query<{ digest: string }>(
        `select count(*) || ' ' || coalesce(sum(hashtextextended(tableoid || ' ' || ctid || ' ' || xmin, 0)::numeric), 0)
         as digest from pai.${table}`,
      );
      versions[table] = rows[0]?.digest ?? '';
    }
    return versions;
  });
}

export interface WriteCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** Of all data tables, as the server counts since the database was made. Complete once the writers have disconnected. */
export async function writeCounts(url: string): Promise<WriteCounts> {
  const { rows } = await withClient(url, (client) =>
    client.query<WriteCounts>(
      `select coalesce(sum(n_tup_ins), 0)::float8 as inserted, coalesce(sum(n_tup_upd), 0)::float8 as updated,
         coalesce(sum(n_tup_del), 0)::float8 as deleted
       from pg_stat_user_tables where schemaname = 'pai' and (relname = any($1) or relname like 'change_events_%')`,
      [DATA_TABLES],
    ),
  );
  return rows[0] as WriteCounts;
}

/** What autovacuum would do within a minute or so, at a known time instead. */
export async function vacuum(url: string): Promise<void> {
  await withClient(url, (client) => client.query('vacuum (analyze)'));
}

/** Forgets how far the list was read, so that the next pass of `pipeline-runs` is a first load again. */
export async function forgetCursors(url: string): Promise<void> {
  await withClient(url, (client) => client.query('delete from pai.sync_cursors'));
}

/** Marks every run's nodes and details as fetched: a history whose two calls a run were made long ago. */
export async function settleHistory(url: string): Promise<void> {
  await withClient(url, (client) =>
    client.query(
      'update pai.pipeline_runs set nodes_revision = revision, details_revision = revision, nodes_open = false',
    ),
  );
  await vacuum(url);
}
