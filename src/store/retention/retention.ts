/**
 * Carries out the rules of retention, or tells what they would do. The plan is made once, by one look at every run, into a
 * temporary table; then batch by batch each run is judged again under its lock and goes in one transaction with
 * everything below it. Between any two of them the process may be killed: what is left is found by the next run.
 */
import type { ClientBase } from 'pg';
import type { Instant } from '../../domain/entities.js';
import { describeError } from '../../domain/errors.js';
import { type Age, ageText, type RetentionRule, type RetentionSettings } from '../../domain/retention.js';
import { letOthersPrune, tryToPruneAlone } from '../pruning-lock.js';
import { instantSql, quote } from '../sql.js';
import { agedSql, type PrunableEntity, ruleParameters } from './due-runs.js';
import { dropMonth, oldMonths } from './history-months.js';
import { countOldRows, joinRows, type PrunableRows, pruneOldRows } from './prune-rows.js';
import { countBatch, type PrunedRun, pruneBatch } from './prune-runs.js';
import { ReportBuilder, type RetentionReport, type RowSizes } from './report.js';
import { inTransaction, LOCK_TIMEOUT_MS, withSession } from './session.js';

/** Runs of one transaction: some tenths of a second, in which no pass can commit. */
const RUNS_AT_ONCE = 1_000;

export interface RetentionOptions {
  readonly connectionString: string;
  readonly settings: RetentionSettings;
  /** Nothing is written; the report says what would go. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Told of every batch, in the order of the ids. */
  readonly onPruned?: (runs: readonly PrunedRun[]) => void;
  /** Default 1,000. */
  readonly runsAtOnce?: number;
  /** Milliseconds to wait for a lock, several times; default 3,000. */
  readonly lockTimeoutMs?: number;
}

interface Work extends RetentionOptions {
  readonly client: ClientBase;
  readonly report: ReportBuilder;
}

/**
 * Null: another process is at it. Throws StoreError, or the signal's reason at once; what went until then is gone.
 */
export function runRetention(options: RetentionOptions): Promise<RetentionReport | null> {
  return withSession(options.connectionString, options.signal, async (client) => {
    if (!options.dryRun && !(await tryToPruneAlone(client))) return null;
    try {
      return await carryOut(client, options);
    } finally {
      if (!options.dryRun) await letOthersPrune(client);
    }
  });
}

async function carryOut(client: ClientBase, options: RetentionOptions): Promise<RetentionReport> {
  const report = new ReportBuilder(options.dryRun, await rowSizes(client));
  const work = { ...options, client, report };
  const { runs, experiments, passes, quarantine, history } = options.settings;
  await pruneRuns(work, 'pipeline_run', runs);
  await pruneRuns(work, 'run', experiments);
  await pruneRows(work, 'sync_passes', passes);
  await pruneRows(work, 'quarantine', quarantine);
  await pruneHistory(work, history);
  return report.build();
}

/** Of what PostgreSQL last counted; a table that it never looked at is counted. */
async function rowSizes(client: ClientBase): Promise<RowSizes> {
  const { rows } = await client.query<{ table: string; rows: number; bytes: number }>(
    `select relname as table, reltuples::float8 as rows, pg_total_relation_size(oid)::float8 as bytes
     from pg_class where relnamespace = 'pai'::regnamespace and relkind = 'r' and not relispartition`,
  );
  const sizes = new Map<string, number>();
  for (const { table, rows: estimate, bytes } of rows) {
    const counted = estimate > 0 ? estimate : await countRows(client, table);
    sizes.set(table, counted > 0 ? bytes / counted : 0);
  }
  return sizes;
}

async function countRows(client: ClientBase, table: string): Promise<number> {
  const { rows } = await client.query<{ rows: number }>(`select count(*)::float8 as rows from pai.${quote(table)}`);
  return rows[0]?.rows ?? 0;
}

/** Months and years back from now, by the database's clock and calendar. */
async function cutoffsOf(client: ClientBase, ages: readonly (Age | null)[]): Promise<(Instant | null)[]> {
  const { rows } = await client.query<{ cutoff: Instant | null }>(
    `select ${instantSql('(now() - age)')} as cutoff from unnest($1::interval[]) with ordinality as u(age, n) order by n`,
    [ages.map((age) => (age === null ? null : ageText(age)))],
  );
  return rows.map(({ cutoff }) => cutoff);
}

async function pruneRuns(work: Work, entity: PrunableEntity, rules: readonly RetentionRule[]): Promise<void> {
  const { client, report, dryRun, signal } = work;
  if (rules.length === 0) return;
  const cutoffs = await cutoffsOf(
    client,
    rules.map(({ age }) => age),
  );
  const parameters = ruleParameters(rules, cutoffs);
  const waiting = await plan(client, entity, parameters);
  const reports = report.addRules(entity, rules, cutoffs, waiting);
  for await (const ids of plannedIds(client, work.runsAtOnce ?? RUNS_AT_ONCE)) {
    signal.throwIfAborted();
    const batch = dryRun
      ? await countBatch(client, entity, parameters, ids)
      : await inTransaction(client, work.lockTimeoutMs ?? LOCK_TIMEOUT_MS, () =>
          pruneBatch(client, entity, parameters, ids),
        );
    report.addBatch(reports, batch);
    work.onPruned?.(batch.runs);
  }
}

/** Fills the plan in the order of the ids. Returns how many runs are old enough and still waited for, by rule. */
async function plan(
  client: ClientBase,
  entity: PrunableEntity,
  parameters: readonly unknown[],
): Promise<ReadonlyMap<number, number>> {
  await client.query('drop table if exists pg_temp.retention_plan');
  await client.query(
    'create temporary table retention_plan (n bigint generated always as identity primary key, id text, rule int, waits boolean)',
  );
  await client.query(
    `insert into pg_temp.retention_plan (id, rule, waits)
     select id, rule, waits from (${agedSql(entity)}) aged order by id collate "C"`,
    [...parameters],
  );
  const { rows } = await client.query<{ rule: number; runs: number }>(
    'select rule, count(*)::float8 as runs from pg_temp.retention_plan where waits group by rule',
  );
  return new Map(rows.map(({ rule, runs }) => [rule, runs]));
}

async function* plannedIds(client: ClientBase, limit: number): AsyncGenerator<string[]> {
  for (let after = '0'; ; ) {
    const { rows } = await client.query<{ n: string; id: string }>(
      'select n, id from pg_temp.retention_plan where n > $1::bigint and not waits order by n limit $2',
      [after, limit],
    );
    if (rows.length === 0) return;
    yield rows.map(({ id }) => id);
    after = rows.at(-1)?.n as string;
  }
}

async function pruneRows(work: Work, table: PrunableRows, age: Age | null): Promise<void> {
  const { client, report, dryRun, signal } = work;
  const [cutoff] = age === null ? [null] : await cutoffsOf(client, [age]);
  if (cutoff == null) return;
  if (dryRun) return report.addOld(table, cutoff, await countOldRows(client, table, cutoff));
  let gone = { rows: 0, oldest: null, newest: null } as Awaited<ReturnType<typeof pruneOldRows>>;
  for (;;) {
    signal.throwIfAborted();
    const more = await inTransaction(client, work.lockTimeoutMs ?? LOCK_TIMEOUT_MS, () =>
      pruneOldRows(client, table, cutoff),
    );
    if (more.rows === 0) break;
    gone = joinRows(gone, more);
  }
  report.addOld(table, cutoff, gone);
}

/** A month whose lock does not come is left for the next run, and told. */
async function pruneHistory(work: Work, age: Age | null): Promise<void> {
  const { client, report, dryRun, signal } = work;
  const [cutoff] = age === null ? [null] : await cutoffsOf(client, [age]);
  if (cutoff == null) return;
  for (const month of await oldMonths(client, cutoff)) {
    signal.throwIfAborted();
    try {
      if (!dryRun) await inTransaction(client, work.lockTimeoutMs ?? LOCK_TIMEOUT_MS, () => dropMonth(client, month));
      report.months.push(month);
    } catch (error) {
      report.failures.push(`pai.${month.partition} could not be dropped: ${describeError(error)}`);
    }
  }
}
