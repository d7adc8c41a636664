/** Pieces of SQL that the dashboards share. */

/** True for every row when "All" is chosen (decided while planning), else for rows with one of the chosen values. */
export const among = (column: string, variable: string): string =>
  `('*' in (\${${variable}:sqlstring}) or ${column} in (\${${variable}:sqlstring}))`;

/** Several of them, as one condition. */
export const amongAll = (filters: Readonly<Record<string, string>>): string =>
  Object.entries(filters)
    .map(([column, variable]) => among(column, variable))
    .join('\n  and ');

/** The dashboard's time zone; Grafana before 11 called it "browser" where it was the browser's. */
const ZONE = "coalesce(nullif(${__timezone:sqlstring}, 'browser'), current_setting('TimeZone'))";

/** The beginning of the day of the dashboard's time zone, as an instant. */
export const dayOf = (column: string): string =>
  `date_trunc('day', ${column} at time zone ${ZONE}) at time zone ${ZONE}`;

/** Milliseconds since 1970 as text, so that a link can carry it as it is; a minute of room on both sides of a run. */
export const runRange = (run = ''): string =>
  `(extract(epoch from coalesce(${run}started_at, ${run}created_at)) * 1000 - 60000)::bigint::text as from_ms,
  (extract(epoch from coalesce(${run}finished_at, now())) * 1000 + 60000)::bigint::text as to_ms`;

/** Of the succeeded runs whose seconds are known, over rows of run_buckets. */
export const MEAN = 'sum(run_seconds)::float8 / nullif(sum(cardinality(succeeded_seconds)), 0)';
