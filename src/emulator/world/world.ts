import type {
  ExperimentRun,
  NodeOutput,
  PipelineRun,
  PipelineRunStatus,
  RunMetric,
  Workspace,
} from '../../domain/entities.js';
import { SimulatedClock, type WorldClock } from '../clock.js';
import type { Quirks } from '../quirks.js';
import { type Catalog, makeCatalog } from './catalog.js';
import { FLAG } from './columns.js';
import { deriveDetails, type ManifestType, manifestOf, type WorldDetails } from './details.js';
import { ExperimentStore } from './experiments.js';
import { IdMaker } from './ids.js';
import { Life } from './life.js';
import { deriveNodes, type NodeContext, type WorldNode } from './nodes.js';
import { resolveWorldOptions, type WorldOptions, type WorldSettings } from './options.js';
import { deriveOutputs } from './outputs.js';
import type { RunOverrides } from './overrides.js';
import { RunStore } from './run-store.js';

/**
 * What is true on the PAI side, as plain values: a test compares the mirror's tables with these. Answers are made from
 * the same values, changed only in form by the wire quirks.
 */
export class World {
  readonly settings: WorldSettings;
  readonly clock: WorldClock;
  readonly catalog: Catalog;
  /** The parts below are for the operations and the mutators of the emulator. */
  readonly store: RunStore;
  readonly experiments: ExperimentStore;
  readonly life: Life;
  readonly overrides = new Map<number, RunOverrides>();
  private readonly ids: IdMaker;
  private reached: number;

  constructor(options: WorldOptions = {}) {
    this.settings = resolveWorldOptions(options);
    this.clock =
      options.clock ??
      new SimulatedClock({
        ...(options.startAt === undefined ? {} : { startAt: options.startAt }),
        speed: options.speed ?? 1,
      });
    this.ids = new IdMaker(this.settings.seed);
    this.catalog = makeCatalog(this.settings, this.ids);
    this.store = new RunStore(this.settings, this.catalog, this.ids);
    this.experiments = new ExperimentStore(this.settings, this.catalog, this.ids);
    this.life = new Life(this.settings, this.catalog, this.store, this.experiments);
    this.reached = this.clock.origin ?? this.clock.now();
    this.life.populate(this.reached);
  }

  get quirks(): Quirks {
    return this.settings.quirks;
  }

  /** The time up to which the world has lived, in milliseconds; all values are those of this moment. */
  get asOf(): number {
    return this.reached;
  }

  /** Lets everything happen up to the clock's time. */
  tick(): void {
    const now = this.clock.now();
    if (now <= this.reached) return;
    this.life.advance(now);
    this.reached = now;
  }

  workspaces(): readonly Workspace[] {
    return this.catalog.workspaces;
  }

  /** Runs that are not deleted, oldest first; of one workspace, or of all. */
  pipelineRuns(workspaceId: string | null = null): PipelineRun[] {
    return [...this.store.indexes(workspaceId).created].map((slot) => this.store.view(slot));
  }

  deletedPipelineRuns(): PipelineRun[] {
    const { store } = this;
    const runs: PipelineRun[] = [];
    for (let slot = 0; slot < store.columns.count; slot += 1) if (store.isDeleted(slot)) runs.push(store.view(slot));
    return runs;
  }

  /** Also a deleted one; null when there never was such a run. */
  pipelineRun(pipelineRunId: string): PipelineRun | null {
    const slot = this.store.slotOf(pipelineRunId);
    return slot === null ? null : this.store.view(slot);
  }

  /** As ListPipelineRunsStatus tells it: deleted runs too. */
  statusOf(pipelineRunId: string): PipelineRunStatus | null {
    const slot = this.store.slotOf(pipelineRunId);
    if (slot === null) return null;
    const { status, name, userId, parentUserId, nodeId, sourceId, extra } = this.store.view(slot);
    const isDeleted = this.store.isDeleted(slot);
    return { pipelineRunId, status, name, userId, parentUserId, nodeId, sourceId, isDeleted, extra };
  }

  /** The whole tree, parents before children; empty for a run that never was. */
  nodesOf(pipelineRunId: string, nodeType = 'Logical'): WorldNode[] {
    const slot = this.store.slotOf(pipelineRunId);
    if (slot === null) return [];
    const nodes = deriveNodes(this.context(slot), nodeType);
    const overrides = this.overrides.get(slot);
    return overrides ? overrides.nodes.applyTo(nodes).filter((node) => node.nodeType === nodeType) : nodes;
  }

  outputsOf(pipelineRunId: string): NodeOutput[] {
    const slot = this.store.slotOf(pipelineRunId);
    if (slot === null) return [];
    const outputs = deriveOutputs(this.context(slot));
    return this.overrides.get(slot)?.outputs.applyTo(outputs) ?? outputs;
  }

  /** Manifest (Raw), Arguments and Options; null for a run that never was. */
  detailsOf(pipelineRunId: string): WorldDetails | null {
    const slot = this.store.slotOf(pipelineRunId);
    if (slot === null) return null;
    return { ...deriveDetails(this.context(slot), this.store.pipelineOf(slot)), ...this.overrides.get(slot)?.details };
  }

  manifestOf(pipelineRunId: string, type: ManifestType): WorldDetails['manifest'] {
    const slot = this.store.slotOf(pipelineRunId);
    if (slot === null) return { json: null, raw: null };
    const changed = this.overrides.get(slot)?.details.manifest;
    return changed ?? manifestOf(this.context(slot), this.store.pipelineOf(slot), type);
  }

  /** Experiment runs, oldest first; `metrics` has the latest point of each key. */
  experimentRuns(workspaceId: string | null = null): ExperimentRun[] {
    return this.experiments.slots(workspaceId).map((slot) => this.experiments.view(slot, this.reached));
  }

  /** Every point of an experiment run, as ListRunMetrics tells them. */
  metricsOf(runId: string): RunMetric[] {
    const slot = this.experiments.slotOf(runId);
    return slot === null ? [] : this.experiments.history(slot, this.reached);
  }

  private context(slot: number): NodeContext {
    const { store, settings } = this;
    const { columns } = store;
    return {
      seed: settings.seed,
      ids: this.ids,
      quirks: settings.quirks,
      slot,
      run: store.view(slot),
      rootNodeId: store.rootNodeId(slot),
      steps: store.pipelineOf(slot).steps,
      attempt: columns.attempt[slot] as number,
      start: columns.started[slot] as number,
      end: columns.plannedEnd[slot] as number,
      outcome: store.words.at(columns.outcome[slot] as number),
      // A run that no script moves keeps the state of its last change.
      at: columns.has(slot, FLAG.scripted) ? this.reached : (columns.modified[slot] as number),
    };
  }
}
