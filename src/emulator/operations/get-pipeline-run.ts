import { pipelineRunNotFound } from '../refusal.js';
import { MANIFEST_TYPES, type WorldDetails } from '../world/details.js';
import type { Call } from './operation.js';

/** `GET /api/v1/pipelineruns/{PipelineRunId}`. Verbose adds Manifest, in the form that ManifestType names. */
export function getPipelineRun(call: Call): string {
  const { world, wire, parameters } = call;
  const pipelineRunId = call.path[0] as string;
  const verbose = parameters.boolean('Verbose');
  const type = parameters.oneOf('ManifestType', MANIFEST_TYPES) ?? 'Raw';
  const run = world.pipelineRun(pipelineRunId);
  const details = world.detailsOf(pipelineRunId);
  if (!run || !details || world.statusOf(pipelineRunId)?.isDeleted) throw pipelineRunNotFound(pipelineRunId);
  const none: WorldDetails['manifest'] = { json: null, raw: null };
  const manifest = verbose ? world.manifestOf(pipelineRunId, type) : none;
  const newline = world.quirks.trailingNewlines ? '\\n' : '';
  return `{"RequestId":"${call.requestId}${newline}"${wire.pipelineRunDetails(run, { ...details, manifest })}}`;
}
