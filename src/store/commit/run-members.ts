/** Single params, labels and metrics of experiment runs that are stored already: they come out of quarantine. */
import type { Observed, RunMember, WriteBatch } from '../../domain/batch.js';
import { fieldRow, metricRow, RUN_LABELS, RUN_METRICS, RUN_PARAMS } from '../entities/runs.js';
import { instantSql } from '../sql.js';
import type { Row, UpsertSpec } from '../upsert/spec.js';
import { type CommitContext, write } from './context.js';
import { isPruned } from './pruned.js';
import { childEntry, touchRuns } from './runs.js';

interface Home {
  readonly modified: string | null;
  /** The run's row is not newer than the member. */
  readonly isFresh: boolean;
}

async function homeOf(context: CommitContext, runId: string, observedAt: string): Promise<Home | undefined> {
  const { rows } = await context.client.query<Home>(
    `select ${instantSql('gmt_modified_time')} as modified, observed_at <= $3::timestamptz as "isFresh"
     from pai.runs where run_id = $1 and scope = $2 for no key update`,
    [runId, context.scope.name, observedAt],
  );
  return rows[0];
}

function tableOf({ list, member, runId }: RunMember, modified: string | null): [UpsertSpec, string, Row] {
  if (list === 'metrics') return [RUN_METRICS, 'run_metric', metricRow({ runId }, member)];
  const row = fieldRow({ runId, gmtModifiedTime: modified }, member, true);
  return list === 'params' ? [RUN_PARAMS, 'run_param', row] : [RUN_LABELS, 'run_label', row];
}

/** A member whose run is not stored is passed over; one that is older than its run is stale, unless it is a new point. */
async function writeMember(
  context: CommitContext,
  evidence: Observed<RunMember>['evidence'],
  item: RunMember,
): Promise<void> {
  const home = await homeOf(context, item.runId, evidence.observedAt);
  if (home === undefined) {
    if (context.hasPruned && (await isPruned(context.client, 'run', item.runId))) context.effect.unchanged += 1;
    return;
  }
  if (!home.isFresh && item.list !== 'metrics') {
    context.effect.stale += 1;
    return;
  }
  const run = {
    operation: 'ListRuns',
    entity: 'run',
    entityId: item.runId,
    item: null,
    row: {},
    evidence,
  };
  const [spec, entity, row] = tableOf(item, home.modified);
  const { changes } = await write(context, spec, [childEntry({ entry: run, run: item }, entity, item.member, row)]);
  if (changes.some((change) => item.list !== 'metrics' || !change.isNew)) await touchRuns(context, [run]);
}

export async function writeRunMembers(context: CommitContext, batch: WriteBatch): Promise<void> {
  for (const { evidence, items } of batch.experimentRunMembers ?? []) {
    for (const item of items) await writeMember(context, evidence, item);
  }
}
