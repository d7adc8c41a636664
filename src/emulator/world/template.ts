import type { Random } from '../random.js';

/** One step of a pipeline; every run of the pipeline has a logical node for it. */
export interface Step {
  readonly name: string;
  /** Index of the composite step around it; -1: directly below the root. */
  readonly parent: number;
  /** Contains the steps whose `parent` it is. */
  readonly composite: boolean;
  /** Indexes of earlier steps with the same parent that must end first. */
  readonly after: readonly number[];
  /** Its share of the run's time, in no unit. */
  readonly weight: number;
  /** Types of the outputs that it leaves behind. */
  readonly outputs: readonly string[];
}

interface StepKind {
  readonly name: string;
  readonly weight: number;
  readonly outputs: readonly string[];
}

/** In the order of a pipeline's work. Some names are not ASCII, as in real workspaces. */
const KINDS: readonly StepKind[] = [
  { name: 'read-table', weight: 1, outputs: ['DataSet'] },
  { name: '数据清洗', weight: 2, outputs: ['DataSet'] },
  { name: 'sql', weight: 2, outputs: ['DataSet'] },
  { name: 'split', weight: 1, outputs: ['DataSet', 'DataSet'] },
  { name: 'feature-engineering', weight: 4, outputs: ['DataSet'] },
  { name: 'normalize', weight: 1, outputs: [] },
  { name: 'train', weight: 12, outputs: ['Model', 'Metrics'] },
  { name: 'tune', weight: 8, outputs: ['Model'] },
  { name: 'predict', weight: 4, outputs: ['DataSet'] },
  { name: 'evaluate', weight: 2, outputs: ['ModelEvaluation', 'Metrics'] },
  { name: 'compare "champion"', weight: 1, outputs: ['Metrics'] },
  { name: 'register-model', weight: 1, outputs: ['Model'] },
];

/** Earlier siblings to wait for: most often the one before, at times two, at times none. */
function dependencies(siblings: readonly number[], random: Random): number[] {
  const last = siblings.at(-1);
  if (last === undefined || random.next() < 0.15) return [];
  if (siblings.length === 1 || random.next() < 0.6) return [last];
  return [...new Set([last, random.pick(siblings)])];
}

/** The directed graph of a pipeline with `count` steps, now and then with a composite step around two or three others. */
export function makeSteps(count: number, random: Random): Step[] {
  const steps: Step[] = [];
  let parent = -1;
  let inside = 0;
  for (let index = 0; index < count; index += 1) {
    if (inside === 0) parent = -1;
    const siblings = steps.flatMap((step, at) => (step.parent === parent ? [at] : []));
    const after = dependencies(siblings, random);
    const room = count - index - 1;
    if (parent === -1 && room >= 2 && random.next() < 0.2) {
      steps.push({ name: `sub-flow-${index + 1}`, parent, composite: true, after, weight: 0, outputs: [] });
      parent = index;
      inside = Math.min(room, random.between(2, 3));
      continue;
    }
    const kind = KINDS[Math.floor((index / count) * KINDS.length)] as StepKind;
    steps.push({ ...kind, name: `${kind.name}-${index + 1}`, parent, composite: false, after });
    inside = Math.max(0, inside - 1);
  }
  return steps;
}
