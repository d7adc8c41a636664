import type { JsonDocument, PipelineRun } from '../../domain/entities.js';
import { mix, oneIn } from '../random.js';
import type { Pipeline } from './catalog.js';
import type { NodeContext } from './nodes.js';

/** What GetPipelineRun with Verbose adds to the fields of a run. */
export interface WorldDetails {
  readonly manifest: JsonDocument;
  readonly arguments: JsonDocument;
  readonly options: JsonDocument;
}

export const MANIFEST_TYPES = ['Raw', 'Frozen', 'Rendered', 'Expanded', 'Runtime'] as const;

export type ManifestType = (typeof MANIFEST_TYPES)[number];

const document = (value: unknown): JsonDocument => ({ json: JSON.stringify(value), raw: null });

/** The later kinds of manifest add to the one that was submitted. */
export function manifestOf(context: NodeContext, pipeline: Pipeline, type: ManifestType): JsonDocument {
  const { run, ids, slot } = context;
  return document({
    ApiVersion: 'core/v1',
    Metadata: {
      NodeId: context.rootNodeId,
      Provider: run.userId,
      Name: run.pipelineRunId,
      Version: 'v1',
      Identifier: ids.uuid(1, slot).toLowerCase(),
      Namespace: null,
      DisplayName: run.name,
      NodeType: 'Dag',
      ...(type === 'Raw' ? {} : { ManifestType: type }),
    },
    Spec: {
      Pipelines: pipeline.steps.map((step) => ({
        Metadata: { Name: step.name, ...(type === 'Raw' ? {} : { Identifier: ids.uuid(2, slot) }) },
        Spec: { DependsOn: step.after.map((index) => pipeline.steps[index]?.name) },
      })),
    },
  });
}

/** With a random seed beyond 2^53, written by hand because a JavaScript number cannot hold it. */
function argumentsOf(run: PipelineRun, bits: number): JsonDocument {
  const execution = JSON.stringify({
    endpoint: 'http://service.odps.aliyun.com/api',
    odpsProject: `project_${bits % 5}`,
    resourceType: oneIn(2, bits) ? 'MaxCompute' : 'DLC',
    comment: `为 ${run.pipelineId} "nightly"`,
  });
  const seed = `900719925474099${1_000 + (bits % 9_000)}`;
  const parameters = `[{"name":"execution","value":${execution}},{"name":"seed","value":${seed}}]`;
  return { json: `{"arguments":{"parameters":${parameters}}}`, raw: null };
}

function optionsOf(pipeline: Pipeline, bits: number): JsonDocument {
  if (pipeline.experimentId !== null) return document({ mlflow: { experimentId: pipeline.experimentId } });
  return oneIn(3, bits) ? { json: null, raw: null } : document({});
}

export function deriveDetails(context: NodeContext, pipeline: Pipeline): WorldDetails {
  const bits = mix(context.seed ^ 0xde7a, context.slot);
  return {
    manifest: manifestOf(context, pipeline, 'Raw'),
    arguments: argumentsOf(context.run, bits),
    options: optionsOf(pipeline, bits),
  };
}
