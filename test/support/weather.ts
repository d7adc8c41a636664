/** What goes wrong between the mirror and an emulator for a while, drawn at random. */
import type { Fault } from '../../src/emulator/faults.js';
import type { Random } from '../../src/emulator/random.js';

/** All that PAI, its gateway and the network do to a call; each with its share of the calls. */
const TROUBLES: readonly Fault[] = [
  { operation: '*', kind: 'throttle', retryAfterMillis: 100, probability: 0.06 },
  { operation: '*', kind: 'throttle', status: 429, probability: 0.04 },
  { operation: '*', kind: 'error', status: 503, code: 'ServiceUnavailable', probability: 0.08 },
  { operation: '*', kind: 'error', status: 500, code: 'InternalError', probability: 0.05 },
  { operation: '*', kind: 'html-5xx', probability: 0.05 },
  { operation: '*', kind: 'empty-5xx', probability: 0.05 },
  { operation: '*', kind: 'reset', probability: 0.06 },
  { operation: '*', kind: 'stall', probability: 0.03 },
  { operation: '*', kind: 'drip', chunkBytes: 64, intervalMillis: 50, probability: 0.04 },
  { operation: '*', kind: 'truncate', probability: 0.06 },
  { operation: '*', kind: 'not-json', probability: 0.05 },
];

/** Everything fails: nothing but the end of it helps. */
const OUTAGES: readonly Fault[] = [
  { operation: '*', kind: 'error', status: 503, code: 'ServiceUnavailable', probability: 0.95 },
  { operation: '*', kind: 'reset', probability: 0.9 },
  { operation: 'GetPipelineRun', kind: 'error', status: 500, code: 'InternalError' },
  { operation: 'ListRuns', kind: 'truncate' },
];

/** Often several troubles at once, at times none, seldom an outage; answers take up to `slowness` milliseconds. */
export function drawWeather(random: Random, slowness: number): Fault[] {
  const slow: Fault = { operation: '*', kind: 'latency', millis: random.between(1, slowness), probability: 0.8 };
  const kind = random.next();
  if (kind < 0.25) return [slow];
  if (kind < 0.32) return [random.pick(OUTAGES), slow];
  const troubles = random.shuffle([...TROUBLES]).slice(0, random.between(1, 5));
  // The first fault that applies wins: the latency comes last, so that the others are met as well.
  return [...troubles, slow];
}
