/** The part of the configuration that the engine uses. */
export interface SyncSettings {
  readonly pageSize: number;
  /** Runs (or nodes) in one ListPipelineRunsStatus call. */
  readonly statusBatch: number;
  /** Values of SourceType that are asked for by name where the list without a filter does not show them. */
  readonly sourceTypes: readonly string[];
  readonly nodeDepth: number;
  readonly nodeTypes: readonly string[];
  /** Pages that are stored in one transaction at most; default 50. */
  readonly pagesPerCommit?: number;
  /** Calls under way at once in one pass. */
  readonly concurrency: number;
  /** Re-read behind the watermark, seconds. */
  readonly overlapSeconds: number;
  /** Experiment runs created within it are re-read for changes, hours. */
  readonly hotWindowHours: number;
}
