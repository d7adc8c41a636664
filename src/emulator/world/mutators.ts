import type { ExperimentRun, NodeOutput, PipelineRun, RunMetric } from '../../domain/entities.js';
import { UsageError } from '../../domain/errors.js';
import { instantFromMillis, instantToMillis } from '../../domain/instant.js';
import { isTerminal } from '../../domain/status.js';
import { FLAG } from './columns.js';
import type { WorldDetails } from './details.js';
import type { ExperimentPatch } from './experiments.js';
import type { WorldNode } from './nodes.js';
import { nodeKey, RunOverrides } from './overrides.js';
import type { RunPatch } from './run-store.js';
import type { World } from './world.js';

export interface Touch {
  /** False leaves GmtModifiedTime as it is. Default true: the clock's time. */
  readonly touch?: boolean;
}

const HOUR = 3_600_000;
const touches = (options: Touch): boolean => options.touch !== false;

/**
 * Changes a world by hand, for tests. Every change moves GmtModifiedTime of the run to the clock's time unless told
 * otherwise. A run whose status or times are set follows no script any more.
 */
export class Mutators {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** Missing fields are derived as for any other run; without a status it is a run that has just been created. */
  addPipelineRun(fields: RunPatch = {}): PipelineRun {
    const { store, settings, catalog } = this.world;
    const { columns } = store;
    if (fields.pipelineRunId !== undefined && store.slotOf(fields.pipelineRunId) !== null) {
      throw new UsageError(`pipeline run ${fields.pipelineRunId}: found one of this id already, expected a new id`);
    }
    const now = this.now();
    const slot = columns.append();
    const created = fields.gmtCreateTime ? instantToMillis(fields.gmtCreateTime) : now;
    columns.created[slot] = created;
    columns.modified[slot] = fields.gmtModifiedTime ? instantToMillis(fields.gmtModifiedTime) : Math.max(created, now);
    columns.pipeline[slot] = this.pipelineFor(fields, slot);
    columns.status[slot] = store.words.indexOf('Initialized');
    columns.setFlag(slot, FLAG.nodeKnown, !settings.quirks.emptyRootNode);
    this.setStatus(slot, fields, created);
    store.enter(slot, this.withoutOwn(fields, catalog.pipelines[columns.pipeline[slot] as number]?.pipelineId));
    return store.view(slot);
  }

  updatePipelineRun(pipelineRunId: string, fields: RunPatch, options: Touch = {}): PipelineRun {
    const { store, life } = this.world;
    const slot = this.slotOf(pipelineRunId);
    if ('status' in fields || 'startedAt' in fields || 'finishedAt' in fields) life.cancel(slot);
    store.change(slot, () => {
      const { columns } = store;
      if (fields.gmtCreateTime) columns.created[slot] = instantToMillis(fields.gmtCreateTime);
      if (fields.gmtModifiedTime) columns.modified[slot] = instantToMillis(fields.gmtModifiedTime);
      else this.move(slot, options);
      this.setStatus(slot, fields, this.now());
      store.keepPatch(slot, this.withoutOwn(fields, undefined));
    });
    return store.view(slot);
  }

  /** From now on ListPipelineRunsStatus says IsDeleted, lists are without it and GetPipelineRun answers 404. */
  deletePipelineRun(pipelineRunId: string, options: Touch = {}): void {
    this.setDeleted(pipelineRunId, true, options);
  }

  /** Takes a deletion back. */
  restorePipelineRun(pipelineRunId: string, options: Touch = {}): void {
    this.setDeleted(pipelineRunId, false, options);
  }

  setDetails(pipelineRunId: string, details: Partial<WorldDetails>, options: Touch = {}): void {
    const overrides = this.overridesOf(pipelineRunId);
    overrides.details = { ...overrides.details, ...details };
    this.touch(pipelineRunId, options);
  }

  /** Missing fields: a logical node below the root that has not started. */
  addNode(
    pipelineRunId: string,
    fields: Partial<WorldNode> & { readonly nodeId: string },
    options: Touch = {},
  ): WorldNode {
    const parentNodeId = this.world.store.rootNodeId(this.slotOf(pipelineRunId));
    const node: WorldNode = {
      pipelineRunId,
      nodeType: 'Logical',
      nodeName: fields.nodeId,
      status: 'Initialized',
      startedAt: null,
      finishedAt: null,
      runtimeInfo: { json: '{}', raw: null },
      extra: null,
      parentNodeId,
      logicalNodeId: fields.nodeId,
      depth: 2,
      inputArtifactArchived: false,
      outputArtifactArchived: false,
      ...fields,
    };
    this.overridesOf(pipelineRunId).nodes.add(node);
    this.touch(pipelineRunId, options);
    return node;
  }

  /** `nodeType` says which of the two trees; default Logical. */
  updateNode(
    pipelineRunId: string,
    nodeId: string,
    fields: Partial<WorldNode>,
    options: Touch & { readonly nodeType?: string } = {},
  ): void {
    this.overridesOf(pipelineRunId).nodes.patch(nodeKey({ nodeType: options.nodeType ?? 'Logical', nodeId }), fields);
    this.touch(pipelineRunId, options);
  }

  deleteNode(pipelineRunId: string, nodeId: string, options: Touch & { readonly nodeType?: string } = {}): void {
    this.overridesOf(pipelineRunId).nodes.remove(nodeKey({ nodeType: options.nodeType ?? 'Logical', nodeId }));
    this.touch(pipelineRunId, options);
  }

  addOutput(
    pipelineRunId: string,
    fields: Partial<NodeOutput> & { readonly id: string },
    options: Touch = {},
  ): NodeOutput {
    const output: NodeOutput = {
      pipelineRunId,
      nodeId: this.world.store.rootNodeId(this.slotOf(pipelineRunId)),
      name: fields.id,
      type: 'DataSet',
      metadata: null,
      value: { json: '{}', raw: null },
      producer: null,
      gmtCreateTime: instantFromMillis(this.now()),
      expandedArtifactIndex: null,
      expandableArtifactName: null,
      extra: null,
      ...fields,
    };
    this.overridesOf(pipelineRunId).outputs.add(output);
    this.touch(pipelineRunId, options);
    return output;
  }

  updateOutput(pipelineRunId: string, id: string, fields: Partial<NodeOutput>, options: Touch = {}): void {
    this.overridesOf(pipelineRunId).outputs.patch(id, fields);
    this.touch(pipelineRunId, options);
  }

  /** Without training steps: it has the metrics that `logMetric` is told, and no others. */
  addExperimentRun(fields: ExperimentPatch = {}): ExperimentRun {
    const { experiments, catalog, asOf } = this.world;
    const workspaceId = fields.workspaceId ?? (catalog.workspaces[0]?.workspaceId as string);
    const own = catalog.experiments.find((experiment) => experiment.workspaceId === workspaceId);
    const origin = {
      created: fields.gmtCreateTime ? instantToMillis(fields.gmtCreateTime) : this.now(),
      workspaceId,
      experimentId: fields.experimentId ?? own?.experimentId ?? 'exp-none',
      sourceType: 'TrainingService',
      sourceId: null,
    };
    const slot = experiments.add(origin, { patch: fields, training: false });
    return experiments.view(slot, asOf);
  }

  updateExperimentRun(runId: string, fields: ExperimentPatch, options: Touch = {}): ExperimentRun {
    const slot = this.experimentSlot(runId);
    this.world.experiments.update(slot, fields, touches(options) ? this.now() : null);
    return this.world.experiments.view(slot, this.world.asOf);
  }

  deleteExperimentRun(runId: string): void {
    this.world.experiments.delete(this.experimentSlot(runId));
  }

  logMetric(runId: string, metric: RunMetric, options: Touch = {}): void {
    this.world.experiments.log(this.experimentSlot(runId), metric, touches(options) ? this.now() : null);
  }

  private now(): number {
    return Math.max(this.world.asOf, this.world.clock.now());
  }

  private slotOf(pipelineRunId: string): number {
    const slot = this.world.store.slotOf(pipelineRunId);
    if (slot === null) throw new UsageError(`pipeline run ${pipelineRunId}: found none in the world`);
    return slot;
  }

  private experimentSlot(runId: string): number {
    const slot = this.world.experiments.slotOf(runId);
    if (slot === null) throw new UsageError(`experiment run ${runId}: found none in the world`);
    return slot;
  }

  private overridesOf(pipelineRunId: string): RunOverrides {
    const slot = this.slotOf(pipelineRunId);
    let overrides = this.world.overrides.get(slot);
    if (!overrides) this.world.overrides.set(slot, (overrides = new RunOverrides()));
    return overrides;
  }

  private touch(pipelineRunId: string, options: Touch): void {
    const slot = this.slotOf(pipelineRunId);
    this.world.store.change(slot, () => this.move(slot, options));
  }

  /** Only inside `change`. A time that was set by hand before gives way. */
  private move(slot: number, options: Touch): void {
    if (options.touch === false) return;
    const { store } = this.world;
    store.columns.modified[slot] = this.now();
    if (store.isPatched(slot)) store.keepPatch(slot, { gmtModifiedTime: undefined });
  }

  private setDeleted(pipelineRunId: string, deleted: boolean, options: Touch): void {
    const { store, life } = this.world;
    const slot = this.slotOf(pipelineRunId);
    life.cancel(slot);
    store.change(slot, () => {
      store.columns.setFlag(slot, FLAG.deleted, deleted);
      this.move(slot, options);
    });
  }

  /** A pipeline of the wanted workspace, the wanted one where it exists, so that nodes can be derived. */
  private pipelineFor(fields: RunPatch, slot: number): number {
    const { pipelines } = this.world.catalog;
    const named = pipelines.findIndex((pipeline) => pipeline.pipelineId === fields.pipelineId);
    if (named >= 0) return named;
    const inWorkspace = pipelines.findIndex((pipeline) => pipeline.workspaceId === fields.workspaceId);
    return inWorkspace >= 0 ? inWorkspace : slot % pipelines.length;
  }

  /** Keeps the columns, from which nodes are derived, in step with a status set by hand. */
  private setStatus(slot: number, fields: RunPatch, now: number): void {
    const { columns, words } = this.world.store;
    const { status, startedAt, finishedAt } = fields;
    if (startedAt) columns.started[slot] = instantToMillis(startedAt);
    if (typeof status === 'string') {
      columns.status[slot] = words.indexOf(status);
      const started = columns.started[slot] as number;
      if (isTerminal(status)) {
        const end = finishedAt ? instantToMillis(finishedAt) : Math.max(now, Number.isNaN(started) ? now : started);
        if (Number.isNaN(started) && status !== 'Skipped') columns.started[slot] = Math.min(now, end);
        columns.finished[slot] = columns.plannedEnd[slot] = end;
        columns.outcome[slot] = columns.status[slot] as number;
      } else if (status !== 'Initialized') {
        if (!Number.isNaN(columns.finished[slot] as number)) {
          columns.attempt[slot] = (columns.attempt[slot] as number) + 1;
          columns.started[slot] = startedAt ? instantToMillis(startedAt) : now;
        } else if (Number.isNaN(started)) columns.started[slot] = now;
        columns.finished[slot] = Number.NaN;
        columns.plannedEnd[slot] = Math.max(columns.started[slot] as number, now) + HOUR;
        columns.outcome[slot] = words.indexOf('Succeeded');
      }
      if (status !== 'Initialized') columns.setFlag(slot, FLAG.nodeKnown, true);
    }
  }

  /**
   * Without the fields that live in columns. Times are kept as well where columns, in whole milliseconds, cannot hold
   * them exactly, and nulls, which columns would fill.
   */
  private withoutOwn(fields: RunPatch, pipelineId: string | undefined): RunPatch {
    const { gmtCreateTime, gmtModifiedTime, startedAt, finishedAt, status, ...rest } = fields;
    const patch: RunPatch = { ...rest };
    if (pipelineId !== undefined && patch.pipelineId === pipelineId) delete patch.pipelineId;
    const inexact = (time: string | null | undefined): boolean =>
      time === null || (time !== undefined && !time.endsWith('000Z'));
    if (inexact(gmtCreateTime)) patch.gmtCreateTime = gmtCreateTime;
    if (inexact(gmtModifiedTime)) patch.gmtModifiedTime = gmtModifiedTime;
    if ('status' in fields) patch.status = status === null ? null : undefined;
    // A status without times gives the times back to the columns.
    if ('status' in fields || startedAt !== undefined) patch.startedAt = startedAt;
    if ('status' in fields || finishedAt !== undefined) patch.finishedAt = finishedAt;
    return patch;
  }
}
