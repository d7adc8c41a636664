/** Which rows of which tables an export holds, as SQL. Nothing here comes from outside but checked times and scopes. */
import type { ExportRange } from '../../domain/export.js';
import type { ScopePattern } from '../../domain/scope.js';
import { literal } from '../sql.js';

export interface ExportChoice {
  readonly range: ExportRange;
  /** Null: every scope. */
  readonly scope: ScopePattern | null;
}

interface ExportTable {
  readonly table: string;
  /** In words, for the manifest. */
  readonly chosenBy: string;
  /** Condition on `t`; null: every row. */
  readonly where: (choice: ExportChoice) => string | null;
}

const RUN_CREATED = 'GmtCreateTime, else StartedAt, else when the mirror saw it first';
const EXPERIMENT_CREATED = 'GmtCreateTime, else when the mirror saw it first';

const all = (conditions: readonly string[]): string | null =>
  conditions.length === 0 ? null : conditions.join(' and ');

const inRange = (time: string, { from, to }: ExportRange): string[] => [
  ...(from === null ? [] : [`${time} >= ${literal(from)}::timestamptz`]),
  ...(to === null ? [] : [`${time} < ${literal(to)}::timestamptz`]),
];

/** `alias` has the columns region and scope. */
function inScope(alias: string, scope: ScopePattern | null): string[] {
  if (scope === null) return [];
  const { region, workspaceId } = scope;
  return workspaceId === '*'
    ? [`${alias}.region = ${literal(region)}`]
    : [`${alias}.scope = ${literal(`${region}:${workspaceId}`)}`];
}

const pipelineRuns = (alias: string, { range, scope }: ExportChoice): string[] => [
  ...inRange(`coalesce(${alias}.gmt_create_time, ${alias}.started_at, ${alias}.first_seen_at)`, range),
  ...inScope(alias, scope),
];

const experimentRuns = (alias: string, { range, scope }: ExportChoice): string[] => [
  ...inRange(`coalesce(${alias}.gmt_create_time, ${alias}.first_seen_at)`, range),
  ...inScope(alias, scope),
];

/** What hangs on a run goes with it. */
const below = (
  table: string,
  runs: string,
  key: string,
  chosen: (alias: string, choice: ExportChoice) => string[],
): ExportTable => ({
  table,
  chosenBy: `with its run in ${runs}`,
  where: (choice) => {
    const condition = all(chosen('r', choice));
    return condition && `exists (select from pai.${runs} r where r.${key} = t.${key} and ${condition})`;
  },
});

const dated = (table: string, time: string, chosenBy: string): ExportTable => ({
  table,
  chosenBy,
  where: ({ range, scope }) => all([...inRange(`t.${time}`, range), ...inScope('t', scope)]),
});

const belowPipelineRun = (table: string) => below(table, 'pipeline_runs', 'pipeline_run_id', pipelineRuns);
const belowRun = (table: string) => below(table, 'runs', 'run_id', experimentRuns);

/** Everything that cannot be made anew: not the cursors, leases and sums, which are the mirror's own business. */
export const EXPORT_TABLES: readonly ExportTable[] = [
  { table: 'pipeline_runs', chosenBy: RUN_CREATED, where: (choice) => all(pipelineRuns('t', choice)) },
  belowPipelineRun('pipeline_run_details'),
  belowPipelineRun('pipeline_run_nodes'),
  belowPipelineRun('node_outputs'),
  { table: 'runs', chosenBy: EXPERIMENT_CREATED, where: (choice) => all(experimentRuns('t', choice)) },
  belowRun('run_params'),
  belowRun('run_labels'),
  belowRun('run_metrics'),
  dated('change_events', 'observed_at', 'observed_at'),
  dated('pruned_runs', 'pruned_at', 'pruned_at'),
  dated('quarantine', 'first_seen_at', 'first_seen_at'),
];
