/** What has to go when the bench ends, however it ends: the last thing that was made goes first. */
import { describeError } from '../src/domain/errors.js';

export interface Cleanup {
  /** Returns how to do it early. */
  add(what: string, work: () => Promise<void>): () => Promise<void>;
  /** Does all of it; what fails is told and keeps nothing else from being done. */
  run(tell: (line: string) => void): Promise<void>;
}

export function createCleanup(): Cleanup {
  const steps: { readonly what: string; readonly work: () => Promise<void> }[] = [];
  return {
    add(what, work) {
      let done: Promise<void> | null = null;
      const step = { what, work: () => (done ??= work()) };
      steps.push(step);
      return step.work;
    },
    async run(tell) {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        await step.work().catch((error: unknown) => tell(`${step?.what}: ${describeError(error)}`));
      }
    },
  };
}
