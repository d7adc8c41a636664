import { logNormal, mix, oneIn, unit } from '../random.js';
import type { Pipeline } from './catalog.js';

/** How an attempt at a run goes, drawn from (seed, slot, attempt) alone. Times are in milliseconds. */
export interface AttemptPlan {
  readonly outcome: string;
  /** From creation to StartedAt. */
  readonly startDelay: number;
  /** From StartedAt to FinishedAt, interruption included. */
  readonly duration: number;
}

/** A stretch of an attempt, in milliseconds since 1970. */
export interface Interruption {
  readonly status: 'Suspended' | 'Unknown';
  readonly from: number;
  readonly to: number;
}

/** What happens to a run after its end, in milliseconds after it; null: nothing. */
export interface Afterlife {
  readonly rerunAfter: number | null;
  readonly deleteAfter: number | null;
}

const SIX_HOURS = 6 * 3_600_000;
/** Reruns of reruns end here, so that a run's life is finite. */
const MOST_ATTEMPTS = 4;

function drawOutcome(pipeline: Pipeline, u: number): string {
  if (u < pipeline.failed) return 'Failed';
  if (u < pipeline.failed + pipeline.terminated) return 'Terminated';
  if (u < pipeline.failed + pipeline.terminated + pipeline.skipped) return 'Skipped';
  return 'Succeeded';
}

export function planAttempt(seed: number, slot: number, attempt: number, pipeline: Pipeline): AttemptPlan {
  const bits = mix(seed ^ 0xa77e, slot, attempt);
  const more = mix(bits, slot, 1);
  const full = logNormal(pipeline.medianMillis, pipeline.sigma, unit(more), unit(mix(bits, slot, 2)));
  const outcome = drawOutcome(pipeline, unit(bits));
  const share = outcome === 'Failed' || outcome === 'Terminated' ? 0.2 + 0.7 * unit(mix(bits, slot, 3)) : 1;
  return {
    outcome,
    startDelay: 2_000 + (more % 28_000),
    duration: Math.round(Math.min(SIX_HOURS, Math.max(1_000, full * share))),
  };
}

/** Some attempts are suspended and resumed, or lost from sight for a while. A pure function, so that nodes agree with it. */
export function interruptionOf(
  seed: number,
  slot: number,
  attempt: number,
  start: number,
  end: number,
): Interruption | null {
  const bits = mix(seed ^ 0x17e2, slot, attempt);
  if (!oneIn(12, bits)) return null;
  const total = end - start;
  const from = Math.round(start + total * (0.1 + 0.5 * unit(mix(bits, 1))));
  const to = Math.round(from + total * (0.05 + 0.2 * unit(mix(bits, 2))));
  return { status: oneIn(3, mix(bits, 3)) ? 'Unknown' : 'Suspended', from, to };
}

export function afterlifeOf(seed: number, slot: number, attempt: number): Afterlife {
  const bits = mix(seed ^ 0xaf7e, slot, attempt);
  const after = 60_000 + (mix(bits, 1) % 3_600_000);
  return {
    rerunAfter: oneIn(20, bits) && attempt + 1 < MOST_ATTEMPTS ? after : null,
    deleteAfter: bits % 33 === 1 ? after : null,
  };
}

/** One status change of a run that is to come. `touch` moves GmtModifiedTime only. */
export interface LifeStep {
  readonly at: number;
  readonly kind: 'status' | 'ready' | 'start' | 'end' | 'touch' | 'rerun' | 'delete';
  readonly status: string;
}

const BEFORE_START = ['Starting', 'ReadyToSchedule', 'WorkflowServiceStarting', 'QuotaPending'];

/** From creation to the moment before StartedAt: the workflow is set up and the root node becomes known. */
export function openingSteps(created: number, plan: AttemptPlan, bits: number, undocumented: boolean): LifeStep[] {
  const word = undocumented ? (BEFORE_START[bits % BEFORE_START.length] as string) : 'Initialized';
  return [{ at: Math.round(created + plan.startDelay * 0.4), kind: 'ready', status: word }];
}

/** From StartedAt to the end and what follows it. */
export function runningSteps(options: {
  readonly start: number;
  readonly end: number;
  readonly outcome: string;
  readonly interruption: Interruption | null;
  readonly afterlife: Afterlife;
}): LifeStep[] {
  const { start, end, outcome, interruption, afterlife } = options;
  const steps: LifeStep[] = [];
  if (interruption) {
    steps.push({ at: interruption.from, kind: 'status', status: interruption.status });
    steps.push({ at: interruption.to, kind: 'status', status: 'Running' });
  }
  if (outcome === 'Terminated') {
    steps.push({ at: Math.round(end - (end - start) * 0.05), kind: 'status', status: 'Terminating' });
  }
  steps.push({ at: end, kind: 'end', status: outcome });
  if (afterlife.rerunAfter !== null) steps.push({ at: end + afterlife.rerunAfter, kind: 'rerun', status: 'Running' });
  else if (afterlife.deleteAfter !== null)
    steps.push({ at: end + afterlife.deleteAfter, kind: 'delete', status: outcome });
  return steps;
}
