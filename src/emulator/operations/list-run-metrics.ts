import { Refusal } from '../refusal.js';
import { jsonArray } from '../wire.js';
import type { Call } from './operation.js';

/** `GET /api/v1/runs/{RunId}/metrics`: every point of one metric, by time. */
export function listRunMetrics(call: Call): string {
  const { world, wire, parameters } = call;
  const runId = call.path[0] as string;
  const key = parameters.required('Key');
  const offset = parameters.integer('PageToken', 0, 0);
  const size = parameters.integer('MaxResults', 10, 1);
  const limit = Math.min(size, world.quirks.clampPageSize ?? size);
  if (world.experiments.slotOf(runId) === null) throw new Refusal(404, 'RunNotFound', `Run ${runId} does not exist.`);
  const points = world.metricsOf(runId).filter((metric) => metric.key === key);
  const shown = points.slice(offset, offset + limit);
  const next = offset + shown.length < points.length && shown.length > 0 ? offset + shown.length : 0;
  const metrics = jsonArray(shown.map((metric) => wire.metric(metric)));
  return `{"requestId":"${call.requestId}","Metrics":${metrics},"TotalCount":${points.length},"NextPageToken":${next}}`;
}
