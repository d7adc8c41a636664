/** What operators watch, as one cheap look into the database finds it. Shared by whoever reads it and whoever shows it. */
export interface MirrorState {
  readonly streams: readonly StreamState[];
  readonly scopes: readonly ScopeState[];
  readonly budgets: readonly BudgetLoad[];
  /** Leases that this process holds, by stream; a stream without any is there, too. */
  readonly leases: readonly { readonly stream: string; readonly held: number }[];
  /** Quarter hours and runs whose sums the views still compute by themselves; counted up to the bound. */
  readonly rollupsDue: number;
}

export interface StreamState {
  readonly scope: string;
  readonly stream: string;
  /**
   * Seconds since the last pass that succeeded has ended; of one that never has, since its first pass ended. Null while
   * there was none.
   */
  readonly ageSeconds: number | null;
  /** Seconds since the modification up to which the stream is complete. Null for a stream without a watermark. */
  readonly watermarkLagSeconds: number | null;
}

/** Each number counted up to the bound. */
export interface ScopeState {
  readonly scope: string;
  readonly activeRuns: number;
  readonly dueForNodes: number;
  readonly dueForDetails: number;
  readonly failingItems: number;
  readonly unresolvedQuarantine: number;
}

export interface BudgetLoad {
  readonly region: string;
  readonly name: string;
  /** Of the configured rate: 1 unless PAI throttles or fails. */
  readonly pace: number;
  /** Until the next call may go. */
  readonly waitSeconds: number;
}
