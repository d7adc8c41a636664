/** What 90 days of its own work leave in a mirror: passes of every stream, cursors, leases, and what went wrong. */
import { DAYS, REGION } from './fill-sql.js';

/** Seconds between two passes, by stream: the schedules that a service has by itself. */
const EVERY: Readonly<Record<string, number>> = {
  'pipeline-runs': 30,
  status: 15,
  nodes: 15,
  details: 30,
  'experiment-runs': 300,
  reconcile: 21_600,
};

const STREAMS = `(values ${Object.entries(EVERY)
  .map(([stream, seconds]) => `('${stream}', ${seconds})`)
  .join(', ')}) as t(stream, every)`;

const SCOPES = `unnest(array['${REGION}:10001', '${REGION}:10002', '${REGION}:10003']) as scope`;

/** 4.7 million in 90 days for three scopes; `thin` leaves out all but one of so many. */
export const passesSql = (thin: number): string => `
  insert into pai.sync_passes (scope, stream, fence, started_at, finished_at, outcome, calls, rows_read, inserted, updated, unchanged, error)
  select scope, t.stream, 1, at, at + interval '0.4 seconds', case when unlucky then 'failed' else 'succeeded' end, 1 + n % 4,
    100, n % 3, n % 5, 92, case when unlucky then 'ListPipelineRuns in ${REGION} failed: HTTP 503 ServiceUnavailable' end
  from ${STREAMS} cross join ${SCOPES}
  cross join lateral generate_series(now() - interval '${DAYS} days', now(), t.every * ${thin} * interval '1 second') with ordinality as g(at, n)
  cross join lateral (select hashint8(n + t.every) % 997 = 0 as unlucky) u
  order by at`;

export const BOOKKEEPING = `
  insert into pai.sync_cursors (scope, stream, watermark, state, updated_at)
  select scope, t.stream, now() - interval '10 minutes', '{}', now() from ${STREAMS} cross join ${SCOPES};
  insert into pai.sync_leases (scope, stream, holder, fence, acquired_at, expires_at)
  select scope, t.stream, 'bench/1/1', 1, now(), now() + interval '1 minute' from ${STREAMS} cross join ${SCOPES};
  insert into pai.call_budgets (region, name, due_at, pace) values ('${REGION}', 'flow', now(), 0.5), ('${REGION}', 'listRuns', now(), 1);
  insert into pai.sync_retries (scope, stream, entity_id, attempts, failed_at, retry_at, error)
  select '${REGION}:10001', 'details', 'flow-' || n, n % 9 + 1, now(), now() + interval '1 minute', 'GetPipelineRun failed: HTTP 500'
  from generate_series(1, 20) as n;
  insert into pai.quarantine (scope, region, stream, operation, entity, entity_id, raw, fingerprint, error, request_id, observed_at, first_seen_at)
  select '${REGION}:10001', '${REGION}', 'pipeline-runs', 'ListPipelineRuns', 'pipeline_run', 'flow-' || n, '{}', md5(n::text),
    'Name: found an array, expected a text', md5('q' || n), now() - n * interval '1 hour', now() - n * interval '1 hour'
  from generate_series(1, 50) as n`;

/** The months behind, which a service that ran through them has made at their time. */
export const PARTITIONS = `
  do $$
  declare month timestamptz;
  begin
    for month in select generate_series(date_trunc('month', now() - interval '${DAYS} days', 'UTC'), now(), interval '1 month') loop
      continue when to_regclass('pai.change_events_' || to_char(month at time zone 'UTC', 'YYYY_MM')) is not null;
      execute format('create table pai.%I partition of pai.change_events for values from (%L) to (%L)',
        'change_events_' || to_char(month at time zone 'UTC', 'YYYY_MM'), month, month + interval '1 month');
    end loop;
  end $$`;
