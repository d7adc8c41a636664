import type { JsonDocument, NodeOutput } from '../../domain/entities.js';
import { instantFromMillis } from '../../domain/instant.js';
import { mix, oneIn } from '../random.js';
import { KIND } from './ids.js';
import { type NodeContext, stepNodeId, stepTimes } from './nodes.js';

/** Most values are JSON; every ninth is a plain path that does not parse, kept as raw text. */
function outputValue(name: string, type: string, bits: number): JsonDocument {
  if (oneIn(9, bits)) return { json: null, raw: `odps://project_${bits % 5}/tables/${name}` };
  if (type === 'Metrics') {
    // Beyond what a double holds, to show that numbers inside documents arrive exact too.
    return { json: `{"auc": ${(bits % 10_000) / 10_000}, "samples": 90071992547${40993 + (bits % 7)}}`, raw: null };
  }
  const location = { name, endpoint: 'http://service.odps.aliyun.com/api', project: `project_${bits % 5}` };
  return { json: JSON.stringify({ name, location, note: 'a "quoted" \\ path' }), raw: null };
}

function makeOutput(context: NodeContext, step: number, order: number, type: string, end: number): NodeOutput {
  const { ids, slot, seed } = context;
  const bits = mix(seed ^ 0x0a7, slot, step * 10 + order);
  const name = `${type.toLowerCase()}_${slot}_${step}_${order}`;
  const expanded = oneIn(4, bits);
  return {
    pipelineRunId: context.run.pipelineRunId,
    id: `artifact-${ids.body(KIND.artifact, slot, step * 10 + order)}`,
    nodeId: stepNodeId(context, step),
    name,
    type,
    metadata: oneIn(5, bits) ? null : JSON.stringify({ format: 'v2', rows: bits % 1_000_000, path: [type, name] }),
    value: outputValue(name, type, bits),
    producer: oneIn(3, bits) ? null : `id-${mix(seed, bits).toString(16)}-${step}`,
    gmtCreateTime: instantFromMillis(end),
    expandedArtifactIndex: expanded ? String(order) : null,
    expandableArtifactName: expanded ? 'inputArtifact' : null,
    extra: context.quirks.unknownFields ? `{"Archived":${oneIn(2, bits)}}` : null,
  };
}

/** What the steps that have succeeded by now left behind. */
export function deriveOutputs(context: NodeContext): NodeOutput[] {
  const times = stepTimes(context) ?? [];
  return context.steps.flatMap((step, index) => {
    const time = times[index];
    if (time?.outcome !== 'Succeeded' || context.at < time.end) return [];
    return step.outputs.map((type, order) => makeOutput(context, index, order, type, time.end));
  });
}
