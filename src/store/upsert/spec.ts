import type { PgTable } from 'drizzle-orm/pg-core';
import type { Evidence } from '../../domain/answers.js';

/** One row for the database; the keys are the drizzle table's properties (or those of `inputOnly`). */
export type Row = { readonly [property: string]: string | boolean | null };

/** A row and the answer that shows it. */
export interface Observation {
  readonly row: Row;
  readonly evidence: Evidence;
}

/**
 * What a column becomes, as an SQL expression over `i` (the incoming row), `k` (the known row, all null when there is
 * none) and `v.moved`, `v.is_new`, `v.is_late` (a newer observation of the row was made). `c` is the quoted column.
 */
export type Rule = (c: string) => string;

/** A generated statement: its text, and the properties whose arrays are its (last) parameters. */
export interface Statement {
  readonly text: string;
  readonly inputs: readonly string[];
}

/** The events that a statement adds to change_events. */
export type History =
  | {
      /** One event a changed row. */
      readonly kind: 'row';
      readonly entity: 'pipeline_run' | 'node' | 'run';
      /** Properties of the row. */
      readonly entityId: string;
      readonly nodeId?: string;
      readonly nodeType?: string;
      readonly status?: string;
      /** When it happened by the source's clock: the first of these that has a value; none where nothing tells. */
      readonly sourceTime: readonly string[];
      /** Properties that only this operation tells: their first value is no change. */
      readonly completes?: readonly string[];
      /** A new row is one that was pruned: `restored`, from the status that it had then. Default: `discovered`. */
      readonly comesBack?: boolean;
    }
  | {
      /** One `changed` event of the run for all its changed params (or labels). */
      readonly kind: 'fields';
      /** `params` gives changes named `params.KEY`. */
      readonly prefix: string;
    };

/** How observations of one kind are merged into one table. */
export interface UpsertSpec {
  readonly table: PgTable;
  readonly keys: readonly string[];
  /** By property, in the order in which the columns are written. */
  readonly merge: { readonly [property: string]: Rule };
  /** Merged columns whose rules use no incoming value, so that no row brings one (deletedAt and missingSince never do). */
  readonly computed?: readonly string[];
  /** Values that a row brings for the rules only, with their SQL types. */
  readonly inputOnly?: { readonly [property: string]: string };
  /** Key columns that are looked up instead of sent: SQL over `a`, the row as it came. */
  readonly resolve?: { readonly [property: string]: string };
  /** SQL condition: the source has another version of the row than the mirror. */
  readonly moved?: string;
  /**
   * Where the table keeps when the observation was made; null for rows that are guarded by the run above them. Rows
   * older than that are refused as stale.
   */
  readonly observed: 'observedAt' | 'fetchedAt' | null;
  /** A further reason to refuse a row: SQL over `i` and `k`. */
  readonly staleWhen?: string;
  /** A reason to take a row although it is late: SQL over `i` and `k`. Its rules heed `v.is_late`. */
  readonly lateButNewWhen?: string;
  /** `seenAt`: whether rows bring when this process saw them last, which a write of nothing does not leave behind. */
  readonly remembers?: boolean;
  /**
   * Rows of other tables are written because this row let them through, so it is locked even where it does not change:
   * of two answers the older one must see what the newer one did.
   */
  readonly guardsOthers?: boolean;
  /** False: rows that the mirror does not know are passed over. */
  readonly insertNew?: boolean;
  readonly history?: History;
  /** A row that was pruned and that the source has modified since is written by these rules; default: it stays away. */
  readonly afterPruning?: UpsertSpec;
}
