/** Checks of what the mirror does: leases, freshness, quarantine, sums, retention. */
import type { Config } from '../../config.js';
import type { Stream } from '../../domain/streams.js';
import { periodOf } from '../../scheduler/period.js';
import { isDeadHolder } from '../../store/holder.js';
import { countDueSums, readFreshness, readLeases, readUnresolved } from '../../store/inspect/state.js';
import type { Check } from './check.js';
import { whenMigrated } from './database-checks.js';
import {
  isConfigured,
  judgeFreshness,
  judgeLeases,
  judgeQuarantine,
  judgeRetention,
  judgeSums,
} from './judge-mirror.js';
import type { Session } from './session.js';

const scheduleOf = ({ schedules }: Config): Readonly<Record<Stream, string>> => ({
  'pipeline-runs': schedules.discover,
  status: schedules.poll,
  nodes: schedules.nodes,
  details: schedules.details,
  'experiment-runs': schedules.experiments,
  reconcile: schedules.reconcile,
});

/** Seconds; an unknown stream, of a version to come, is given the time of the slowest. */
function periods(config: Config): (stream: string) => number {
  const schedule: Readonly<Record<string, string>> = scheduleOf(config);
  return (stream) => periodOf(schedule[stream] ?? config.schedules.reconcile) / 1_000;
}

export const mirrorChecks = (session: Session): readonly Check[] =>
  [
    {
      name: 'leases',
      run: async () => {
        const leases = await readLeases(session.db);
        const own = leases.filter(({ scope }) => isConfigured(session.settings.scopes, scope));
        return judgeLeases(own, isDeadHolder);
      },
    },
    {
      name: 'freshness',
      run: async () => {
        const { scopes } = session.settings;
        return judgeFreshness({
          rows: await readFreshness(session.db),
          scopes,
          periodOf: periods(session.settings),
        });
      },
    },
    { name: 'quarantine', run: async () => [judgeQuarantine(await readUnresolved(session.db))] },
    { name: 'sums', run: async () => [judgeSums(await countDueSums(session.db))] },
  ].map((check) => whenMigrated(session, check));

export const retentionCheck = (session: Session): Check => ({
  name: 'retention',
  needs: ['configuration'],
  run: () => judgeRetention(session.settings.retention, session.settings.scopes),
});
