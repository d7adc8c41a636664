/** What a week came to, for people: judged figures as a table, and counts. */
import type { Pool } from 'pg';
import { type Flatness, judgeFlatness, type Tolerance } from './flatness.js';
import type { Figure, Watched } from './watch.js';

/**
 * What a figure may grow by and still be flat. Heap is what is left after a collection of garbage, and scatters by a
 * few passes that are under way; descriptors and timers are those of the calls and questions under way, more by day than by
 * night, and of the emulator's connections, which it keeps open for a minute. Null: only told, since how late the event loop is says more of the machine than of the service.
 */
const TOLERANCES: Readonly<Record<Figure, Tolerance | null>> = {
  'heap after collection, MB': { share: 0.04, most: 1 },
  'memory outside the heap, MB': { share: 0.1, most: 1 },
  'resident memory, MB': { share: 0.1, most: 5 },
  'open descriptors': { share: 0, most: 20 },
  timers: { share: 0, most: 12 },
  connections: { share: 0, most: 1 },
  'lines of /metrics': { share: 0, most: 25 },
  'event loop delay p99, ms': null,
};

/** Throws RangeError where there are too few samples. */
export const judgeAll = ({ series }: Watched): Map<Figure, Flatness> =>
  new Map(
    [...series].map(([figure, samples]) => [figure, judgeFlatness(samples, TOLERANCES[figure] ?? NEVER_TOO_MUCH)]),
  );

const NEVER_TOO_MUCH: Tolerance = { share: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY };

/** The names of those that grow. */
export const growing = (judged: ReadonlyMap<Figure, Flatness>): Figure[] =>
  [...judged].flatMap(([figure, { isFlat }]) => (isFlat ? [] : [figure]));

const rounded = (value: number): string => (Number.isFinite(value) ? value.toFixed(value < 100 ? 1 : 0) : '-');

/** A line a figure. */
export function tableOf(watched: Watched, judged: ReadonlyMap<Figure, Flatness>): string {
  const rows = [...judged].map(([figure, { early, late, rise, allowed, isFlat }]) => {
    const values = (watched.series.get(figure) ?? []).map(({ value }) => value);
    const cells = [values[0] ?? Number.NaN, early, late, Math.max(...values), rise, allowed];
    const verdict = TOLERANCES[figure] === null ? 'told' : isFlat ? 'flat' : 'GROWS';
    return [figure.padEnd(30), ...cells.map((value) => rounded(value).padStart(14)), `  ${verdict}`].join('');
  });
  const names = ['first', '2nd quarter', 'last quarter', 'most', 'still rising', 'may grow by'];
  return [[''.padEnd(30), ...names.map((name) => name.padStart(14))].join(''), ...rows].join('\n');
}

/** Passes by stream, with their outcome where they did not succeed. */
export async function passesByStream(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ key: string; n: number }>(
    `select stream || case when outcome = 'succeeded' then '' else ' ' || outcome end as key, count(*)::int as n
     from pai.sync_passes where finished_at is not null group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ key, n }) => [key, n]));
}

export interface TableState {
  readonly table: string;
  readonly live: number;
  readonly dead: number;
  readonly kB: number;
}

/** By the server's own counters, those with the most dead rows first. */
export async function tableStates(pool: Pool): Promise<TableState[]> {
  const { rows } = await pool.query<TableState>(
    `select relname as table, n_live_tup::int as live, n_dead_tup::int as dead, (pg_total_relation_size(relid) / 1000)::int as "kB"
     from pg_stat_user_tables where schemaname = 'pai' order by n_dead_tup desc, relname`,
  );
  return rows;
}

/** Events by the partition that they are in: the months in which they were observed, by the database's clock. */
export async function eventsByMonth(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string; n: number }>(
    'select tableoid::regclass::text as name, count(*)::int as n from pai.change_events group by 1 order by 1',
  );
  return Object.fromEntries(rows.map(({ name, n }) => [name.replace('pai.', ''), n]));
}
