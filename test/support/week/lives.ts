/**
 * Which states of pipeline runs a mirror must have seen: those that lasted from before a pass over the list began until
 * after it had ended, and that pass succeeded.
 */
import type { Pool } from 'pg';
import type { World } from '../../../src/emulator/world/world.js';

/** One state of a run, milliseconds by the database's clock. */
export interface State {
  readonly pipelineRunId: string;
  readonly workspaceId: string;
  readonly status: string;
  readonly from: number;
  /** Infinite for the last one. */
  until: number;
}

export interface RanPass {
  readonly workspaceId: string;
  readonly startedAt: number;
  readonly finishedAt: number;
}

/** Notes every change of a world as it becomes visible; `now` tells the time. */
export function recordLives(world: World, now: () => number): readonly State[] {
  const { store } = world;
  const states: State[] = [];
  const current = new Map<number, State>();
  const note = (slot: number): void => {
    const { pipelineRunId, status, workspaceId } = store.view(slot);
    const last = current.get(slot);
    const isGone = store.isDeleted(slot);
    if (last && !isGone && last.status === status) return;
    const at = now();
    if (last) last.until = at;
    current.delete(slot);
    if (isGone || status === null || workspaceId === null) return;
    const state = { pipelineRunId, workspaceId, status, from: at, until: Number.POSITIVE_INFINITY };
    states.push(state);
    current.set(slot, state);
  };
  const { change, enter } = store;
  store.change = (slot, apply) => {
    change.call(store, slot, apply);
    note(slot);
  };
  store.enter = (slot, patch) => {
    enter.call(store, slot, patch);
    note(slot);
  };
  return states;
}

/** Two clocks of one machine are read a moment apart. */
const APART_MS = 20;

/** Those of the states that some pass met from its beginning to its end. */
export function seenBy(states: readonly State[], passes: readonly RanPass[]): State[] {
  const byWorkspace = new Map<string, RanPass[]>();
  for (const pass of passes) {
    const own = byWorkspace.get(pass.workspaceId) ?? [];
    own.push(pass);
    byWorkspace.set(pass.workspaceId, own);
  }
  for (const own of byWorkspace.values()) own.sort((a, b) => a.startedAt - b.startedAt);
  return states.filter(({ workspaceId, from, until }) => {
    const next = (byWorkspace.get(workspaceId) ?? []).find(({ startedAt }) => startedAt > from + APART_MS);
    return next !== undefined && next.finishedAt < until - APART_MS;
  });
}

/** Of passes of one stream of a scope each begins after the one before has ended, so the next to begin ends first. */
export async function succeededPasses(pool: Pool, stream: string): Promise<RanPass[]> {
  const { rows } = await pool.query<RanPass>(
    `select split_part(scope, ':', 2) as "workspaceId", extract(epoch from started_at)::float8 * 1000 as "startedAt",
       extract(epoch from finished_at)::float8 * 1000 as "finishedAt"
     from pai.sync_passes where stream = $1 and outcome = 'succeeded'`,
    [stream],
  );
  return rows;
}

/**
 * An observation is dated by when its call was sent, and a state begins in the world when a call arrives: a retry later
 * than that, at the most.
 */
const SENT_BEFORE_MS = 3_000;

/** States without an event that says so, of runs that were not pruned since. */
export async function untold(pool: Pool, states: readonly State[]): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(
    `select s.id || ' was ' || s.status || ' from ' || to_timestamp(s.from_ms / 1000) || ' to ' || s.until_ms as line
     from unnest($1::text[], $2::text[], $3::float8[], $4::float8[]) as s(id, status, from_ms, until_ms)
     where not exists (select from pai.change_events e where e.entity = 'pipeline_run' and e.entity_id = s.id and e.to_status = s.status
         and e.observed_at >= to_timestamp((s.from_ms - $5) / 1000) and e.observed_at <= to_timestamp((s.until_ms + $5) / 1000))
       and not exists (select from pai.pruned_runs p where p.entity_id = s.id)
       and not exists (select from pai.change_events e where e.entity_id = s.id and e.kind = 'pruned')`,
    [
      states.map(({ pipelineRunId }) => pipelineRunId),
      states.map(({ status }) => status),
      states.map(({ from }) => from),
      states.map(({ until }) => until),
      SENT_BEFORE_MS,
    ],
  );
  return rows.map(({ line }) => line);
}
