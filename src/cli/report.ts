/** How a round is told: a table for people, one log line a pass for programs. */
import { scopeName } from '../domain/scope.js';
import type { PassReport } from '../sync/run-pass.js';
import type { Logger } from '../util/logger.js';
import { type Output, table } from './output.js';

export const failed = (report: PassReport): boolean => report.outcome !== 'succeeded';

/** Why a pass did not succeed. */
const reason = (report: PassReport): string | null =>
  report.outcome === 'busy' ? 'another process is at it' : report.error;

export function tellReports(reports: readonly PassReport[], output: Output, logger: Logger): void {
  if (output.isTerminal) tellPeople(reports, output);
  else for (const report of reports) tellPrograms(report, logger);
}

function tellPeople(reports: readonly PassReport[], output: Output): void {
  const header = [
    'scope',
    'stream',
    'outcome',
    'calls',
    'at least',
    'read',
    'inserted',
    'updated',
    'unchanged',
    'quarantined',
  ];
  const rows = reports.map(({ scope, stream, outcome, calls, minimumCalls, rowsRead, effect }) => [
    scopeName(scope),
    stream,
    outcome,
    calls,
    minimumCalls,
    rowsRead,
    effect.inserted,
    effect.updated,
    effect.unchanged,
    effect.quarantined,
  ]);
  output.print(table(header, rows));
  for (const report of reports.filter(failed)) {
    output.print(`${report.stream} in ${scopeName(report.scope)} ${report.outcome}: ${reason(report)}`);
  }
}

function tellPrograms(report: PassReport, logger: Logger): void {
  const { stream, outcome, calls, minimumCalls, rowsRead, effect } = report;
  const { inserted, updated, unchanged, stale, quarantined } = effect;
  const minimum = minimumCalls === null ? {} : { minimumCalls };
  const counts = { calls, ...minimum, rowsRead, inserted, updated, unchanged, stale, quarantined };
  const fields = { scope: scopeName(report.scope), stream, outcome, ...counts };
  if (failed(report)) logger.error({ ...fields, error: reason(report) }, `${stream} ${outcome}: ${reason(report)}`);
  else logger.info(fields, `${stream} succeeded`);
}
