import { afterEach, beforeAll, beforeEach } from 'vitest';
import type { Evidence } from '../../src/domain/answers.js';
import type { Effect, WriteBatch } from '../../src/domain/batch.js';
import type {
  ExperimentRun,
  Instant,
  JsonDocument,
  NodeOutput,
  NodeStatus,
  PipelineRun,
  PipelineRunNode,
  PipelineRunStatus,
} from '../../src/domain/entities.js';
import { instantFromMillis } from '../../src/domain/instant.js';
import type { Stream } from '../../src/domain/streams.js';
import { PgStore, type PgStoreOptions } from '../../src/store/store.js';
import type { Lease } from '../../src/sync/ports.js';
import { createDatabase } from '../support/database.js';

export const SCOPE = { region: 'cn-shanghai', workspaceId: '15945' } as const;
export const SCOPE_NAME = 'cn-shanghai:15945';

/** `minutes` after noon of 1 November 2026, a month for which there is a partition. */
export const at = (minutes: number): Instant => instantFromMillis(Date.UTC(2026, 10, 1, 12) + minutes * 60_000);

export const seen = (minutes: number): Evidence => ({ observedAt: at(minutes), requestId: `request-${minutes}` });

export const observed = <T>(minutes: number, ...items: T[]) => [{ evidence: seen(minutes), items }];

export function pipelineRun(id: string, fields: Partial<PipelineRun> = {}): PipelineRun {
  return {
    pipelineRunId: id,
    name: `name of ${id}`,
    status: 'Running',
    userId: '1557702098194904123',
    parentUserId: '1234567890123456',
    startedAt: at(-10),
    finishedAt: null,
    nodeId: `root-${id}`,
    duration: '600',
    workspaceId: '15945',
    message: null,
    sourceType: 'UNKNOWN',
    sourceId: null,
    gmtCreateTime: at(-20),
    gmtModifiedTime: at(-10),
    pipelineId: 'pipeline-1',
    accessibility: 'PRIVATE',
    pipelineRunUri: null,
    extra: null,
    ...fields,
  };
}

export const runStatus = (id: string, fields: Partial<PipelineRunStatus> = {}): PipelineRunStatus => ({
  pipelineRunId: id,
  status: 'Running',
  name: null,
  userId: null,
  parentUserId: null,
  nodeId: null,
  sourceId: null,
  isDeleted: null,
  extra: null,
  ...fields,
});

export const noDocument: JsonDocument = { json: null, raw: null };

export const treeNode = (runId: string, nodeId: string, fields: Partial<PipelineRunNode> = {}): PipelineRunNode => ({
  pipelineRunId: runId,
  nodeId,
  nodeType: 'Logical',
  nodeName: `name of ${nodeId}`,
  status: 'Running',
  startedAt: at(-5),
  finishedAt: null,
  runtimeInfo: noDocument,
  extra: null,
  ...fields,
});

export const nodeStatus = (runId: string, nodeId: string, fields: Partial<NodeStatus> = {}): NodeStatus => ({
  pipelineRunId: runId,
  nodeId,
  nodeName: null,
  status: 'Running',
  startedAt: null,
  finishedAt: null,
  inputArtifactArchived: null,
  outputArtifactArchived: null,
  extra: null,
  ...fields,
});

export const nodeOutput = (runId: string, id: string, fields: Partial<NodeOutput> = {}): NodeOutput => ({
  pipelineRunId: runId,
  id,
  nodeId: 'n1',
  name: 'model',
  type: 'Artifact',
  metadata: null,
  value: noDocument,
  producer: null,
  gmtCreateTime: null,
  expandedArtifactIndex: null,
  expandableArtifactName: null,
  extra: null,
  ...fields,
});

export const experimentRun = (id: string, fields: Partial<ExperimentRun> = {}): ExperimentRun => ({
  runId: id,
  name: `name of ${id}`,
  experimentId: 'exp-1',
  workspaceId: '15945',
  userId: '1557702098194904123',
  ownerId: '1234567890123456',
  sourceType: 'TrainingService',
  sourceId: 'train-1',
  accessibility: 'PRIVATE',
  gmtCreateTime: at(-20),
  gmtModifiedTime: at(-10),
  requestId: null,
  params: null,
  labels: null,
  metrics: null,
  extra: null,
  ...fields,
});

/** A store on a database of its own, with shortcuts. */
export class Mirror {
  readonly store: PgStore;
  readonly #leases = new Map<Stream, Lease>();

  constructor(
    readonly url: string,
    options: Partial<PgStoreOptions> = {},
  ) {
    this.store = new PgStore({ connectionString: url, ...options });
  }

  async lease(stream: Stream): Promise<Lease> {
    const held = this.#leases.get(stream) ?? (await this.store.acquireLease(SCOPE, stream));
    if (!held) throw new Error(`the lease of ${stream} is taken`);
    this.#leases.set(stream, held);
    return held;
  }

  async commit(batch: WriteBatch, stream: Stream = 'pipeline-runs'): Promise<Effect> {
    return this.store.commit(await this.lease(stream), batch);
  }

  async sql<R extends object = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.store.pool.query<R>(text, values)).rows;
  }

  /** The only row of a query. */
  async row(text: string, values: unknown[] = []): Promise<Record<string, unknown>> {
    const rows = await this.sql(text, values);
    if (rows.length !== 1) throw new Error(`expected one row, found ${rows.length}: ${text}`);
    return rows[0] as Record<string, unknown>;
  }

  run(id: string): Promise<Record<string, unknown>> {
    return this.row('select * from pai.pipeline_runs where pipeline_run_id = $1', [id]);
  }

  /** The history in the order in which it was written. */
  async events(entityId?: string): Promise<Record<string, unknown>[]> {
    return this.sql(
      `select entity, entity_id, node_id, kind, from_status, to_status, changes, request_id from pai.change_events
       where entity_id = coalesce($1, entity_id) order by event_id`,
      [entityId ?? null],
    );
  }

  async kinds(entityId: string): Promise<unknown[]> {
    return (await this.events(entityId)).map((event) => event.kind);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}

/** Tables that a quiet round must not write. */
export const DATA_TABLES = [
  'pipeline_runs',
  'pipeline_run_details',
  'pipeline_run_nodes',
  'node_outputs',
  'runs',
  'run_params',
  'run_labels',
  'run_metrics',
  'change_events',
];

/** Gives every test of the file a mirror on one database, emptied before each. */
export function useMirror(options: Partial<PgStoreOptions> = {}): () => Mirror {
  let url: string;
  let mirror: Mirror;
  beforeAll(async () => {
    url = (await createDatabase()).url;
  });
  beforeEach(async () => {
    mirror = new Mirror(url, options);
    // The history refuses TRUNCATE, so the triggers rest for the session of this statement.
    await mirror.sql(`set session_replication_role = replica;
      truncate ${DATA_TABLES.map((table) => `pai.${table}`).join(', ')}, pai.sync_cursors, pai.sync_leases, pai.sync_passes,
        pai.sync_retries, pai.quarantine, pai.pruned_runs;
      set session_replication_role = origin`);
  });
  afterEach(() => mirror.close());
  return () => mirror;
}
