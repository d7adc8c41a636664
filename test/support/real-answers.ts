/** Answers to spoil: the sample pages of the reference, and what the emulator says, byte for byte. */
import { readFileSync } from 'node:fs';
import { startEmulator } from '../../src/emulator/server.js';
import * as operations from '../../src/pai/operations.js';
import { Transport } from '../../src/pai/transport.js';

export type OperationName =
  | 'ListPipelineRuns'
  | 'ListPipelineRunsStatus'
  | 'GetPipelineRun'
  | 'ListPipelineRunNodeStatus'
  | 'ListRuns'
  | 'ListWorkspaces';

export type Answers = { readonly [operation in OperationName]: readonly string[] };

const sample = (operation: string): string =>
  readFileSync(new URL(`../fixtures/samples/${operation}.json`, import.meta.url), 'utf8');

/** Of an emulator that answers as sloppily as PAI can. */
export async function realAnswers(): Promise<Answers> {
  const emulator = await startEmulator({ history: 60, active: 15, experimentRuns: 30, quirks: 'all', seed: 7 });
  try {
    const key = emulator.accessKeys[0];
    const keys = {
      accessKeyId: key?.accessKeyId ?? '',
      accessKeySecret: key?.accessKeySecret ?? '',
      securityToken: null,
    };
    const transport = new Transport({
      callTimeoutMs: 30_000,
      maxAnswerBytes: 1e8,
      maxBytesInFlight: 1e9,
      ca: undefined,
    });
    const endpoint = { protocol: 'http', host: new URL(emulator.url).host } as const;
    const send = async (request: operations.PaiRequest): Promise<string> =>
      (await transport.send(endpoint, keys, request, new AbortController().signal)).text;

    const workspace = emulator.world.workspaces()[0]?.workspaceId ?? '';
    const scope = { region: 'cn-test', workspaceId: workspace };
    const page = { pageNumber: 1, pageSize: 40, sortBy: 'GmtCreateTime', order: 'DESC' } as const;
    const runs = emulator.world.pipelineRuns().filter((run) => run.workspaceId === workspace);
    const some = runs.slice(-8).map((run) => ({ pipelineRunId: run.pipelineRunId, nodeId: run.nodeId ?? '' }));
    const rooted = some.filter(({ nodeId }) => nodeId !== '').slice(0, 4);
    const trees = await Promise.all(
      rooted.map((node) => send(operations.listPipelineRunNodeStatus({ ...node, depth: 10, type: 'Logical' }))),
    );
    const nodes = trees.flatMap((text, index) =>
      (JSON.parse(text).Status as { NodeId: string }[]).map(({ NodeId }) => ({
        pipelineRunId: rooted[index]?.pipelineRunId ?? '',
        nodeId: NodeId.trim(),
      })),
    );
    return {
      ListPipelineRuns: [sample('ListPipelineRuns'), await send(operations.listPipelineRuns(scope, page))],
      ListPipelineRunsStatus: [
        sample('ListPipelineRunsStatus'),
        await send(operations.listPipelineRunsStatus(scope, { pipelineRunIds: some.map((run) => run.pipelineRunId) })),
        await send(operations.listPipelineRunsStatus(scope, { nodes: nodes.slice(0, 100) })),
      ],
      GetPipelineRun: [
        sample('GetPipelineRun'),
        ...(await Promise.all(some.slice(0, 3).map((run) => send(operations.getPipelineRun(run.pipelineRunId))))),
      ],
      ListPipelineRunNodeStatus: [sample('ListPipelineRunNodeStatus'), ...trees],
      ListRuns: [sample('ListRuns'), await send(operations.listRuns(scope, { pageToken: null, maxResults: 30 }))],
      ListWorkspaces: [await send(operations.listWorkspaces({ pageNumber: 1, pageSize: 10 }))],
    };
  } finally {
    await emulator.close();
  }
}
