import type { ClientBase } from 'pg';
import type { Evidence } from '../../domain/answers.js';
import type { Effect } from '../../domain/batch.js';
import type { Rejected } from '../../domain/entities.js';
import { describeError } from '../../domain/errors.js';
import type { Stream } from '../../domain/streams.js';
import { chunk } from '../../util/chunk.js';
import { isDataError } from '../pg-errors.js';
import { tableName } from '../sql.js';
import { type UpsertResult, upsert } from '../upsert/execute.js';
import { type Entry, newestByKey } from '../upsert/newest.js';
import type { Observation, UpsertSpec } from '../upsert/spec.js';
import { forgetPruned, sortOutPruned } from './pruned.js';
import type { PendingObservations } from './recent.js';

/** An item for quarantine, with the answer that it came from. */
export interface RejectedItem extends Rejected {
  readonly evidence: Evidence;
  readonly operation: string;
  /** `answer`, the default: raw is the item as PAI sent it. `entity`: as it was decoded. */
  readonly form?: 'answer' | 'entity';
}

/** What the stages of one commit share. */
export interface CommitContext {
  readonly client: ClientBase;
  readonly scope: { readonly region: string; readonly name: string };
  readonly stream: Stream;
  readonly effect: Effect;
  /** True in the second try, after the database refused a value: finds the bad rows one by one. */
  readonly careful: boolean;
  /** The scope has items in quarantine that wait for a good answer. */
  readonly hasQuarantine: boolean;
  /** The scope has runs that the poll has called deleted, and about which the list has not been heard to the end. */
  readonly hasToldDeleted: boolean;
  /** Some runs were pruned, of whichever scope: what is still told of them is passed over. */
  readonly hasPruned: boolean;
  /** Everything that goes to quarantine. */
  readonly rejected: RejectedItem[];
  /** What is stored well now (written, unchanged or stale alike). */
  readonly good: Entry[];
  readonly observations: PendingObservations;
}

/** A row that was written, with what it was made of. */
export interface Written {
  readonly entry: Entry;
  readonly revision: bigint;
  readonly isNew: boolean;
  readonly statusMoved: boolean;
  readonly rescoped: boolean;
}

export interface WriteResult {
  readonly changes: Written[];
  readonly stale: Entry[];
}

/** Rows in one statement: a tree or the metrics of a page may bring far more than a page has items. */
const MAX_ROWS = 5_000;

function count(effect: Effect, spec: UpsertSpec, result: UpsertResult): void {
  const table = (effect.tables[tableName(spec.table)] ??= { inserted: 0, updated: 0, unchanged: 0 });
  for (const key of ['inserted', 'updated', 'unchanged'] as const) {
    effect[key] += result[key];
    table[key] += result[key];
  }
  effect.stale += result.stale.length;
}

const idOf = (spec: UpsertSpec, { row }: Observation): string => row[spec.keys[0] as string] as string;

function rememberUnchanged(
  context: CommitContext,
  spec: UpsertSpec,
  entries: readonly Entry[],
  result: UpsertResult,
): void {
  if (result.unchanged === 0) return;
  const told = new Set([...result.stale, ...result.changes.map(({ index }) => index)]);
  for (const [index, entry] of entries.entries()) {
    if (told.has(index)) continue;
    context.observations.unchanged(tableName(spec.table), idOf(spec, entry), entry.evidence.observedAt);
  }
}

function put(context: CommitContext, spec: UpsertSpec, entries: readonly Entry[]): Promise<UpsertResult> {
  const table = tableName(spec.table);
  const seenAt = (observation: Observation) => context.observations.seenAt(table, idOf(spec, observation));
  return upsert(context.client, spec, context.scope, entries, seenAt);
}

function collect(
  context: CommitContext,
  spec: UpsertSpec,
  entries: readonly Entry[],
  result: UpsertResult,
): WriteResult {
  count(context.effect, spec, result);
  if (context.hasQuarantine) context.good.push(...entries);
  if (spec.remembers) rememberUnchanged(context, spec, entries, result);
  const at = (index: number): Entry => entries[index] as Entry;
  return {
    changes: result.changes.map(({ index, ...change }) => ({ entry: at(index), ...change })),
    stale: result.stale.map(at),
  };
}

function refuse(context: CommitContext, entry: Entry, error: unknown): WriteResult {
  context.rejected.push({
    entity: entry.entity,
    entityId: entry.entityId,
    parentId: entry.parentId ?? null,
    form: 'entity',
    operation: entry.operation,
    evidence: entry.evidence,
    raw: JSON.stringify(entry.item),
    error: `the database refused the item: ${describeError(error)}`,
  });
  return { changes: [], stale: [] };
}

async function writeAll(context: CommitContext, spec: UpsertSpec, entries: readonly Entry[]): Promise<WriteResult> {
  return collect(context, spec, entries, await put(context, spec, entries));
}

/** Halves the batch until the rows that the database refuses are alone; they go to quarantine, the rest is written. */
async function bisect(context: CommitContext, spec: UpsertSpec, entries: readonly Entry[]): Promise<WriteResult> {
  const { client } = context;
  await client.query('savepoint bisect');
  try {
    const result = await put(context, spec, entries);
    await client.query('release savepoint bisect');
    return collect(context, spec, entries, result);
  } catch (error) {
    if (!isDataError(error)) throw error;
    await client.query('rollback to savepoint bisect; release savepoint bisect');
    if (entries.length === 1) return refuse(context, entries[0] as Entry, error);
    const middle = Math.ceil(entries.length / 2);
    const left = await bisect(context, spec, entries.slice(0, middle));
    const right = await bisect(context, spec, entries.slice(middle));
    return { changes: [...left.changes, ...right.changes], stale: [...left.stale, ...right.stale] };
  }
}

/** What is told of a pruned run counts as unchanged, and settles what was told badly before like any other answer. */
function passOver(context: CommitContext, spec: UpsertSpec, entries: readonly Entry[]): void {
  count(context.effect, spec, { inserted: 0, updated: 0, unchanged: entries.length, stale: [], changes: [] });
  if (context.hasQuarantine) context.good.push(...entries);
}

/** Merges entries into their table: the newest of each key, in statements of at most MAX_ROWS. */
export async function write(context: CommitContext, spec: UpsertSpec, entries: readonly Entry[]): Promise<WriteResult> {
  const total: WriteResult = { changes: [], stale: [] };
  const sent = spec.keys.filter((key) => !spec.resolve?.[key]);
  const store = async (by: UpsertSpec, batch: readonly Entry[]): Promise<WriteResult> => {
    if (batch.length === 0) return { changes: [], stale: [] };
    const part = context.careful ? await bisect(context, by, batch) : await writeAll(context, by, batch);
    total.changes.push(...part.changes);
    total.stale.push(...part.stale);
    return part;
  };
  for (const batch of chunk(newestByKey(entries, sent), MAX_ROWS)) {
    if (!context.hasPruned) {
      await store(spec, batch);
      continue;
    }
    const { others, pruned, back } = await sortOutPruned(context.client, spec, batch);
    passOver(context, spec, pruned);
    await store(spec, others);
    const { changes } = await store(spec.afterPruning ?? spec, back);
    await forgetPruned(
      context.client,
      spec,
      changes.map(({ entry }) => entry),
    );
  }
  return total;
}
