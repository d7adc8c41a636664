import type { ClientBase } from 'pg';
import { StoreError } from '../../domain/errors.js';
import { isDuplicate } from '../pg-errors.js';
import { tableName } from '../sql.js';
import { buildCompare } from './compare.js';
import { buildCopy, type Copy, canCopy, copyRows } from './copy.js';
import { buildMerge } from './merge.js';
import { arrays, type SeenAt } from './parameters.js';
import type { Observation, Statement, UpsertSpec } from './spec.js';

/** A row that was written. */
export interface Change {
  /** Position in the rows as given. */
  readonly index: number;
  /** The row's revision now; 1 in tables that have none. */
  readonly revision: bigint;
  readonly isNew: boolean;
  /** The status differs from the one before (or there was no row before). */
  readonly statusMoved: boolean;
  /** The row belongs to another scope than before. */
  readonly rescoped: boolean;
}

export interface UpsertResult {
  inserted: number;
  updated: number;
  unchanged: number;
  /** Positions of rows refused because a newer observation is stored. */
  readonly stale: number[];
  readonly changes: Change[];
}

/** Rows are told by their place in the question, from 1 on. */
interface LookupAnswer {
  readonly now: string;
  readonly known: readonly number[];
}

interface CompareAnswer {
  readonly now: string;
  readonly fresh: readonly number[];
  readonly differing: readonly number[];
  readonly stale: readonly number[];
  /** New, in a table that takes no new rows from here. */
  readonly unknown: number;
}

interface MergeAnswer {
  readonly inserted: number;
  readonly updated: number;
  readonly unknown: number;
  readonly stale: readonly number[];
  readonly contended: readonly number[];
  readonly changes: readonly (readonly [
    ord: number,
    revision: string,
    isNew: boolean,
    statusMoved: boolean,
    rescoped: boolean,
  ])[];
}

/** Somebody else may insert the same keys first, once; after that they are known, unless they are being deleted. */
const MAX_ROUNDS = 5;
/** Fewer new rows are merged: two COPY and a savepoint cost more than they save. */
const MIN_COPY = 50;

interface Prepared extends Statement {
  /** The server parses and analyses a statement once a connection; it plans it each time (see pool.ts). */
  readonly name: string;
}

interface Statements {
  readonly merge: Prepared;
  readonly compare: Prepared;
  readonly copy: (Copy & { readonly lookup: Prepared }) | null;
  /** Scopes whose last batch was mostly new: of the next one only the keys are sent to be looked up. */
  readonly loading: Set<string>;
}

const statements = new WeakMap<UpsertSpec, Statements>();
let counter = 0;

function statementsOf(spec: UpsertSpec): Statements {
  const found = statements.get(spec);
  if (found) return found;
  counter += 1;
  const prepared = (kind: string, statement: Statement): Prepared => ({
    ...statement,
    name: `${kind}_${tableName(spec.table)}_${counter}`,
  });
  const copy = canCopy(spec) ? buildCopy(spec) : null;
  const made: Statements = {
    merge: prepared('merge', buildMerge(spec)),
    compare: prepared('compare', buildCompare(spec)),
    copy: copy === null ? null : { ...copy, lookup: prepared('lookup', copy.lookup) },
    loading: new Set(),
  };
  statements.set(spec, made);
  return made;
}

export interface UpsertScope {
  readonly region: string;
  readonly name: string;
}

/** One batch on its way through the statements. Positions are those of the rows as given. */
class Batch {
  readonly result: UpsertResult = { inserted: 0, updated: 0, unchanged: 0, stale: [], changes: [] };
  private readonly statements: Statements;
  /** Not decided yet. */
  private left: number[];

  constructor(
    private readonly client: ClientBase,
    private readonly spec: UpsertSpec,
    private readonly scope: UpsertScope,
    private readonly rows: readonly Observation[],
    private readonly seenAt: SeenAt,
  ) {
    this.statements = statementsOf(spec);
    this.left = rows.map((_, index) => index);
  }

  async run(): Promise<UpsertResult> {
    const { copy, loading } = this.statements;
    if (copy !== null && loading.has(this.scope.name)) await this.copyUnknown(copy);
    if (this.left.length > 0 && !this.spec.guardsOthers) await this.compare();
    await this.merge();
    const isLoading = this.rows.length >= MIN_COPY && this.result.inserted * 2 > this.rows.length;
    if (isLoading) loading.add(this.scope.name);
    else loading.delete(this.scope.name);
    return this.result;
  }

  private async copyUnknown({ lookup }: { readonly lookup: Prepared }): Promise<void> {
    if (this.left.length < MIN_COPY) return;
    const { now, known } = await this.query<LookupAnswer>(lookup, []);
    const left = new Set(known.map((ord) => this.at(ord)));
    await this.copyNew(
      this.left.filter((index) => !left.has(index)),
      now,
    );
  }

  /**
   * Whoever inserts one of the keys at this moment makes COPY fail, and then all of them are merged. The savepoint is
   * for that.
   */
  private async copyNew(fresh: readonly number[], now: string): Promise<void> {
    const { client, scope, statements } = this;
    if (statements.copy === null || fresh.length < MIN_COPY) return;
    const rows = fresh.map((index) => this.rows[index] as Observation);
    await client.query('savepoint copy');
    try {
      await copyRows(client, statements.copy, rows, { region: scope.region, scope: scope.name, now });
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      await client.query('rollback to savepoint copy; release savepoint copy');
      return;
    }
    await client.query('release savepoint copy');
    for (const index of fresh)
      this.result.changes.push({ index, revision: 1n, isNew: true, statusMoved: true, rescoped: false });
    this.result.inserted += fresh.length;
    const done = new Set(fresh);
    this.left = this.left.filter((index) => !done.has(index));
  }

  private async compare(): Promise<void> {
    const { now, fresh, differing, stale, unknown } = await this.query<CompareAnswer>(this.statements.compare);
    const at = (ord: number): number => this.at(ord);
    const isNew = fresh.map(at);
    this.result.stale.push(...stale.map(at));
    this.result.unchanged += this.left.length - fresh.length - differing.length - stale.length - unknown;
    this.left = [...isNew, ...differing.map(at)].sort((a, b) => a - b);
    await this.copyNew(isNew, now);
  }

  /** Rows that another transaction inserted after the statement began are merged by running it again for just those. */
  private async merge(): Promise<void> {
    for (let round = 0; this.left.length > 0; round += 1) {
      if (round === MAX_ROUNDS) throw contended(this.spec, this.left.length);
      const answer = await this.query<MergeAnswer>(this.statements.merge);
      this.add(answer);
      this.left = answer.contended.map((ord) => this.at(ord));
    }
  }

  private add(answer: MergeAnswer): void {
    const { result } = this;
    const { inserted, updated, unknown, stale, contended: again, changes } = answer;
    result.inserted += inserted;
    result.updated += updated;
    result.unchanged += this.left.length - inserted - updated - unknown - stale.length - again.length;
    result.stale.push(...stale.map((ord) => this.at(ord)));
    for (const [ord, revision, isNew, statusMoved, rescoped] of changes) {
      result.changes.push({ index: this.at(ord), revision: BigInt(revision), isNew, statusMoved, rescoped });
    }
  }

  private at(ord: number): number {
    return this.left[ord - 1] as number;
  }

  private async query<R>(statement: Prepared, first = [this.scope.region, this.scope.name]): Promise<R> {
    const rows =
      this.left.length === this.rows.length ? this.rows : this.left.map((index) => this.rows[index] as Observation);
    const { name, text, inputs } = statement;
    const values = [...first, ...arrays(inputs, rows, this.seenAt)];
    return (await this.client.query({ name, text, values })).rows[0] as R;
  }
}

const contended = (spec: UpsertSpec, count: number): StoreError =>
  new StoreError(`${tableName(spec.table)}: ${count} rows still contended after ${MAX_ROUNDS} rounds`, {
    code: 'STORE_CONFLICT',
    retryable: true,
    blast: 'scope',
  });

/**
 * Writes up to a few thousand rows. No two rows may have the same key. What is known is compared, what differs is merged
 * under its lock, and where many are new these are copied.
 */
export function upsert(
  client: ClientBase,
  spec: UpsertSpec,
  scope: UpsertScope,
  rows: readonly Observation[],
  seenAt: SeenAt,
): Promise<UpsertResult> {
  return new Batch(client, spec, scope, rows, seenAt).run();
}
