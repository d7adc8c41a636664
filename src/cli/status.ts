/** `status`: how fresh and how complete the mirror is. */
import { openStore } from '../app.js';
import { checkMigrated } from '../store/migrate.js';
import type { Overview } from '../store/overview.js';
import { createContext, type ExitCode } from './context.js';
import { type Output, table } from './output.js';

export async function statusCommand(options: { readonly json: boolean }): Promise<ExitCode> {
  const { config, logger, output } = createContext({ scopes: false }, { LOG_LEVEL: 'warn' });
  const opened = await openStore({ config, logger, migrate: false });
  try {
    await checkMigrated(opened.store.pool);
    const overview = await opened.store.overview();
    if (options.json) output.print(JSON.stringify(overview, null, 2));
    else printOverview(overview, output);
    return 0;
  } finally {
    await opened.close();
  }
}

function printOverview(overview: Overview, output: Output): void {
  if (overview.streams.length === 0) {
    output.print('Nothing has been mirrored yet: run `pai-mirror sync` or `pai-mirror start`.');
    return;
  }
  const streams = overview.streams.map(({ scope, stream, lastPass, lastSuccessAt, watermark, leaseHolder }) => [
    scope,
    stream,
    leaseHolder === null ? (lastPass?.outcome ?? '-') : 'running',
    shortTime(lastSuccessAt),
    shortTime(watermark),
    lastPass?.error ?? '',
  ]);
  output.print(table(['scope', 'stream', 'last pass', 'last success', 'complete up to', 'error'], streams));
  output.print('');
  const header = [
    'scope',
    'pipeline runs',
    'active',
    'nodes due',
    'details due',
    'missing',
    'deleted',
    'experiment runs',
    'pruned',
  ];
  const scopes = overview.scopes.map((scope) => [
    scope.scope,
    scope.pipelineRuns,
    scope.activePipelineRuns,
    scope.dueForNodes,
    scope.dueForDetails,
    scope.missingPipelineRuns,
    scope.deletedPipelineRuns,
    scope.experimentRuns,
    scope.prunedPipelineRuns + scope.prunedExperimentRuns,
    scope.unresolvedQuarantine,
    scope.failingItems,
  ]);
  output.print(table([...header, 'in quarantine', 'failing'], scopes));
  output.print('');
  const tables = overview.tables.map(({ table: name, rows, estimated }) => [name, `${estimated ? '~' : ''}${rows}`]);
  output.print(table(['table', 'rows'], tables));
}

/** To the second: `2026-11-21 22:01:07Z`. */
const shortTime = (instant: string | null): string | null =>
  instant === null ? null : `${instant.slice(0, 10)} ${instant.slice(11, 19)}Z`;
