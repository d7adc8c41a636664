import { mix, unit } from '../random.js';
import { interruptionOf } from './plan.js';
import type { Step } from './template.js';

/** What became, or will become, of one step in one attempt. */
export interface StepTimes {
  /** Milliseconds since 1970; NaN for a step that never runs. */
  readonly start: number;
  readonly end: number;
  /** The status at `end`; `Skipped` for a step that never runs. */
  readonly outcome: 'Succeeded' | 'Failed' | 'Terminated' | 'Skipped';
  /** When a step that never runs is known to be skipped. */
  readonly decided: number;
}

export interface AttemptFacts {
  readonly seed: number;
  readonly slot: number;
  readonly attempt: number;
  readonly start: number;
  readonly end: number;
  readonly outcome: string;
  /** Node times are multiples of this many milliseconds (1 for exact ones). */
  readonly quantum: number;
}

interface Relative {
  readonly start: number[];
  readonly end: number[];
}

/** Start and end of every step in units of weight, by the pipeline's graph; each run varies the weights a little. */
function relativeTimes(steps: readonly Step[], bits: number): Relative {
  const start: number[] = [];
  const end: number[] = [];
  steps.forEach((step, index) => {
    const begin = step.parent < 0 ? 0 : (start[step.parent] as number);
    start[index] = step.after.reduce((latest, earlier) => Math.max(latest, end[earlier] as number), begin);
    end[index] = (start[index] as number) + step.weight * (0.7 + 0.6 * unit(mix(bits, index)));
    if (step.parent >= 0) end[step.parent] = Math.max(end[step.parent] as number, end[index] as number);
  });
  return { start, end };
}

/** The leaf that fails, and where in relative time the attempt stops. */
function stopOf(
  steps: readonly Step[],
  times: Relative,
  outcome: string,
  bits: number,
): { failing: number; cut: number } {
  const total = Math.max(...times.end);
  if (outcome === 'Terminated') return { failing: -1, cut: total * (0.15 + 0.8 * unit(mix(bits, 901))) };
  if (outcome !== 'Failed') return { failing: -1, cut: total };
  const leaves = steps.flatMap((step, index) => (step.composite ? [] : [index]));
  const failing = leaves[mix(bits, 902) % leaves.length] as number;
  return { failing, cut: times.end[failing] as number };
}

/**
 * When the steps of an attempt run and how they end, all between its start and its end: the graph's relative times are
 * scaled to the attempt's length, with nothing starting during an interruption. A pure function of the facts, so that nodes need no
 * memory and always agree with their run.
 */
export function scheduleSteps(steps: readonly Step[], facts: AttemptFacts): StepTimes[] {
  const { seed, slot, attempt, start, end, quantum } = facts;
  const bits = mix(seed ^ 0x5c4e, slot, attempt);
  const times = relativeTimes(steps, bits);
  const { failing, cut } = stopOf(steps, times, facts.outcome, bits);
  const pause = interruptionOf(seed, slot, attempt, start, end);
  const lost = pause ? pause.to - pause.from : 0;
  const toTime = (relative: number): number => {
    const active = start + Math.round((relative / cut) * (end - start - lost));
    const real = pause && active > pause.from ? active + lost : active;
    return Math.max(start, Math.floor(Math.min(real, end) / quantum) * quantum);
  };
  return steps.map((step, index) => {
    const from = times.start[index] as number;
    const to = times.end[index] as number;
    const optional = !step.composite && facts.outcome === 'Succeeded' && mix(bits, 903, index) % 25 === 0;
    if (from >= cut || optional) {
      return { start: Number.NaN, end: Number.NaN, outcome: 'Skipped', decided: from >= cut ? end : toTime(from) };
    }
    const fails = index === failing || (step.composite && steps[failing]?.parent === index);
    const outcome = fails ? 'Failed' : to > cut ? 'Terminated' : 'Succeeded';
    return { start: toTime(from), end: toTime(Math.min(to, cut)), outcome, decided: end };
  });
}
