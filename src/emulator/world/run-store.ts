import type { PipelineRun } from '../../domain/entities.js';
import { mix, oneIn } from '../random.js';
import { type Catalog, type Pipeline, userOf } from './catalog.js';
import { FLAG, RunColumns, Words } from './columns.js';
import { type IdMaker, KIND } from './ids.js';
import { InstantWriter } from './instants.js';
import { failureMessage } from './messages.js';
import type { WorldSettings } from './options.js';
import { SortedIndex } from './sorted-index.js';

/** Fields set by hand; `undefined` leaves a field to the world. */
export type RunPatch = { -readonly [K in keyof PipelineRun]?: PipelineRun[K] | undefined };

/** The two orders in which runs are listed most, kept for each workspace and for all together. */
export interface RunIndexes {
  readonly created: SortedIndex;
  readonly modified: SortedIndex;
}

/** All pipeline runs: columns, what a test changed by hand (`patches`), and the indexes over them. */
export class RunStore {
  readonly columns: RunColumns;
  readonly words = new Words();
  /** Grows with every change; results that were computed for an older one are out of date. */
  version = 0;
  private readonly patches = new Map<number, RunPatch>();
  private readonly chosenIds = new Map<string, number>();
  private readonly byWorkspace = new Map<string, RunIndexes>();
  private everything: RunIndexes;
  private readonly settings: WorldSettings;
  private readonly catalog: Catalog;
  private readonly ids: IdMaker;
  private readonly sourceIds: readonly string[];
  private readonly instants = new InstantWriter();

  constructor(settings: WorldSettings, catalog: Catalog, ids: IdMaker) {
    this.settings = settings;
    this.catalog = catalog;
    this.ids = ids;
    this.columns = new RunColumns(settings.history + settings.active + 1_000);
    this.everything = this.makeIndexes([], []);
    this.sourceIds = catalog.pipelines.map((_, index) => ids.body(KIND.source, index));
  }

  pipelineOf(slot: number): Pipeline {
    return this.catalog.pipelines[this.columns.pipeline[slot] as number] as Pipeline;
  }

  workspaceOf(slot: number): string | null {
    const patched = this.patches.get(slot)?.workspaceId;
    return patched === undefined ? this.pipelineOf(slot).workspaceId : patched;
  }

  idOf(slot: number): string {
    return this.patches.get(slot)?.pipelineRunId ?? `flow-${this.ids.body(KIND.run, slot)}`;
  }

  /** Deleted runs included; null for an id that no run ever had. */
  slotOf(pipelineRunId: string): number | null {
    const chosen = this.chosenIds.get(pipelineRunId);
    if (chosen !== undefined) return chosen;
    if (!pipelineRunId.startsWith('flow-')) return null;
    const slot = this.ids.slotOf(KIND.run, pipelineRunId.slice(5));
    if (slot === null || slot >= this.columns.count) return null;
    return this.idOf(slot) === pipelineRunId ? slot : null;
  }

  isDeleted(slot: number): boolean {
    return this.columns.has(slot, FLAG.deleted);
  }

  /** Of one workspace, or of all when null. */
  indexes(workspaceId: string | null): RunIndexes {
    if (workspaceId === null) return this.everything;
    return this.byWorkspace.get(workspaceId) ?? this.makeIndexes([], []);
  }

  /** Sorts everything there is; once, after the history was built. */
  buildIndexes(): void {
    const { columns } = this;
    const byCreation = Uint32Array.from({ length: columns.count }, (_, slot) => slot);
    const inOrderOf = (key: Float64Array) => (a: number, b: number) => (key[a] as number) - (key[b] as number) || a - b;
    byCreation.sort(inOrderOf(columns.created));
    const byChange = byCreation.slice().sort(inOrderOf(columns.modified));
    this.everything = this.makeIndexes(byCreation, byChange);
    for (const { workspaceId } of this.catalog.workspaces) {
      const here = (slot: number): boolean => this.workspaceOf(slot) === workspaceId;
      this.byWorkspace.set(workspaceId, this.makeIndexes(byCreation.filter(here), byChange.filter(here)));
    }
  }

  /** Puts a new slot, whose columns are filled, into the indexes. */
  enter(slot: number, patch: RunPatch = {}): void {
    this.keepPatch(slot, patch);
    this.version += 1;
    this.link(slot);
  }

  /** The only way to change a run: takes it out of the indexes, changes it, puts it back. */
  change(slot: number, apply: () => void): void {
    if (!this.isDeleted(slot)) for (const index of this.indexesOf(slot)) index.remove(slot);
    apply();
    this.version += 1;
    this.columns.revision[slot] = (this.columns.revision[slot] as number) + 1;
    this.link(slot);
  }

  /** Fields that a test has set; `undefined` gives a field back to the world. Only inside `change`. */
  keepPatch(slot: number, patch: RunPatch): void {
    if (Object.keys(patch).length === 0) return;
    const merged = { ...this.patches.get(slot), ...patch };
    this.patches.set(slot, merged);
    if (patch.pipelineRunId !== undefined) this.chosenIds.set(patch.pipelineRunId, slot);
  }

  isPatched(slot: number): boolean {
    return this.patches.has(slot);
  }

  rootNodeId(slot: number): string {
    return this.patches.get(slot)?.nodeId || `node-${this.ids.body(KIND.node, slot)}`;
  }

  /** The true values of a run, as ListPipelineRuns tells them. */
  view(slot: number): PipelineRun {
    const derived = this.derive(slot);
    const patch = this.patches.get(slot);
    if (!patch) return derived;
    const known = Object.entries(patch).filter(([, value]) => value !== undefined);
    return { ...derived, ...(Object.fromEntries(known) as Partial<PipelineRun>) };
  }

  private derive(slot: number): PipelineRun {
    const { columns, settings, catalog } = this;
    const { quirks, seed } = settings;
    const pipeline = this.pipelineOf(slot);
    const bits = mix(seed ^ 0x10b5, slot);
    const status = this.words.at(columns.status[slot] as number);
    const started = columns.started[slot] as number;
    const finished = columns.finished[slot] as number;
    const id = `flow-${this.ids.body(KIND.run, slot)}`;
    const message = status === 'Failed' ? this.failure(slot, pipeline) : null;
    const newline = quirks.trailingNewlines && oneIn(5, bits) ? '\n' : '';
    return {
      pipelineRunId: id,
      name: `${pipeline.name}-${slot + 1}${newline}`,
      status,
      userId: userOf(catalog, bits),
      parentUserId: catalog.parentUserId,
      startedAt: this.instant(started),
      finishedAt: this.instant(finished),
      nodeId: columns.has(slot, FLAG.nodeKnown) ? `node-${this.ids.body(KIND.node, slot)}` : '',
      duration: finished >= started ? String(Math.round((finished - started) / 1_000)) : null,
      workspaceId: pipeline.workspaceId,
      message: message === null ? null : message + newline,
      sourceType: pipeline.sourceType,
      sourceId: this.sourceIds[columns.pipeline[slot] as number] as string,
      gmtCreateTime: this.instant(columns.created[slot] as number),
      gmtModifiedTime: this.instant(columns.modified[slot] as number),
      pipelineId: pipeline.pipelineId,
      accessibility: oneIn(4, bits >>> 3) ? 'PUBLIC' : 'PRIVATE',
      pipelineRunUri:
        quirks.missingUri && oneIn(7, bits >>> 5)
          ? null
          : `https://pai.console.aliyun.com/?workspaceId=${pipeline.workspaceId}#/studio/task/detail/${id}`,
      extra: quirks.unknownFields ? `{"ResourceGroup":"rg-${bits % 10}","Priority":${bits % 9}}` : null,
    };
  }

  private instant(millis: number): string | null {
    return Number.isNaN(millis) ? null : this.instants.write(millis);
  }

  private failure(slot: number, pipeline: Pipeline): string {
    const { columns, settings } = this;
    const attempt = columns.attempt[slot] as number;
    const step = pipeline.steps[mix(settings.seed, slot, attempt) % pipeline.steps.length];
    return failureMessage(settings.seed, slot, attempt, step?.name ?? 'root');
  }

  private link(slot: number): void {
    if (!this.isDeleted(slot)) for (const index of this.indexesOf(slot)) index.insert(slot);
  }

  private indexesOf(slot: number): SortedIndex[] {
    const workspaceId = this.workspaceOf(slot) ?? '';
    let here = this.byWorkspace.get(workspaceId);
    if (!here) this.byWorkspace.set(workspaceId, (here = this.makeIndexes([], [])));
    return [this.everything.created, this.everything.modified, here.created, here.modified];
  }

  private makeIndexes(byCreation: ArrayLike<number>, byChange: ArrayLike<number>): RunIndexes {
    return {
      created: new SortedIndex((slot) => this.columns.created[slot] as number, byCreation),
      modified: new SortedIndex((slot) => this.columns.modified[slot] as number, byChange),
    };
  }
}
