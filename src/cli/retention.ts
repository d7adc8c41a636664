/** `retention`: prunes what the RETENTION_* rules let go, or tells what they would. Does not talk to PAI. */
import { openDatabase } from '../app.js';
import type { RetentionSettings } from '../domain/retention.js';
import { ageText, prunesAnything } from '../domain/retention.js';
import { checkMigratedAt } from '../store/migrate.js';
import type { PrunedRun } from '../store/retention/prune-runs.js';
import type { RetentionReport } from '../store/retention/report.js';
import { runRetention } from '../store/retention/retention.js';
import { createContext, type ExitCode } from './context.js';
import type { Interrupt } from './interrupt.js';
import { type Output, table } from './output.js';

export interface RetentionCommandOptions {
  readonly dryRun: boolean;
  readonly json: boolean;
}

export async function retentionCommand(options: RetentionCommandOptions, interrupt: Interrupt): Promise<ExitCode> {
  const { config, logger, output } = createContext({ scopes: false }, { LOG_LEVEL: 'warn' });
  const rules = config.retention;
  if (!prunesAnything(rules)) {
    if (options.json) output.print(JSON.stringify({ configured: false, dryRun: options.dryRun, runs: [] }));
    else
      output.print(
        'No rule lets anything go: everything is kept for ever. (RETENTION_RULES and the like; see README.md.)',
      );
    return 0;
  }
  const database = await openDatabase(config, logger);
  try {
    const { connectionString } = database;
    await checkMigratedAt(connectionString);
    const tellIds = options.json ? idPrinter(output) : null;
    const onPruned = tellIds === null ? {} : { onPruned: tellIds.add };
    const { dryRun } = options;
    const report = await runRetention({
      connectionString,
      settings: rules,
      dryRun,
      signal: interrupt.signal,
      ...onPruned,
    });
    if (report === null) {
      tellIds?.end({ busy: true });
      process.stderr.write('pai-mirror: another process is pruning now\n');
      return 1;
    }
    if (tellIds) tellIds.end(report);
    else printReport(report, rules, output);
    return report.failures.length === 0 ? 0 : 1;
  } finally {
    await database.close();
  }
}

/** One JSON document, a run a line, printed as they go: there may be millions. */
function idPrinter(output: Output): { add(runs: readonly PrunedRun[]): void; end(rest: object): void } {
  let before: string | null = null;
  output.print('{"configured": true, "runs": [');
  return {
    add: (runs) => {
      for (const { entity, id, scope, status, endedAt } of runs) {
        if (before !== null) output.print(`${before},`);
        before = JSON.stringify({ entity, id, scope, status, endedAt });
      }
    },
    end: (rest) => {
      if (before !== null) output.print(before);
      output.print(`], ${JSON.stringify(rest).slice(1)}`);
    },
  };
}

function printReport(report: RetentionReport, rules: RetentionSettings, output: Output): void {
  output.print(report.dryRun ? 'A dry run: this is what would go, nothing has.' : 'Pruned:');
  if (report.rules.length > 0) output.print(`\n${rulesTable(report)}`);
  if (report.old.length > 0) {
    const rows = report.old.map((one) => [
      `pai.${one.table}`,
      one.rows,
      day(one.cutoff),
      day(one.oldest),
      day(one.newest),
    ]);
    output.print(`\n${table(['rows of', 'rows', 'older than', 'oldest', 'newest'], rows)}`);
  }
  const tables = Object.entries(report.tables).map(([name, { rows, estimatedBytes }]) => [
    `pai.${name}`,
    rows,
    `about ${megabytes(estimatedBytes)}`,
  ]);
  if (tables.length > 0) output.print(`\n${table(['table', 'rows', 'size'], tables)}`);
  if (rules.history !== null) printMonths(report, ageText(rules.history), output);
  for (const failure of report.failures) output.print(`\nfailed: ${failure}; the next run tries again`);
}

function rulesTable({ rules }: RetentionReport): string {
  const rows = rules.flatMap(({ entity, rule, cutoff, waiting, scopes }) => {
    const what = entity === 'run' ? 'experiment runs' : 'pipeline runs';
    const shown = scopes.length > 0 ? scopes : [{ scope: null, runs: 0, oldest: null, newest: null }];
    return shown.map(({ scope, runs, oldest, newest }, index) => [
      rule,
      what,
      cutoff === null ? 'kept' : day(cutoff),
      scope,
      runs,
      day(oldest),
      day(newest),
      index === 0 ? waiting : null,
    ]);
  });
  return table(['rule', 'of', 'ended before', 'scope', 'runs', 'oldest end', 'newest end', 'old, but awaited'], rows);
}

function printMonths({ months, dryRun }: RetentionReport, age: string, output: Output): void {
  if (months.length === 0) {
    output.print(`\nNo month of the history is older than ${age} as a whole.`);
    return;
  }
  const rows = months.map(({ partition, from, to, estimatedRows, bytes }) => [
    `pai.${partition}`,
    day(from),
    day(to),
    `~${estimatedRows}`,
    megabytes(bytes),
  ]);
  const header = [dryRun ? 'partition that would be dropped' : 'partition dropped', 'from', 'up to', 'rows', 'size'];
  output.print(`\n${table(header, rows)}`);
}

/** To the minute, in UTC. */
const day = (instant: string | null): string | null =>
  instant === null ? null : `${instant.slice(0, 10)} ${instant.slice(11, 16)}Z`;

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(bytes < 100_000_000 ? 1 : 0)} MB`;
