import { isTerminal } from '../../domain/status.js';
import { exponential, mix, Random, unit } from '../random.js';
import type { Catalog, Pipeline } from './catalog.js';
import { FLAG } from './columns.js';
import { EventQueue } from './event-queue.js';
import type { ExperimentStore } from './experiments.js';
import type { WorldSettings } from './options.js';
import { afterlifeOf, interruptionOf, type LifeStep, openingSteps, planAttempt, runningSteps } from './plan.js';
import { paceAt } from './rhythm.js';
import type { RunStore } from './run-store.js';
import { scheduleSteps } from './schedule.js';

type Event =
  | { readonly at: number; readonly kind: 'arrival' }
  | { readonly at: number; readonly kind: 'step'; readonly slot: number; readonly script: LifeStep[] };

const DAY = 86_400_000;
const TIED_MODIFICATION = 60_000;

/**
 * Makes runs and moves them through their lives. Events happen in the order of their times and carry those times, however seldom
 * somebody looks: the world at a time is the same whether it was asked once or a thousand times before.
 */
export class Life {
  private readonly queue = new EventQueue<Event>();
  /** What is still to come for a run; the first step is in the queue. */
  private readonly scripts = new Map<number, LifeStep[]>();
  private readonly random: Random;
  private readonly settings: WorldSettings;
  private readonly catalog: Catalog;
  private readonly store: RunStore;
  private readonly experiments: ExperimentStore;

  constructor(settings: WorldSettings, catalog: Catalog, store: RunStore, experiments: ExperimentStore) {
    this.settings = settings;
    this.catalog = catalog;
    this.store = store;
    this.experiments = experiments;
    this.random = new Random(mix(settings.seed, 0x11fe));
  }

  /** Fills an empty world as of `now`: finished runs, running runs, experiment runs. */
  populate(now: number): void {
    this.makeHistory(now);
    this.store.buildIndexes();
    this.makeExperiments(now);
    for (let n = 0; n < this.settings.active; n += 1) this.makeActive(now);
    if (this.settings.arrivalsPerMinute > 0) this.expectArrival(now);
    this.advance(now);
  }

  /** Lets everything happen that is due. */
  advance(now: number): void {
    for (let event = this.queue.takeDue(now); event; event = this.queue.takeDue(now)) {
      if (event.kind === 'arrival') this.arrive(event.at);
      else this.play(event.slot, event.script);
    }
  }

  /** A run that is changed by hand from now on: what was still to come does not happen. */
  cancel(slot: number): void {
    this.scripts.delete(slot);
    this.store.columns.setFlag(slot, FLAG.scripted, false);
  }

  private makeHistory(now: number): void {
    const { history, historyDays, quirks } = this.settings;
    const span = historyDays * DAY;
    const tie = quirks.randomTieOrder ? (4 * span) / Math.max(1, history) : 1;
    for (let n = 0; n < history; n += 1) {
      const spread = now - span + ((n + unit(mix(this.settings.seed, n, 0x415))) / history) * span;
      this.makeFinished(Math.floor(Math.floor(spread / tie) * tie), now);
    }
  }

  private makeFinished(created: number, now: number): void {
    const { store, settings } = this;
    const { columns } = store;
    const slot = columns.append();
    columns.created[slot] = created;
    columns.pipeline[slot] = mix(settings.seed ^ 0x9e, slot) % this.catalog.pipelines.length;
    const plan = planAttempt(settings.seed, slot, 0, store.pipelineOf(slot));
    // The youngest runs are made shorter, so that all of them have ended.
    const room = Math.max(0, now - 1_000 - created);
    const started = created + Math.min(plan.startDelay, Math.floor(room * 0.1));
    const skipped = plan.outcome === 'Skipped';
    const finished = skipped ? started : started + Math.min(plan.duration, Math.floor(room * 0.8));
    if (!skipped) columns.started[slot] = started;
    columns.finished[slot] = finished;
    columns.plannedEnd[slot] = finished;
    columns.modified[slot] = settings.quirks.randomTieOrder
      ? Math.min(now, Math.ceil(finished / TIED_MODIFICATION) * TIED_MODIFICATION)
      : finished;
    columns.status[slot] = columns.outcome[slot] = store.words.indexOf(plan.outcome);
    columns.setFlag(slot, FLAG.nodeKnown, true);
  }

  /** A run that began some time ago and has not ended. */
  private makeActive(now: number): void {
    const { columns } = this.store;
    const pipeline = this.random.between(0, this.catalog.pipelines.length - 1);
    const plan = planAttempt(this.settings.seed, columns.count, 0, this.catalog.pipelines[pipeline] as Pipeline);
    this.spawn(Math.floor(now - this.random.next() * (plan.startDelay + plan.duration)), pipeline);
  }

  private makeExperiments(now: number): void {
    const { experimentRuns, historyDays, seed } = this.settings;
    const span = historyDays * DAY;
    for (let n = 0; n < experimentRuns; n += 1) {
      const bits = mix(seed ^ 0x3e9, n);
      const experiment = this.catalog.experiments[bits % this.catalog.experiments.length];
      if (!experiment) continue;
      const created = Math.floor(now - span + ((n + unit(bits)) / experimentRuns) * span);
      const sourceId = `train${bits.toString(36)}`;
      this.experiments.add({ ...experiment, created, sourceType: 'TrainingService', sourceId });
    }
  }

  private expectArrival(after: number): void {
    const { arrivalsPerMinute, rhythm } = this.settings;
    const wait = exponential(60_000 / (arrivalsPerMinute * paceAt(rhythm, after)), this.random.next());
    this.queue.push({ at: Math.ceil(after + wait), kind: 'arrival' });
  }

  private arrive(at: number): void {
    this.spawn(at, this.random.between(0, this.catalog.pipelines.length - 1));
    const old = this.random.between(0, Math.max(0, this.settings.history - 1));
    const chance = this.random.next();
    if (chance < 0.05 && this.isAtRest(old)) {
      this.follow(old, [{ at, kind: chance < 0.03 ? 'rerun' : 'delete', status: 'Running' }]);
    }
    this.expectArrival(at);
  }

  private isAtRest(slot: number): boolean {
    const { columns, words } = this.store;
    if (slot >= columns.count || this.scripts.has(slot) || this.store.isPatched(slot)) return false;
    return !this.store.isDeleted(slot) && isTerminal(words.at(columns.status[slot] as number));
  }

  private spawn(created: number, pipeline: number): void {
    const { store, settings } = this;
    const { columns } = store;
    const slot = columns.append();
    columns.created[slot] = created;
    columns.modified[slot] = created;
    columns.pipeline[slot] = pipeline;
    columns.status[slot] = store.words.indexOf('Initialized');
    columns.setFlag(slot, FLAG.nodeKnown, !settings.quirks.emptyRootNode);
    columns.setFlag(slot, FLAG.scripted, true);
    store.enter(slot);
    const plan = planAttempt(settings.seed, slot, 0, store.pipelineOf(slot));
    const opening = openingSteps(created, plan, mix(settings.seed, slot, 0x09e), settings.quirks.undocumentedStatuses);
    const at = created + plan.startDelay;
    const skipped = plan.outcome === 'Skipped';
    this.follow(slot, [...opening, { at, kind: skipped ? 'end' : 'start', status: skipped ? 'Skipped' : 'Running' }]);
  }

  private follow(slot: number, script: LifeStep[]): void {
    const first = script[0];
    if (!first) {
      this.cancel(slot);
      return;
    }
    this.scripts.set(slot, script);
    this.queue.push({ at: first.at, kind: 'step', slot, script });
  }

  private play(slot: number, script: LifeStep[]): void {
    const [step, ...rest] = script;
    // Another script, or none, has taken its place.
    if (!step || this.scripts.get(slot) !== script) return;
    let next = rest;
    this.store.change(slot, () => {
      this.store.columns.modified[slot] = step.at;
      if (step.kind === 'start' || step.kind === 'rerun') next = this.begin(slot, step);
      else this.apply(slot, step);
    });
    this.follow(slot, next);
  }

  private apply(slot: number, step: LifeStep): void {
    const { columns, words } = this.store;
    if (step.kind === 'delete') columns.setFlag(slot, FLAG.deleted, true);
    if (step.kind === 'delete' || step.kind === 'touch') return;
    columns.status[slot] = words.indexOf(step.status);
    if (step.kind === 'ready') columns.setFlag(slot, FLAG.nodeKnown, true);
    if (step.kind !== 'end') return;
    columns.finished[slot] = step.at;
    columns.plannedEnd[slot] = step.at;
    columns.outcome[slot] = columns.status[slot] as number;
    columns.setFlag(slot, FLAG.scripted, false);
  }

  /** Starts an attempt; returns the steps that follow. */
  private begin(slot: number, step: LifeStep): LifeStep[] {
    const { seed } = this.settings;
    const { columns, words } = this.store;
    if (step.kind === 'rerun') columns.attempt[slot] = (columns.attempt[slot] as number) + 1;
    const attempt = columns.attempt[slot] as number;
    const plan = planAttempt(seed, slot, attempt, this.store.pipelineOf(slot));
    const outcome = plan.outcome === 'Skipped' ? 'Succeeded' : plan.outcome;
    const start = step.at;
    const end = start + plan.duration;
    columns.started[slot] = start;
    columns.finished[slot] = Number.NaN;
    columns.plannedEnd[slot] = end;
    columns.outcome[slot] = words.indexOf(outcome);
    columns.status[slot] = words.indexOf('Running');
    columns.setFlag(slot, FLAG.scripted, true);
    this.logExperiment(slot, start);
    const interruption = interruptionOf(seed, slot, attempt, start, end);
    const steps = runningSteps({ start, end, outcome, interruption, afterlife: afterlifeOf(seed, slot, attempt) });
    if (!this.settings.nodeProgressTouchesRun) return steps;
    return [...steps, ...this.touches(slot, attempt, { start, end, outcome })].sort((a, b) => a.at - b.at);
  }

  /** A run of a pipeline with an experiment logs to an experiment run of its own. */
  private logExperiment(slot: number, created: number): void {
    const { experimentId, workspaceId } = this.store.pipelineOf(slot);
    if (experimentId === null) return;
    const sourceId = this.store.idOf(slot);
    this.experiments.add({ created, workspaceId, experimentId, sourceType: 'PipelineRun', sourceId });
  }

  private touches(
    slot: number,
    attempt: number,
    facts: { readonly start: number; readonly end: number; readonly outcome: string },
  ): LifeStep[] {
    const { steps } = this.store.pipelineOf(slot);
    const times = scheduleSteps(steps, { seed: this.settings.seed, slot, attempt, quantum: 1, ...facts });
    const moments = times.flatMap(({ start, end }) => (Number.isNaN(start) ? [] : [start, end]));
    return [...new Set(moments)]
      .filter((at) => at < facts.end)
      .map((at) => ({ at, kind: 'touch', status: 'Running' }) as const);
  }
}
