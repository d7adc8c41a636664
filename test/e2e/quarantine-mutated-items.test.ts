/**
 * Spoiled items through the real decoders and a real PostgreSQL, many on a page: each is stored or in quarantine, and none
 * is both. (test/pai/mutated-answers.test.ts spoils whole answers, too.)
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { WriteBatch } from '../../src/domain/batch.js';
import type { Rejected } from '../../src/domain/entities.js';
import { fingerprintOf, idOfParts } from '../../src/domain/quarantine.js';
import type { Stream } from '../../src/domain/streams.js';
import { Random } from '../../src/emulator/random.js';
import { decodeNodes } from '../../src/pai/decode/nodes.js';
import { openPage } from '../../src/pai/decode/page.js';
import { decodePipelineRunDetails, decodePipelineRuns } from '../../src/pai/decode/pipeline-run.js';
import { decodeRuns } from '../../src/pai/decode/runs.js';
import { decodeStatuses } from '../../src/pai/decode/status.js';
import { seen, useMirror } from '../store/fixtures.js';
import {
  copy,
  fieldOf,
  type Mutations,
  mutate,
  Pairs,
  setField,
  type Tree,
  toText,
  toTree,
} from '../support/mutations.js';
import { type Answers, type OperationName, realAnswers } from '../support/real-answers.js';

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
/** All together; the long form (`npm run test:properties`) has 10,000. */
const ITEMS = Number(process.env.TEST_MUTATED_ITEMS ?? 700);
const ITEMS_PER_PAGE = 100;

const mirror = useMirror();

/** One item of an entity, named by the key of its row, and where that row would be. */
interface Stored {
  readonly entity: string;
  readonly id: string;
}

interface Case {
  readonly name: string;
  readonly operation: OperationName;
  readonly stream: Stream;
  /** The list in the answer that the items are taken from; null: the answer is the item. */
  readonly field: string | null;
  /** Keys whose values are made unique before an item is spoiled. */
  readonly ids: readonly string[];
  readonly page: (items: string[]) => string;
  readonly decode: (
    text: string,
    minutes: number,
  ) => { batch: WriteBatch; stored: Stored[]; rejected: readonly Rejected[] };
}

const list = (field: string) => (items: string[]) => `{"RequestId":"R","${field}":[${items.join(',')}]}`;

const group = <T>(minutes: number, items: readonly T[]) => [{ evidence: seen(minutes), items }];

const rejectedOf = (minutes: number, operation: string, items: readonly Rejected[]): WriteBatch => ({
  rejected: [{ evidence: seen(minutes), operation, items }],
});

const status = (
  name: string,
  field: string,
  ids: string[],
  pick: (decoded: ReturnType<typeof decodeStatuses>, minutes: number) => { batch: WriteBatch; stored: Stored[] },
): Case => ({
  name,
  operation: 'ListPipelineRunsStatus',
  stream: 'nodes',
  field,
  ids,
  page: list(field),
  decode: (text, minutes) => {
    const page = openPage(text);
    const { batch, stored } = pick(decodeStatuses(page), minutes);
    return {
      batch: { ...batch, ...rejectedOf(minutes, 'ListPipelineRunsStatus', page.rejected) },
      stored,
      rejected: page.rejected,
    };
  },
});

const CASES: readonly Case[] = [
  {
    name: 'pipeline runs of ListPipelineRuns',
    operation: 'ListPipelineRuns',
    stream: 'pipeline-runs',
    field: 'PipelineRuns',
    ids: ['PipelineRunId'],
    page: list('PipelineRuns'),
    decode: (text, minutes) => {
      const page = openPage(text);
      const { items } = decodePipelineRuns(page);
      return {
        batch: { pipelineRuns: group(minutes, items), ...rejectedOf(minutes, 'ListPipelineRuns', page.rejected) },
        stored: items.map((run) => ({ entity: 'pipeline_run', id: run.pipelineRunId })),
        rejected: page.rejected,
      };
    },
  },
  status('pipeline runs of ListPipelineRunsStatus', 'PipelineRuns', ['PipelineRunId'], ({ pipelineRuns }, minutes) => ({
    batch: { pipelineRunStatuses: group(minutes, pipelineRuns) },
    stored: pipelineRuns.map((run) => ({ entity: 'pipeline_run', id: run.pipelineRunId })),
  })),
  status('nodes of ListPipelineRunsStatus', 'Nodes', ['PipelineRunId', 'NodeId'], ({ nodes }, minutes) => ({
    batch: { nodeStatuses: group(minutes, nodes) },
    stored: nodes.map((node) => ({ entity: 'node', id: idOfParts(node.pipelineRunId, node.nodeId) })),
  })),
  status('outputs of ListPipelineRunsStatus', 'Outputs', ['PipelineRunId', 'Id'], ({ outputs }, minutes) => ({
    batch: { nodeOutputs: group(minutes, outputs) },
    stored: outputs.map((output) => ({ entity: 'node_output', id: idOfParts(output.pipelineRunId, output.id) })),
  })),
  {
    name: 'nodes of ListPipelineRunNodeStatus',
    operation: 'ListPipelineRunNodeStatus',
    stream: 'nodes',
    field: 'Status',
    ids: ['NodeId'],
    page: list('Status'),
    decode: (text, minutes) => {
      const page = openPage(text);
      const pipelineRunId = `flow-of-page-${minutes}`;
      const { nodes } = decodeNodes(page, { pipelineRunId, type: 'Logical' });
      const complete = page.rejected.length === 0;
      const tree = { evidence: seen(minutes), pipelineRunId, nodeType: 'Logical', nodes, complete };
      return {
        batch: { nodeTrees: [tree], ...rejectedOf(minutes, 'ListPipelineRunNodeStatus', page.rejected) },
        stored: nodes.map((node) => ({ entity: 'node', id: idOfParts(pipelineRunId, node.nodeId, 'Logical') })),
        rejected: page.rejected,
      };
    },
  },
  {
    name: 'details of GetPipelineRun',
    operation: 'GetPipelineRun',
    stream: 'details',
    field: null,
    ids: ['PipelineRunId'],
    // Its answers hold one item each, so a page here is one answer after the other.
    page: (items) => items.join('\n'),
    decode: (text, minutes) => {
      const answers = text.split('\n').map((answer) => {
        const page = openPage(answer);
        const asked = /"PipelineRunId":"(item-\d+)"/.exec(answer)?.[1] ?? 'flow-unknown';
        return { ...decodePipelineRunDetails(page, asked), rejected: page.rejected };
      });
      const items = answers.flatMap(({ details }) => (details === null ? [] : [details]));
      const rejected = answers.flatMap((answer) => answer.rejected);
      return {
        batch: { pipelineRunDetails: group(minutes, items), ...rejectedOf(minutes, 'GetPipelineRun', rejected) },
        stored: items.map(({ run }) => ({ entity: 'pipeline_run_details', id: run.pipelineRunId })),
        rejected,
      };
    },
  },
  {
    name: 'experiment runs with params, labels and metrics of ListRuns',
    operation: 'ListRuns',
    stream: 'experiment-runs',
    field: 'Runs',
    ids: ['RunId'],
    page: list('Runs'),
    decode: (text, minutes) => {
      const page = openPage(text);
      const { items } = decodeRuns(page);
      return {
        batch: { experimentRuns: group(minutes, items), ...rejectedOf(minutes, 'ListRuns', page.rejected) },
        stored: items.flatMap((run) => [
          { entity: 'run', id: run.runId },
          ...(run.params ?? []).map(({ key }) => ({ entity: 'run_param', id: idOfParts(run.runId, key) })),
          ...(run.labels ?? []).map(({ key }) => ({ entity: 'run_label', id: idOfParts(run.runId, key) })),
          ...(run.metrics ?? []).map((metric) => ({
            entity: 'run_metric',
            id: idOfParts(run.runId, metric.key, metric.step, metric.timestamp),
          })),
        ]),
        rejected: page.rejected,
      };
    },
  },
];

/** The ids of all rows, in the words of quarantine. */
const STORED: { readonly [entity: string]: string } = {
  pipeline_run: 'select pipeline_run_id as id from pai.pipeline_runs',
  pipeline_run_details: 'select pipeline_run_id as id from pai.pipeline_run_details',
  'node ListPipelineRunsStatus': `select pipeline_run_id || '/' || node_id as id from pai.pipeline_run_nodes`,
  'node ListPipelineRunNodeStatus': `select pipeline_run_id || '/' || node_id || '/' || node_type as id from pai.pipeline_run_nodes`,
  node_output: `select pipeline_run_id || '/' || id as id from pai.node_outputs`,
  run: 'select run_id as id from pai.runs',
  run_param: `select run_id || '/' || key as id from pai.run_params`,
  run_label: `select run_id || '/' || key as id from pai.run_labels`,
  run_metric: `select run_id || '/' || key || '/' || step || '/' || to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as id
    from pai.run_metrics`,
};

const MEMBERS = { Params: ['Key'], Labels: ['Key'], Metrics: ['Key'] } as const;

/** Gives an item, and the members of its lists, ids that nothing else has. */
function makeUnique(item: Pairs, ids: readonly string[], number: number): void {
  for (const field of ids) setField(item, field, `item-${number}`);
  for (const [field, keys] of Object.entries(MEMBERS)) {
    const members = fieldOf(item, field);
    if (!Array.isArray(members)) continue;
    for (const [index, member] of members.entries()) {
      if (member instanceof Pairs) for (const key of keys) setField(member, key, `${field}-${index}`);
    }
  }
}

let answers: Answers;
beforeAll(async () => {
  answers = await realAnswers();
});

function itemsOf({ operation, field }: Case): Pairs[] {
  const bodies = answers[operation].map((text) => toTree(JSON.parse(text)));
  const items = field === null ? bodies : bodies.flatMap((body) => (fieldOf(body, field) ?? []) as Tree[]);
  return items.filter((item): item is Pairs => item instanceof Pairs);
}

function spoiledItems(one: Case, count: number, random: Random): string[] {
  const good = itemsOf(one);
  const rules: Mutations = { ids: new Set([...one.ids, 'Key', 'Step', 'Timestamp']), repeat: false };
  return Array.from({ length: count }, (_, index) => {
    const item = copy(random.pick(good)) as Pairs;
    makeUnique(item, one.ids, index);
    let spoiled: Tree = item;
    // Some stay as they are: what is good has to be stored.
    for (let times = random.between(0, 2); times > 0; times -= 1) spoiled = mutate(spoiled, random, rules);
    // An answer of its own has to be an object, or it is none.
    return toText(one.field === null && !(spoiled instanceof Pairs) ? item : spoiled);
  });
}

const idsOf = async (sql: string): Promise<Set<string>> =>
  new Set((await mirror().sql<{ id: string }>(sql)).map(({ id }) => id));

describe(`invariant 6: ${ITEMS} spoiled items in PostgreSQL (TEST_SEED=${seed})`, () => {
  test.each(CASES.map((one) => [one.name, one] as const))(
    '%s: each is stored or in quarantine, none both',
    async (_, one) => {
      const random = new Random(seed);
      const count = Math.ceil(ITEMS / CASES.length);
      const texts = spoiledItems(one, count, random);
      const stored: Stored[] = [];
      const rejected: Rejected[] = [];
      for (let from = 0, minutes = 0; from < texts.length; from += ITEMS_PER_PAGE, minutes += 1) {
        const page = one.decode(one.page(texts.slice(from, from + ITEMS_PER_PAGE)), minutes);
        stored.push(...page.stored);
        rejected.push(...page.rejected);
        await mirror().commit(page.batch, one.stream);
      }
      await expectEachOnce(one, stored, rejected);
      const entries = await mirror().row(
        `select count(*) filter (where form = 'answer')::int as undecoded, count(*) filter (where form = 'entity')::int as refused,
         count(resolved_at)::int as resolved from pai.quarantine`,
      );
      process.stdout.write(
        `${one.name}, TEST_SEED=${seed}: ${count} items, ${stored.length} decoded, ${JSON.stringify(entries)}\n`,
      );
      expect(entries.resolved, 'no item came twice').toBe(0);
      expect(rejected.length).toBeGreaterThan(0);
      expect(stored.length).toBeGreaterThan(count / 3);
    },
  );
});

async function expectEachOnce(one: Case, stored: readonly Stored[], rejected: readonly Rejected[]): Promise<void> {
  const quarantined = await mirror().sql<{ name: string; fingerprint: string; form: string }>(
    `select entity || ' ' || coalesce(entity_id, '') as name, fingerprint, form from pai.quarantine`,
  );
  const refused = new Set(quarantined.filter(({ form }) => form === 'entity').map(({ name }) => name));
  const undecoded = quarantined.filter(({ form }) => form === 'answer');
  for (const entity of new Set(stored.map((item) => item.entity))) {
    const rows = await idsOf((STORED[entity] ?? STORED[`${entity} ${one.operation}`]) as string);
    const ids = new Set(stored.filter((item) => item.entity === entity).map(({ id }) => id));
    const lost = [...ids].filter((id) => !rows.has(id) && !isRefused(refused, entity, id));
    const twice = [...ids].filter((id) => rows.has(id) && refused.has(`${entity} ${id}`));
    const both = undecoded.filter(
      ({ name }) => rows.has(name.slice(entity.length + 1)) && name.startsWith(`${entity} `),
    );
    expect({ entity, lost, twice, both }).toEqual({ entity, lost: [], twice: [], both: [] });
  }
  const kept = new Set(undecoded.map(({ fingerprint }) => fingerprint));
  expect(rejected.filter(({ raw }) => !kept.has(fingerprintOf(raw)))).toEqual([]);
  expect(undecoded).toHaveLength(
    new Set(rejected.map(({ entity, parentId, entityId, raw }) => `${entity} ${parentId} ${entityId} ${raw}`)).size,
  );
}

/** A member goes with its run, when the database refuses that. */
const isRefused = (refused: ReadonlySet<string>, entity: string, id: string): boolean =>
  refused.has(`${entity} ${id}`) || (/^run_/.test(entity) && refused.has(`run ${id.split('/')[0]}`));
