/** Spoiled answers through the real decoders; test/e2e/quarantine-mutated-items.test.ts takes them on to PostgreSQL. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ExperimentRun, Rejected } from '../../src/domain/entities.js';
import { Random } from '../../src/emulator/random.js';
import { decodeNodes } from '../../src/pai/decode/nodes.js';
import { BadAnswer, openPage, type Page } from '../../src/pai/decode/page.js';
import { decodePipelineRunDetails, decodePipelineRuns } from '../../src/pai/decode/pipeline-run.js';
import { decodeRuns } from '../../src/pai/decode/runs.js';
import { decodeStatuses } from '../../src/pai/decode/status.js';
import { decodeWorkspaces } from '../../src/pai/decode/workspaces.js';
import { parseExact } from '../../src/pai/json.js';
import {
  copy,
  fieldOf,
  type Mutations,
  mutate,
  Pairs,
  TEXTS,
  type Tree,
  toText,
  toTree,
} from '../support/mutations.js';
import { type Answers, type OperationName, realAnswers } from '../support/real-answers.js';

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
const ANSWERS = Number(process.env.TEST_MUTATED_ANSWERS ?? 3_000);
const RULES: Mutations = { ids: new Set(), repeat: true };

/** For each list of an operation: its field, and the entity of its items. */
const LISTS: { readonly [operation in OperationName]: readonly (readonly [field: string, entity: string])[] } = {
  ListPipelineRuns: [['PipelineRuns', 'pipeline_run']],
  ListPipelineRunsStatus: [
    ['PipelineRuns', 'pipeline_run'],
    ['Nodes', 'node'],
    ['Outputs', 'node_output'],
  ],
  GetPipelineRun: [],
  ListPipelineRunNodeStatus: [['Status', 'node']],
  ListRuns: [['Runs', 'run']],
  ListWorkspaces: [['Workspaces', 'workspace']],
};

/** What was decoded, by entity. */
type Decoded = { readonly [entity: string]: readonly unknown[] };

function decode(operation: OperationName, page: Page): Decoded {
  switch (operation) {
    case 'ListPipelineRuns':
      return { pipeline_run: decodePipelineRuns(page).items };
    case 'ListPipelineRunsStatus': {
      const { pipelineRuns, nodes, outputs } = decodeStatuses(page);
      return { pipeline_run: pipelineRuns, node: nodes, node_output: outputs };
    }
    case 'GetPipelineRun':
      return { pipeline_run: [decodePipelineRunDetails(page, 'flow-1').details].filter((one) => one !== null) };
    case 'ListPipelineRunNodeStatus':
      return { node: decodeNodes(page, { pipelineRunId: 'flow-1', type: 'Logical' }).nodes };
    case 'ListRuns':
      return { run: decodeRuns(page).items };
    case 'ListWorkspaces':
      return { workspace: decodeWorkspaces(page).items };
  }
}

type Body = { readonly [field: string]: unknown };

const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0);

/** Members of the lists inside runs: each is decoded or rejected, and a thing that is no list counts as one. */
function checkMembers(runs: readonly ExperimentRun[], body: Body, rejected: readonly Rejected[]): void {
  const sent = new Map<string, number>();
  const items = (body.Runs ?? []) as Body[];
  const isDecoded = new Map(runs.map((run) => [run.runId, run]));
  const add = (entity: string, count: number) => sent.set(entity, (sent.get(entity) ?? 0) + count);
  const inRejectedRuns = rejected.filter(({ entity }) => entity === 'run').length;
  // Which runs were decoded is known by their number only: then those lists are the ones to count.
  if (inRejectedRuns > 0) return;
  for (const item of items) {
    for (const [field, entity] of [
      ['Params', 'run_param'],
      ['Labels', 'run_label'],
      ['Metrics', 'run_metric'],
    ] as const) {
      const list = item[field];
      if (list === undefined || list === null) continue;
      add(entity, Array.isArray(list) ? list.length : 1);
    }
  }
  for (const [list, entity] of [
    ['params', 'run_param'],
    ['labels', 'run_label'],
    ['metrics', 'run_metric'],
  ] as const) {
    const decoded = runs.reduce((sum, run) => sum + (run[list]?.length ?? 0), 0);
    const bad = rejected.filter((one) => one.entity === entity).length;
    expect(decoded + bad, entity).toBe(sent.get(entity) ?? 0);
  }
  for (const { entity, parentId } of rejected) {
    if (entity !== 'run')
      expect(isDecoded.has(parentId ?? ''), 'a member is rejected by itself below a good run').toBe(true);
  }
}

/** Every item is decoded or rejected, and none is both: their numbers add up, list by list. */
function check(operation: OperationName, text: string): 'opened' | 'refused' {
  let page: Page;
  let decoded: Decoded;
  try {
    page = openPage(text);
    decoded = decode(operation, page);
  } catch (error) {
    if (error instanceof BadAnswer) return 'refused';
    throw error;
  }
  for (const { raw, error } of page.rejected) {
    expect(() => parseExact(raw), 'raw is JSON').not.toThrow();
    expect(error).not.toBe('');
  }
  // Another reader says what was sent; of numbers it knows less, but they do not matter here.
  const body = JSON.parse(text) as Body;
  const lists = LISTS[operation];
  if (lists.length === 0) {
    expect((decoded.pipeline_run?.length ?? 0) + page.rejected.length).toBe(1);
  }
  for (const [field, entity] of lists) {
    const bad = page.rejected.filter((one) => one.entity === entity).length;
    expect((decoded[entity]?.length ?? 0) + bad, entity).toBe(lengthOf(body[field]));
  }
  if (operation === 'ListRuns') checkMembers(decoded.run as ExperimentRun[], body, page.rejected);
  return 'opened';
}

/** A small page of some of the answer's items. */
function cut(body: Tree, operation: OperationName, random: Random): Tree {
  if (!(body instanceof Pairs)) return copy(body);
  const fields = new Set(LISTS[operation].map(([field]) => field));
  const pairs = body.pairs.map(([key, value]): [string, Tree] => {
    if (!fields.has(key) || !Array.isArray(value) || value.length === 0) return [key, copy(value)];
    return [key, Array.from({ length: random.between(1, 3) }, () => copy(random.pick(value)))];
  });
  return new Pairs(pairs);
}

/** Of ten answers one is spoiled as a text, two as a whole, and seven in their items. */
function spoil(body: Tree, operation: OperationName, random: Random): string {
  const what = random.between(0, 9);
  if (what === 0) return random.pick(TEXTS)(toText(body), random);
  const lists = LISTS[operation].map(([field]) => fieldOf(body, field)).filter((list) => Array.isArray(list));
  let spoiled = body;
  for (let times = random.between(1, 3); times > 0; times -= 1) {
    const list = lists.length === 0 ? [] : random.pick(lists);
    if (what <= 2 || list.length === 0) spoiled = mutate(spoiled, random, RULES);
    else {
      const at = random.between(0, list.length - 1);
      list[at] = mutate(list[at] as Tree, random, RULES);
    }
  }
  return toText(spoiled);
}

let answers: Answers;
let trees: { readonly [operation in OperationName]: readonly Tree[] };
beforeAll(async () => {
  answers = await realAnswers();
  const parsed = Object.entries(answers).map(([name, texts]) => [name, texts.map((text) => toTree(JSON.parse(text)))]);
  trees = Object.fromEntries(parsed);
});

describe(`invariant 6: ${ANSWERS} spoiled answers (TEST_SEED=${seed})`, () => {
  test('every item is decoded or rejected, none both, and an answer that cannot be opened is a failed call', () => {
    const random = new Random(seed);
    const counts = { opened: 0, refused: 0 };
    const names = Object.keys(LISTS) as OperationName[];
    for (let index = 0; index < ANSWERS; index += 1) {
      const operation = names[index % names.length] as OperationName;
      const text = spoil(cut(random.pick(trees[operation]), operation, random), operation, random);
      try {
        counts[check(operation, text)] += 1;
      } catch (error) {
        const shown = text.length > 3000 ? `${text.slice(0, 3000)}…` : text;
        throw new Error(`answer ${index} of ${operation} (TEST_SEED=${seed}): ${shown}`, { cause: error });
      }
    }
    process.stdout.write(`${ANSWERS} spoiled answers, TEST_SEED=${seed}: ${JSON.stringify(counts)}\n`);
    expect(counts.opened).toBeGreaterThan(ANSWERS / 2);
    expect(counts.refused).toBeGreaterThan(ANSWERS / 50);
  });

  test('the answers that are not spoiled are read without a single rejected item', () => {
    for (const [operation, texts] of Object.entries(answers) as [OperationName, string[]][]) {
      for (const text of texts) {
        if (operation === 'GetPipelineRun') continue;
        const page = openPage(text);
        decode(operation, page);
        expect(page.rejected, `${operation}: ${text}`).toEqual([]);
      }
    }
  });
});
