/** What went, or would go: the same shape for both, so that the one can be compared with the other. */
import type { Instant } from '../../domain/entities.js';
import type { RetentionRule } from '../../domain/retention.js';
import type { PrunableEntity } from './due-runs.js';
import type { HistoryMonth } from './history-months.js';
import type { AgedRows, PrunableRows } from './prune-rows.js';
import { type PrunedBatch, tablesOf } from './prune-runs.js';

export interface ScopeReport {
  readonly scope: string;
  runs: number;
  /** When the first and the last of them ended. */
  oldest: Instant;
  newest: Instant;
}

export interface RuleReport {
  readonly entity: PrunableEntity;
  readonly rule: string;
  /** What ended before this goes; null: the rule keeps. */
  readonly cutoff: Instant | null;
  /** Old enough, but still awaited: nodes, details or outputs that were not fetched, an item in quarantine. */
  readonly waiting: number;
  /** By name. */
  readonly scopes: ScopeReport[];
}

export interface TableReport {
  rows: number;
  /** Rows times what a row of the table takes on average, indexes included; VACUUM makes the room usable again. */
  estimatedBytes: number;
}

export interface RetentionReport {
  readonly dryRun: boolean;
  readonly rules: readonly RuleReport[];
  /** Rows of passes and of quarantine. */
  readonly old: readonly (AgedRows & { readonly table: PrunableRows; readonly cutoff: Instant })[];
  readonly months: readonly HistoryMonth[];
  readonly tables: { readonly [table: string]: TableReport };
  /** What could not be done now; the next run tries again. */
  readonly failures: readonly string[];
}

/** Bytes of a row on average, by table. */
export type RowSizes = ReadonlyMap<string, number>;

export class ReportBuilder {
  readonly rules: RuleReport[] = [];
  readonly old: (AgedRows & { table: PrunableRows; cutoff: Instant })[] = [];
  readonly months: HistoryMonth[] = [];
  readonly failures: string[] = [];
  private readonly tables: { [table: string]: TableReport } = {};

  constructor(
    private readonly dryRun: boolean,
    private readonly sizes: RowSizes,
  ) {}

  /** `waiting` by place of the rule, from 1 on. Returns the reports in the order of the rules. */
  addRules(
    entity: PrunableEntity,
    rules: readonly RetentionRule[],
    cutoffs: readonly (Instant | null)[],
    waiting: ReadonlyMap<number, number>,
  ): readonly RuleReport[] {
    const reports = rules.map(({ text }, index) => ({
      entity,
      rule: text,
      cutoff: cutoffs[index] ?? null,
      waiting: waiting.get(index + 1) ?? 0,
      scopes: [],
    }));
    this.rules.push(...reports);
    if (rules.length > 0) for (const table of tablesOf(entity)) this.addRows(table, 0);
    return reports;
  }

  addBatch(reports: readonly RuleReport[], batch: PrunedBatch): void {
    for (const { rule, scope, endedAt } of batch.runs) {
      const { scopes } = reports[rule - 1] as RuleReport;
      let report = scopes.find((one) => one.scope === scope);
      if (report === undefined) {
        report = { scope, runs: 0, oldest: endedAt, newest: endedAt };
        scopes.push(report);
        scopes.sort((a, b) => (a.scope < b.scope ? -1 : 1));
      }
      report.runs += 1;
      if (endedAt < report.oldest) report.oldest = endedAt;
      if (endedAt > report.newest) report.newest = endedAt;
    }
    for (const [table, rows] of Object.entries(batch.rows)) this.addRows(table, rows);
  }

  addOld(table: PrunableRows, cutoff: Instant, rows: AgedRows): void {
    this.old.push({ table, cutoff, ...rows });
    this.addRows(table, rows.rows);
  }

  build(): RetentionReport {
    const { dryRun, rules, old, months, tables, failures } = this;
    return { dryRun, rules, old, months, tables, failures };
  }

  private addRows(table: string, rows: number): void {
    const report = (this.tables[table] ??= { rows: 0, estimatedBytes: 0 });
    report.rows += rows;
    report.estimatedBytes = Math.round(report.rows * (this.sizes.get(table) ?? 0));
  }
}
