/**
 * A commit decides from `pai.pruned_runs` what it may store, and retention deletes a run with everything below it: in
 * between the other must not happen, or nodes would be stored of a run that is gone. Commits share the lock, and a batch
 * of retention has it for itself; both for one transaction.
 */
import type { ClientBase } from 'pg';

/** Arbitrary constants: advisory locks of pai-mirror, beside that of the migrations. */
const COMMITS = 7_305_148_211;
const RETENTION = 7_305_148_212;

/** Waits while a batch is being pruned. */
export async function holdOffPruning(client: ClientBase): Promise<void> {
  await client.query(`select pg_advisory_xact_lock_shared(${COMMITS})`);
}

/** Waits until the commits under way are over, at most for the transaction's lock_timeout; new ones wait meanwhile. */
export async function holdOffCommits(client: ClientBase): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(${COMMITS})`);
}

/** The right to prune, for as long as the connection lasts: a process that is killed gives it back. False: another has it. */
export async function tryToPruneAlone(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${RETENTION}) as taken`);
  return rows[0]?.taken === true;
}

/** For whoever comes next at once: the server notices the end of a connection only a moment later. */
export async function letOthersPrune(client: ClientBase): Promise<void> {
  await client.query(`select pg_advisory_unlock(${RETENTION})`).catch(() => undefined);
}
