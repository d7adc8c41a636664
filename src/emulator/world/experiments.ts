import type { ExperimentRun, RunLabel, RunMetric, RunParam } from '../../domain/entities.js';
import { instantFromMillis, instantToMillis } from '../../domain/instant.js';
import { mix, oneIn, pickBy, unit } from '../random.js';
import { type Catalog, userOf } from './catalog.js';
import { type IdMaker, KIND } from './ids.js';
import type { WorldSettings } from './options.js';
import { SortedIndex } from './sorted-index.js';

export type ExperimentPatch = { -readonly [K in keyof ExperimentRun]?: ExperimentRun[K] };

/** How an experiment run began; everything else follows from its slot and the time. */
export interface ExperimentOrigin {
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly workspaceId: string;
  readonly experimentId: string;
  readonly sourceType: string;
  readonly sourceId: string | null;
}

interface Entry extends ExperimentOrigin {
  /** Training steps in all, and milliseconds between two of them. */
  readonly steps: number;
  readonly interval: number;
  patch: ExperimentPatch | null;
  /** Points logged by hand, oldest first. */
  logged: RunMetric[];
  /** When it was last changed by hand; 0: never. */
  touched: number;
  deleted: boolean;
}

const METRICS = ['loss', 'accuracy', 'auc'];
const EMPTY: readonly RunMetric[] = [];

/** Experiment runs. Those of the world train by the clock: a point of every metric at each step. */
export class ExperimentStore {
  version = 0;
  private readonly entries: Entry[] = [];
  private readonly chosenIds = new Map<string, number>();
  private readonly byWorkspace = new Map<string, SortedIndex>();
  private readonly settings: WorldSettings;
  private readonly catalog: Catalog;
  private readonly ids: IdMaker;

  constructor(settings: WorldSettings, catalog: Catalog, ids: IdMaker) {
    this.settings = settings;
    this.catalog = catalog;
    this.ids = ids;
  }

  /** Returns the slot. `training` false: a run that logs only what `log` is told. */
  add(
    origin: ExperimentOrigin,
    options: { readonly patch?: ExperimentPatch; readonly training?: boolean } = {},
  ): number {
    const slot = this.entries.length;
    const bits = mix(this.settings.seed ^ 0xe49, slot);
    const steps = options.training === false ? 0 : 10 + (bits % 90);
    const interval = 1_000 + (mix(bits, 1) % 29_000);
    this.entries.push({ ...origin, steps, interval, patch: null, logged: [], touched: 0, deleted: false });
    if (options.patch) this.keepPatch(slot, options.patch);
    this.indexOf(this.view(slot, origin.created).workspaceId ?? '').insert(slot);
    this.version += 1;
    return slot;
  }

  /** Deleted ones are not found. */
  slotOf(runId: string): number | null {
    const slot = this.chosenIds.get(runId) ?? this.ids.slotOf(KIND.experimentRun, runId.replace(/^run-/, ''));
    const entry = slot === null ? undefined : this.entries[slot];
    return slot !== null && entry && !entry.deleted && this.idOf(slot) === runId ? slot : null;
  }

  /** In the order of creation; of one workspace, or of all. */
  slots(workspaceId: string | null): number[] {
    if (workspaceId !== null) return [...this.indexOf(workspaceId)];
    return this.entries.flatMap((entry, slot) => (entry.deleted ? [] : [slot]));
  }

  /** The index of a workspace by time of creation. */
  indexOf(workspaceId: string): SortedIndex {
    let index = this.byWorkspace.get(workspaceId);
    if (!index) this.byWorkspace.set(workspaceId, (index = new SortedIndex((slot) => this.entry(slot).created)));
    return index;
  }

  /** `touched` in milliseconds since 1970; null leaves GmtModifiedTime alone. */
  update(slot: number, patch: ExperimentPatch, touched: number | null): void {
    this.indexOf(this.view(slot, this.entry(slot).created).workspaceId ?? '').remove(slot);
    this.keepPatch(slot, patch);
    const entry = this.entry(slot);
    if (touched !== null) entry.touched = touched;
    this.indexOf(this.view(slot, entry.created).workspaceId ?? '').insert(slot);
    this.version += 1;
  }

  log(slot: number, metric: RunMetric, touched: number | null): void {
    const entry = this.entry(slot);
    entry.logged.push(metric);
    if (touched !== null) entry.touched = touched;
    this.version += 1;
  }

  delete(slot: number): void {
    this.indexOf(this.view(slot, 0).workspaceId ?? '').remove(slot);
    this.entry(slot).deleted = true;
    this.version += 1;
  }

  /** Every point logged up to `at`, by time. */
  history(slot: number, at: number): RunMetric[] {
    const entry = this.entry(slot);
    const points: RunMetric[] = [];
    for (let step = 1; step <= this.progress(entry, at); step += 1) points.push(...this.points(slot, entry, step));
    return [...points, ...entry.logged];
  }

  /** The true values at a time. `metrics` has the latest point of each key, as ListRuns tells them. */
  view(slot: number, at: number): ExperimentRun {
    const { settings, catalog, ids } = this;
    const entry = this.entry(slot);
    const bits = mix(settings.seed ^ 0xe47, slot);
    const progress = this.progress(entry, at);
    const modified = Math.max(entry.created + progress * entry.interval, entry.touched);
    const derived: ExperimentRun = {
      runId: `run-${ids.body(KIND.experimentRun, slot)}`,
      name: `${pickBy(['baseline', 'wide', 'deep', 'ablation', '消融实验'], bits)}-${slot + 1}`,
      experimentId: entry.experimentId,
      workspaceId: entry.workspaceId,
      userId: userOf(catalog, bits),
      ownerId: catalog.parentUserId,
      sourceType: entry.sourceType,
      sourceId: entry.sourceId,
      accessibility: oneIn(4, bits) ? 'PUBLIC' : 'PRIVATE',
      gmtCreateTime: instantFromMillis(entry.created),
      gmtModifiedTime: instantFromMillis(modified),
      requestId: ids.uuid(KIND.experimentRun, slot),
      params: this.params(bits),
      labels: this.labels(entry, bits),
      metrics: this.latest(slot, entry, progress),
      extra: settings.quirks.unknownFields ? `{"Tier":${bits % 3}}` : null,
    };
    return entry.patch ? { ...derived, ...entry.patch } : derived;
  }

  private idOf(slot: number): string {
    return this.entry(slot).patch?.runId ?? `run-${this.ids.body(KIND.experimentRun, slot)}`;
  }

  private entry(slot: number): Entry {
    const entry = this.entries[slot];
    if (!entry) throw new RangeError(`experiment run slot: found ${slot}, expected 0 to ${this.entries.length - 1}`);
    return entry;
  }

  private keepPatch(slot: number, patch: ExperimentPatch): void {
    const entry = this.entry(slot);
    const { gmtCreateTime } = patch;
    const created = gmtCreateTime ? instantToMillis(gmtCreateTime) : entry.created;
    this.entries[slot] = { ...entry, created, patch: { ...entry.patch, ...patch } };
    if (patch.runId !== undefined) this.chosenIds.set(patch.runId, slot);
  }

  private progress(entry: Entry, at: number): number {
    return Math.max(0, Math.min(entry.steps, Math.floor((at - entry.created) / entry.interval)));
  }

  private latest(slot: number, entry: Entry, progress: number): readonly RunMetric[] {
    const trained = progress > 0 ? this.points(slot, entry, progress) : EMPTY;
    if (entry.logged.length === 0) return trained;
    return [...new Map([...trained, ...entry.logged].map((metric) => [metric.key, metric])).values()];
  }

  private points(slot: number, entry: Entry, step: number): RunMetric[] {
    const share = step / entry.steps;
    return METRICS.slice(0, 2 + (slot % 2)).map((key, which) => {
      const noise = 0.02 * unit(mix(this.settings.seed ^ which, slot, step));
      const value = key === 'loss' ? 2 * Math.exp(-3 * share) + noise : 0.5 + 0.45 * share + noise;
      return {
        key,
        step: String(step),
        timestamp: instantFromMillis(entry.created + step * entry.interval),
        value: String(value),
      };
    });
  }

  private params(bits: number): RunParam[] {
    return [
      { key: 'learning_rate', value: pickBy(['0.1', '0.01', '1e-3', '3e-4'], bits) },
      { key: 'batch_size', value: String(2 ** (4 + (bits % 6))) },
      { key: 'optimizer "name"', value: oneIn(6, bits) ? '' : 'adamw' },
    ];
  }

  private labels(entry: Entry, bits: number): RunLabel[] {
    const time = instantFromMillis(entry.created);
    const all = [
      { key: 'is_evaluation', value: oneIn(2, bits) ? 'true' : 'false' },
      { key: 'team', value: pickBy(['search', 'ads', 'risk'], bits >>> 4) },
    ];
    return all.slice(0, bits % 3).map((label) => ({ ...label, gmtCreateTime: time, gmtModifiedTime: time }));
  }
}
