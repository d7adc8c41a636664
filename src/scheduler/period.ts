import { createTask } from 'node-cron';
import { RUNS_SEEN, shortestPeriod } from './timing.js';

/** Milliseconds between two runs of a schedule (a cron expression, in UTC), the shortest of the next ones; 0 when it comes but once. */
export function periodOf(schedule: string): number {
  const task = createTask(schedule, () => {}, { timezone: 'Etc/UTC' });
  try {
    return shortestPeriod(task.getNextRuns(RUNS_SEEN));
  } finally {
    void task.destroy();
  }
}
