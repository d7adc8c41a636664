/** What happens to a source, and to its network, on an ordinary day: little, and never for long. Pure. */
import type { Fault } from '../../../src/emulator/faults.js';

/** Every answer takes a moment. */
const USUAL: Fault = { operation: '*', kind: 'latency', millis: 4 };

/** By the hour of the day at which each begins; so many calls meet it. */
const DAY: ReadonlyMap<number, readonly Fault[]> = new Map([
  [2, [{ operation: '*', kind: 'html-5xx', times: 2 }]],
  [6, [{ operation: 'ListRuns', kind: 'truncate', times: 1 }]],
  [10, [{ operation: 'ListPipelineRunNodeStatus', kind: 'throttle', retryAfterMillis: 200, times: 4 }]],
  [11, [{ operation: 'ListRuns', kind: 'throttle', status: 429, times: 2 }]],
  [14, [{ operation: '*', kind: 'error', status: 500, code: 'InternalError', times: 3 }]],
  [17, [{ operation: 'ListPipelineRuns', kind: 'error', status: 503, code: 'ServiceUnavailable', times: 2 }]],
  [19, [{ operation: '*', kind: 'reset', times: 3 }]],
  [21, [{ operation: 'ListPipelineRunsStatus', kind: 'stall', times: 1 }]],
  [23, [{ operation: 'GetPipelineRun', kind: 'not-json', times: 1 }]],
]);

/** The first fault that applies wins, so what is usual comes last. */
export const weatherAt = (hour: number): readonly Fault[] => [...(DAY.get(hour) ?? []), USUAL];
