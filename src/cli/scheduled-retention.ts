/** Retention inside the service. Of several replicas that tick at the same moment one prunes, the others pass. */
import type { Mirror } from '../app.js';
import type { Config } from '../config.js';
import { prunesAnything } from '../domain/retention.js';
import { Job } from '../scheduler/job.js';
import { runRetention } from '../store/retention/retention.js';
import type { Logger } from '../util/logger.js';

/** Null when no rule lets anything go: then nothing is scheduled. */
export function scheduleRetention(mirror: Mirror, config: Config, logger: Logger): Job | null {
  const { retention: settings, schedules } = config;
  if (!prunesAnything(settings)) return null;
  const { connectionString } = mirror.database;
  const run = async (signal: AbortSignal): Promise<void> => {
    const report = await runRetention({ connectionString, settings, dryRun: false, signal });
    if (report === null) return void logger.info({}, 'retention: another process is at it');
    const { rules, tables, months, failures } = report;
    for (const failure of failures) logger.warn({}, `retention: ${failure}; the next run tries again`);
    const pruned = rules.reduce((sum, { scopes }) => sum + scopes.reduce((all, { runs }) => all + runs, 0), 0);
    const rows = Object.fromEntries(Object.entries(tables).map(([table, one]) => [table, one.rows]));
    logger.info({ runs: pruned, rows, months: months.map(({ partition }) => partition) }, 'retention succeeded');
  };
  return new Job({ name: 'retention', schedule: schedules.retention, run, logger });
}
