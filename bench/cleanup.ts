/** What has to go when the bench ends, however it ends: the last thing that was made goes first. */
import { describeError } from '../src/domain/errors.js';
import { BenchError } from './failure.js';

export interface Cleanup {
  /**
   * Say it before the thing is made: Ctrl-C may come in between. Returns how to do it early. Throws BenchError once the
   * bench is ending, so that a measurement under way makes nothing more.
   */
  add(what: string, work: () => Promise<void>): () => Promise<void>;
  /** Does all of it; what fails is told and keeps nothing else from being done. */
  run(tell: (line: string) => void): Promise<void>;
}

export function createCleanup(): Cleanup {
  const steps: { readonly what: string; readonly work: () => Promise<void> }[] = [];
  let isEnding = false;
  return {
    add(what, work) {
      if (isEnding) throw new BenchError('the bench is ending');
      let done: Promise<void> | null = null;
      const step = { what, work: () => (done ??= work()) };
      steps.push(step);
      return step.work;
    },
    async run(tell) {
      isEnding = true;
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        await step.work().catch((error: unknown) => tell(`${step?.what}: ${describeError(error)}`));
      }
    },
  };
}
