import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import type { PipelineRun } from '../../src/domain/entities.js';
import { at, noDocument, nodeStatus, observed, pipelineRun, runStatus, treeNode, useMirror } from './fixtures.js';

const mirror = useMirror();

/** What the source says of the run from minute `10 * version` on; every version has a status of its own. */
const versionOf = (id: string, version: number): PipelineRun =>
  pipelineRun(id, {
    status: `Status ${version}`,
    gmtModifiedTime: at(version * 10),
    duration: String(version),
    message: version % 2 === 0 ? null : `message ${version}`,
    sourceId: version < 2 ? null : 'source',
    finishedAt: version % 3 === 0 ? null : at(version),
  });

type Kind = 'list' | 'poll' | 'details';

/** An observation at a minute shows the version of that minute. */
function batchOf(id: string, { minute, kind }: { minute: number; kind: Kind }): WriteBatch {
  const run = versionOf(id, Math.floor(minute / 10));
  if (kind === 'list') return { pipelineRuns: observed(minute, run) };
  if (kind === 'poll') return { pipelineRunStatuses: observed(minute, runStatus(id, { status: run.status })) };
  return {
    pipelineRunDetails: observed(minute, { run, manifest: noDocument, arguments: noDocument, options: noDocument }),
  };
}

const observations = fc.uniqueArray(
  fc.record({ minute: fc.integer({ min: 0, max: 59 }), kind: fc.constantFrom<Kind>('list', 'poll', 'details') }),
  { minLength: 1, maxLength: 9, selector: ({ minute }) => minute },
);

let serial = 0;

/** Undoes the events from the last to the first; fails where one does not start from what the next one ended with. */
async function unwind(id: string): Promise<void> {
  const now = {
    ...((await mirror().row('select to_jsonb(r) as row from pai.pipeline_runs r where pipeline_run_id = $1', [id]))
      .row as object),
  } as Record<string, unknown>;
  const events = await mirror().events(id);
  for (const event of events.toReversed()) {
    expect(event.to_status).toEqual(now.status);
    for (const [column, [old, next]] of Object.entries((event.changes ?? {}) as Record<string, [unknown, unknown]>)) {
      expect(next).not.toEqual(old);
      expect(now[column]).toEqual(next);
      now[column] = old;
    }
    expect(event.from_status).toEqual(event.kind === 'discovered' ? null : now.status);
  }
  expect(events.map((event) => event.kind)).toEqual(['discovered', ...events.slice(1).map(() => 'changed')]);
  expect(Number(now.revision)).toBe(events.length);
}

describe('invariant 4: an older observation never overwrites a newer one', () => {
  test('whatever the order of arrival, the newest observation wins, the next list makes the row whole, and the history adds up', async () => {
    await fc.assert(
      fc.asyncProperty(observations, async (arrivals) => {
        const id = `run-${++serial}`;
        for (const one of arrivals) await mirror().commit(batchOf(id, one));
        const newest = Math.max(...arrivals.map(({ minute }) => minute));
        expect((await mirror().run(id)).status).toBe(versionOf(id, Math.floor(newest / 10)).status);
        await unwind(id);

        await mirror().commit(batchOf(id, { minute: 60, kind: 'list' }));
        const last = versionOf(id, 6);
        const { row } = await mirror().row(
          `select to_jsonb(r) as row from pai.pipeline_runs r where pipeline_run_id = $1`,
          [id],
        );
        expect(row).toMatchObject({
          status: last.status,
          message: last.message,
          duration: Number(last.duration),
          source_id: last.sourceId,
          finished_at: last.finishedAt,
          gmt_modified_time: '2026-11-01T13:00:00+00:00',
        });
        await unwind(id);
      }),
      { numRuns: 40 },
    );
  });

  test('in one batch or in many, in any order, the outcome is the same', async () => {
    await fc.assert(
      fc.asyncProperty(observations, async (arrivals) => {
        const [one, many] = [`one-${++serial}`, `many-${serial}`];
        const lists = arrivals.map(({ minute }) => ({ minute, kind: 'list' as const }));
        await mirror().commit({ pipelineRuns: lists.flatMap((list) => batchOf(one, list).pipelineRuns ?? []) });
        for (const list of lists) await mirror().commit(batchOf(many, list));
        const state = async (id: string) => {
          const { pipeline_run_id, name, node_id, revision, ...row } = await mirror().run(id);
          const { first_seen_at, updated_at, observed_at, answer_request_id, ...told } = row;
          return told;
        };
        expect(await state(many)).toEqual(await state(one));
      }),
      { numRuns: 25 },
    );
  });

  test('nodes too: trees and polls in any order leave the status that was asked for last', async () => {
    const arrivals = fc.uniqueArray(fc.record({ minute: fc.integer({ min: 0, max: 40 }), poll: fc.boolean() }), {
      minLength: 1,
      maxLength: 8,
      selector: ({ minute }) => minute,
    });
    await fc.assert(
      fc.asyncProperty(arrivals, async (list) => {
        const id = `nodes-of-${++serial}`;
        const status = (minute: number) => `Status ${Math.floor(minute / 10)}`;
        for (const { minute, poll } of list) {
          const fields = { status: status(minute), finishedAt: at(Math.floor(minute / 10)) };
          const [tree] = observed(minute, treeNode(id, 'n', fields));
          await mirror().commit(
            poll
              ? { nodeStatuses: observed(minute, nodeStatus(id, 'n', fields)) }
              : {
                  nodeTrees: [
                    {
                      evidence: (tree as NonNullable<typeof tree>).evidence,
                      pipelineRunId: id,
                      nodeType: 'Logical',
                      complete: true,
                      nodes: tree?.items ?? [],
                    },
                  ],
                },
            'nodes',
          );
        }
        const newest = Math.max(...list.map(({ minute }) => minute));
        const node = await mirror().row(
          'select status, finished_at from pai.pipeline_run_nodes where pipeline_run_id = $1',
          [id],
        );
        expect(node).toEqual({ status: status(newest), finished_at: new Date(at(Math.floor(newest / 10))) });
      }),
      { numRuns: 30 },
    );
  });
});

test('invariant 4: a newer answer without news waits for an older one that is being stored, and has the last word', async () => {
  await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
  const status = await mirror().lease('status');
  let go = (): void => {};
  const turn = new Promise<void>((resolve) => {
    go = resolve;
  });
  const failed = { pipelineRunStatuses: observed(1, runStatus('r1', { status: 'Failed' })) };
  const older = mirror().store.commit(status, failed, turn);
  const sessions = (state: string) =>
    mirror().sql(`select 1 as one from pg_stat_activity where datname = current_database() and ${state}`);
  await expect.poll(() => sessions(`state = 'idle in transaction'`), { timeout: 10_000 }).toHaveLength(1);
  const newer = mirror().commit({ pipelineRuns: observed(2, pipelineRun('r1')) });
  await expect.poll(() => sessions(`wait_event = 'transactionid'`), { timeout: 10_000 }).toHaveLength(1);
  go();
  await Promise.all([older, newer]);
  expect(await mirror().run('r1')).toMatchObject({ status: 'Running' });
});
