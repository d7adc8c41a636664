/**
 * The list of runs, newest first. What an index answers (time, pipeline) bounds what is looked at; everything else is
 * checked row by row, in growing windows, until a page is full or a bound is met. The page then says how far the search
 * came, and goes on from there: no request reads a million rows, and none leaves a run out. Rejected: an index for each
 * filter, which every write of the mirror would pay for, and OFFSET, which shows runs twice while new ones arrive.
 */
import type pg from 'pg';
import type { RunCursor, RunPage, RunRow, RunSearch } from '../../domain/page.js';
import { query } from '../pool.js';
import { instantSql } from '../sql.js';

export interface SearchBounds {
  /** Runs looked at first, and at most in one statement; each window is four times the one before. */
  readonly firstWindow: number;
  readonly mostInWindow: number;
  /** No further window is begun after so many runs, or milliseconds; the latter bounds the comparison of metrics, too. */
  readonly mostLooked: number;
  readonly mostMs: number;
}

/** 20,000 runs are looked at in about 30 ms. */
export const DEFAULT_BOUNDS: SearchBounds = { firstWindow: 500, mostInWindow: 20_000, mostLooked: 100_000, mostMs: 80 };

/** SQL with its values; `add` returns the placeholder. */
class Values {
  readonly list: unknown[] = [];
  add(value: unknown): string {
    return `$${this.list.push(value)}`;
  }
}

interface Looked {
  readonly id: string;
  readonly createdAt: string | null;
  readonly hit: boolean;
  readonly count: number;
}

/** What an index can answer, and the place to go on from. */
function boundsSql(search: RunSearch, after: RunCursor | null, timed: boolean, values: Values): string[] {
  const bounds = [timed ? 'created_at is not null' : 'created_at is null'];
  if (search.pipelineId !== null) bounds.push(`pipeline_id = ${values.add(search.pipelineId)}`);
  if (search.from !== null) bounds.push(`created_at >= ${values.add(search.from)}::timestamptz`);
  if (search.to !== null) bounds.push(`created_at < ${values.add(search.to)}::timestamptz`);
  if (after === null || after.id === '') return bounds;
  if (!timed) bounds.push(`pipeline_run_id < ${values.add(after.id)}`);
  else
    bounds.push(
      `(created_at, pipeline_run_id) < (${values.add(after.createdAt)}::timestamptz, ${values.add(after.id)})`,
    );
  return bounds;
}

/** What is checked row by row. Active runs are few, and have a view of their own that knows them without a search. */
function matchSql(search: RunSearch, values: Values): string {
  const checks: string[] = [];
  if (search.scope !== null) checks.push(`scope = ${values.add(search.scope)}`);
  if (search.userId !== null) checks.push(`user_id = ${values.add(search.userId)}`);
  if (search.status !== null) checks.push(`lower(status) = lower(${values.add(search.status)})`);
  if (search.outcome !== null && search.outcome !== 'active') checks.push(`outcome = ${values.add(search.outcome)}`);
  if (search.text !== null) {
    const text = values.add(search.text);
    checks.push(`(strpos(lower(name), lower(${text})) > 0 or starts_with(lower(pipeline_run_id), lower(${text})))`);
  }
  return checks.length === 0 ? 'true' : `coalesce(${checks.join(' and ')}, false)`;
}

function windowSql(search: RunSearch, after: RunCursor | null, timed: boolean, window: number, most: number) {
  const values = new Values();
  const match = matchSql(search, values);
  const bounds = boundsSql(search, after, timed, values).join(' and ');
  const view = search.outcome === 'active' ? 'active_runs' : 'pipeline_runs';
  const text = `
    with looked as materialized (
      select pipeline_run_id as id, created_at, ${match} as hit from analytics.${view} where ${bounds}
      order by created_at desc, pipeline_run_id desc limit ${values.add(window)}
    ), placed as (
      select *, row_number() over (order by created_at desc, id desc) as place, count(*) over () as count,
        count(*) filter (where hit) over (order by created_at desc, id desc rows unbounded preceding) as hits from looked
    )
    select id, ${instantSql('created_at')} as "createdAt", hit, count::float8 as count from placed
    where (hit and hits <= ${values.add(most)}) or place = count order by place`;
  return { text, values: values.list };
}

interface Found {
  readonly hits: readonly RunCursor[];
  readonly looked: number;
  /** Where the search stopped; null: at the end. */
  readonly stopped: RunCursor | null;
}

/** One window. More hits than `most` are left for the next page. */
async function look(
  pool: pg.Pool,
  search: RunSearch,
  place: { readonly after: RunCursor | null; readonly timed: boolean },
  size: { readonly window: number; readonly most: number },
): Promise<Found> {
  const { text, values } = windowSql(search, place.after, place.timed, size.window, size.most + 1);
  const rows = await query<Looked>(pool, 'searching runs', text, values);
  const hits = rows.filter(({ hit }) => hit).map(({ id, createdAt }) => ({ id, createdAt }));
  const looked = rows.at(-1)?.count ?? 0;
  if (hits.length > size.most) return { hits: hits.slice(0, size.most), looked, stopped: hits[size.most - 1] ?? null };
  const last = rows.at(-1);
  const isEnd = looked < size.window || last === undefined;
  return { hits, looked, stopped: isEnd ? null : { id: last.id, createdAt: last.createdAt } };
}

export async function searchRuns(
  pool: pg.Pool,
  search: RunSearch,
  after: RunCursor | null,
  most: number,
  bounds: SearchBounds,
): Promise<RunPage> {
  const deadline = performance.now() + bounds.mostMs;
  const hits: RunCursor[] = [];
  let place = { after, timed: after === null || after.createdAt !== null };
  let window = Math.max(bounds.firstWindow, most + 1);
  let looked = 0;
  for (;;) {
    const found = await look(pool, search, place, { window, most: most - hits.length });
    hits.push(...found.hits);
    looked += found.looked;
    if (found.stopped === null && !hasUntimed(search, place.timed))
      return { rows: await rowsOf(pool, hits), next: null, looked, isPartial: false };
    place = found.stopped === null ? { after: null, timed: false } : { after: found.stopped, timed: place.timed };
    const next = place.after ?? FIRST_UNTIMED;
    const isFull = hits.length >= most;
    if (isFull || looked >= bounds.mostLooked || performance.now() >= deadline)
      return { rows: await rowsOf(pool, hits), next, looked, isPartial: !isFull };
    window = Math.min(window * 4, bounds.mostInWindow);
  }
}

/** Goes on with the first of the runs that have no time of creation. No run has the empty id. */
const FIRST_UNTIMED: RunCursor = { createdAt: null, id: '' };

/** Runs without a time of creation come at the end, unless a range of times is asked for. */
const hasUntimed = (search: RunSearch, timed: boolean): boolean => timed && search.from === null && search.to === null;

const ROW = `pipeline_run_id as id, name, scope, pipeline_id as "pipelineId", user_id as "userId", status, outcome,
    ${instantSql('created_at')} as "createdAt", run_seconds::float8 as "runSeconds"`;

async function rowsOf(pool: pg.Pool, found: readonly RunCursor[]): Promise<RunRow[]> {
  if (found.length === 0) return [];
  const sql = `select ${ROW} from analytics.pipeline_runs where pipeline_run_id = any($1)
    order by created_at desc nulls last, pipeline_run_id desc`;
  return query<RunRow>(pool, 'reading runs', sql, [found.map(({ id }) => id)]);
}

/**
 * Ids with that beginning follow the beginning itself in the index: a few rows are read from there. Where the collation
 * sorts others between them some may be missed here, and are still found by the search.
 */
export async function runsById(pool: pg.Pool, prefix: string, most: number): Promise<RunRow[]> {
  const sql = `
    select ${ROW} from (
      select pipeline_run_id as near from analytics.pipeline_runs where pipeline_run_id >= $1 order by pipeline_run_id limit $2
    ) n join analytics.pipeline_runs r on r.pipeline_run_id = n.near
    where starts_with(n.near, $1) order by created_at desc nulls last, pipeline_run_id desc`;
  return query<RunRow>(pool, 'looking for an id', sql, [prefix, most]);
}
