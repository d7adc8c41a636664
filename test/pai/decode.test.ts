import { expect, test } from 'vitest';
import { decodeNodes } from '../../src/pai/decode/nodes.js';
import { openPage, type Page } from '../../src/pai/decode/page.js';
import { decodePipelineRunDetails, decodePipelineRuns } from '../../src/pai/decode/pipeline-run.js';
import { decodeRuns } from '../../src/pai/decode/runs.js';
import { decodeStatuses } from '../../src/pai/decode/status.js';
import { decodeWorkspaces } from '../../src/pai/decode/workspaces.js';

/** Decodes one page of the given items (JSON text) and gives items and rejected ones. */
function pipelineRuns(...items: string[]) {
  const page = openPage(`{"RequestId": "R\\n", "TotalCount": ${items.length}, "PipelineRuns": [${items.join(',')}]}`);
  return { ...decodePipelineRuns(page), rejected: page.rejected };
}

function runs(...items: string[]) {
  const page = openPage(`{"requestId": "r", "Runs": [${items.join(',')}]}`);
  return { ...decodeRuns(page), rejected: page.rejected };
}

const only = <T>(decoded: { items: T[]; rejected: readonly unknown[] }): T => {
  expect(decoded.rejected).toEqual([]);
  expect(decoded.items).toHaveLength(1);
  return decoded.items[0] as T;
};

test('a page of ids given as bare JSON numbers arrives exact', () => {
  const ids = Array.from({ length: 100 }, (_, index) => 1557702098194904123n + BigInt(index));
  const decoded = pipelineRuns(
    ...ids.map(
      (id) =>
        `{"PipelineRunId": ${id}, "UserId": ${id}, "ParentUserId":${id}, "WorkspaceId": 15945, "Duration": ${id}}`,
    ),
  );
  expect(decoded.rejected).toEqual([]);
  expect(decoded.items.map((run) => [run.pipelineRunId, run.userId, run.parentUserId, run.duration])).toEqual(
    ids.map((id) => [String(id), String(id), String(id), String(id)]),
  );
  expect(decoded.items[0]?.workspaceId).toBe('15945');
});

test('ids, words and times are trimmed, free text is kept exactly, absent and null are null', () => {
  const run = only(
    pipelineRuns(
      JSON.stringify({
        PipelineRunId: ' flow-1\n',
        Name: ' name \n',
        Message: '',
        Status: 'Running\n',
        UserId: null,
        NodeId: '',
        StartedAt: '2021-01-30T12:51:33Z\n',
        FinishedAt: '',
        Accessibility: '\tPUBLIC ',
        PipelineRunUri: 'https://x\n',
      }),
    ),
  );
  expect(run).toMatchObject({
    pipelineRunId: 'flow-1',
    name: ' name \n',
    message: '',
    status: 'Running',
    userId: null,
    parentUserId: null,
    nodeId: '',
    startedAt: '2021-01-30T12:51:33.000000Z',
    finishedAt: null,
    accessibility: 'PUBLIC',
    pipelineRunUri: 'https://x',
    extra: null,
  });
});

test.each([
  ['a missing id', '{"Name": "x"}', null, 'PipelineRunId: found nothing, expected a non-empty id'],
  ['an empty id', '{"PipelineRunId": " \\n"}', null, 'PipelineRunId: found " \\n", expected a non-empty id'],
  ['a null id', '{"PipelineRunId": null}', null, 'PipelineRunId: found null, expected a non-empty id'],
  [
    'an array for a text',
    '{"PipelineRunId":"flow-1","Name":["x"]}',
    'flow-1',
    'Name: found an array of 1, expected a text',
  ],
  [
    'an object for an id',
    '{"PipelineRunId":"flow-1","UserId":{"a":1}}',
    'flow-1',
    'UserId: found an object with the keys a, expected a text',
  ],
  [
    'a boolean for a number',
    '{"PipelineRunId":"flow-1","Duration":true}',
    'flow-1',
    'Duration: found true, expected a whole number of 64 bits',
  ],
  [
    'a fraction for a whole number',
    '{"PipelineRunId":"flow-1","Duration":1.5}',
    'flow-1',
    'Duration: found 1.5, expected a whole number of 64 bits',
  ],
  [
    'a number beyond 64 bits',
    '{"PipelineRunId":"flow-1","Duration":9223372036854775808}',
    'flow-1',
    'Duration: found 9223372036854775808, expected a whole number of 64 bits',
  ],
  [
    'a number for a time',
    '{"PipelineRunId":"flow-1","StartedAt":1612011093028}',
    'flow-1',
    'StartedAt: found 1612011093028, expected a time such as 2021-01-30T12:51:33.028Z',
  ],
  [
    'a day that never was',
    '{"PipelineRunId":"flow-1","StartedAt":"2021-02-30T00:00:00Z"}',
    'flow-1',
    'StartedAt: found "2021-02-30T00:00:00Z", expected a time such as 2021-01-30T12:51:33.028Z',
  ],
  [
    'a text with U+0000',
    '{"PipelineRunId":"flow-1","Name":"a\\u0000b"}',
    'flow-1',
    'pipeline_run.Name: found "a\\u0000b", expected a text without U+0000 and half surrogate pairs',
  ],
  [
    'half a surrogate pair',
    '{"PipelineRunId":"flow-1","Message":"\\ud83d"}',
    'flow-1',
    'pipeline_run.Message: found "\\ud83d", expected a text without U+0000 and half surrogate pairs',
  ],
  [
    'an unknown field with U+0000 in a key',
    '{"PipelineRunId":"flow-1","New":{"\\u0000":1}}',
    'flow-1',
    'pipeline_run.New, a key: found "\\u0000", expected a text without U+0000 and half surrogate pairs',
  ],
  [
    'a number that numeric cannot hold in an unknown field',
    '{"PipelineRunId":"flow-1","New":1e99999}',
    'flow-1',
    'unknown fields: found an object with the keys New, expected JSON that PostgreSQL can store, without numbers beyond the range of numeric',
  ],
  ['null', 'null', null, 'pipeline_run: found null, expected a JSON object'],
  ['a number', '1557702098194904123', null, 'pipeline_run: found 1557702098194904123, expected a JSON object'],
  ['a list', '[1]', null, 'pipeline_run: found an array of 1, expected a JSON object'],
])('%s rejects the item alone, and tells what was found', (_, item, entityId, error) => {
  const decoded = pipelineRuns('{"PipelineRunId": "flow-0"}', item, '{"PipelineRunId": "flow-2"}');
  expect(decoded.items.map((run) => run.pipelineRunId)).toEqual(['flow-0', 'flow-2']);
  expect(decoded).toMatchObject({ received: 3, totalCount: 3 });
  expect(decoded.rejected).toEqual([{ entity: 'pipeline_run', entityId, raw: expect.any(String), error }]);
});

test('a rejected item is kept as JSON with exact numbers', () => {
  const item = '{"UserId":1557702098194904123,"Score":1.50,"Big":1e400,"Name":"a\\u0000"}';
  expect(pipelineRuns(item).rejected[0]?.raw).toBe(item);
});

test('invariant 6: an item nested thousands of levels deep is rejected, and its page goes on', () => {
  for (const number of ['1', '12345678901234567890']) {
    for (const depth of [501, 4000, 200_000]) {
      const deep = `${'['.repeat(depth)}${number}${']'.repeat(depth)}`;
      const decoded = pipelineRuns(`{"PipelineRunId": "flow-1", "New": ${deep}}`, '{"PipelineRunId": "flow-2"}');
      expect(decoded.items.map((run) => run.pipelineRunId)).toEqual(['flow-2']);
      expect(decoded.rejected).toMatchObject([{ entityId: 'flow-1' }]);
      expect(decoded.rejected[0]?.raw, 'as it came').toBe(`{"PipelineRunId":"flow-1","New":${deep}}`);
    }
  }
});

test('unknown fields are kept with their exact numbers', () => {
  const run = only(
    pipelineRuns(
      '{"PipelineRunId": "flow-1", "Id": 1557702098194904123, "__proto__": {"x": 1.50}, "Tags": ["a\\n"], "No": null}',
    ),
  );
  expect(run.extra).toBe('{"Id":1557702098194904123,"__proto__":{"x":1.50},"Tags":["a\\n"],"No":null}');
});

test('whole numbers come as numbers, as digits in a text, and with a fraction of zero', () => {
  const durations = ['60', '"60"', '" 60\\n"', '60.0', '-1', '9223372036854775807', '"0060"', 'null'];
  const decoded = pipelineRuns(...durations.map((text, index) => `{"PipelineRunId": ${index}, "Duration": ${text}}`));
  expect(decoded.rejected).toEqual([]);
  expect(decoded.items.map((run) => run.duration)).toEqual([
    '60',
    '60',
    '60',
    '60',
    '-1',
    '9223372036854775807',
    '60',
    null,
  ]);
});

const details = (text: string, askedFor = 'flow-1') => {
  const page = openPage(text);
  return { ...decodePipelineRunDetails(page, askedFor), rejected: page.rejected };
};

test('details of another run than the one asked for are rejected, naming both', () => {
  const { details: none, rejected } = details('{"RequestId": "R", "PipelineRunId": "flow-2"}');
  expect(none).toBeNull();
  expect(rejected).toMatchObject([{ entity: 'pipeline_run', entityId: 'flow-2' }]);
  expect(rejected[0]?.error).toMatch(/"flow-2".*"flow-1"/);
});

test('details that cannot be read have the same raw text in every answer, so that they are put into quarantine once', () => {
  const rawOf = (requestId: string) =>
    details(`{"RequestId": "${requestId}", "PipelineRunId": "flow-1", "Name": {}}`).rejected[0]?.raw;
  expect(rawOf('A')).toBe('{"PipelineRunId":"flow-1","Name":{}}');
  expect(rawOf('B')).toBe(rawOf('A'));
});

test('the request id and the documents of details are not among the unknown fields', () => {
  const decoded = details(
    '{"requestId": "R", "PipelineRunId": "flow-1\\n", "Manifest": "", "Options": null, "New": 1}',
  );
  expect(decoded.details).toMatchObject({
    run: { pipelineRunId: 'flow-1', extra: '{"New":1}' },
    manifest: { json: null, raw: '' },
    arguments: { json: null, raw: null },
    options: { json: null, raw: null },
  });
});

test('a document that comes as an object is taken as it is, a number in its place rejects the item', () => {
  expect(details('{"PipelineRunId": "flow-1", "Manifest": {"a": 12345678901234567890}}').details?.manifest).toEqual({
    json: '{"a":12345678901234567890}',
    raw: null,
  });
  expect(details('{"PipelineRunId": "flow-1", "Manifest": 5}').rejected).toHaveLength(1);
});

const statuses = (body: object | string) => {
  const page = openPage(typeof body === 'string' ? body : JSON.stringify(body));
  return { ...decodeStatuses(page), rejected: page.rejected };
};

test('lists that are absent or null are empty', () => {
  expect(statuses({ RequestId: 'R', Nodes: null })).toEqual({ pipelineRuns: [], nodes: [], outputs: [], rejected: [] });
});

test('booleans come as such or as words', () => {
  const flags = (IsDeleted: unknown) => statuses({ PipelineRuns: [{ PipelineRunId: 'flow-1', IsDeleted }] });
  expect([true, 'true', 'false ', null].map((flag) => flags(flag).pipelineRuns[0]?.isDeleted)).toEqual([
    true,
    true,
    false,
    null,
  ]);
  expect(flags(1).rejected[0]?.error).toBe('IsDeleted: found 1, expected true or false');
  expect(flags('yes').rejected).toHaveLength(1);
});

test('unknown fields of runs, nodes and outputs in a status answer are kept', () => {
  const ids = { PipelineRunId: 'flow-1', NodeId: 'n', New: 1 };
  const decoded = statuses({ PipelineRuns: [ids], Nodes: [ids], Outputs: [{ ...ids, Id: 'o' }] });
  const extras = [decoded.pipelineRuns[0]?.extra, decoded.nodes[0]?.extra, decoded.outputs[0]?.extra];
  expect(extras).toEqual(['{"New":1}', '{"New":1}', '{"New":1}']);
});

test('each kind in a status answer is rejected under its own name and id', () => {
  const bad = { PipelineRunId: 'flow-1', NodeId: 'node-1', Id: 'artifact-1', Status: [], Type: [] };
  const { rejected } = statuses({ PipelineRuns: [bad], Nodes: [bad], Outputs: [bad] });
  expect(rejected.map(({ entity, entityId }) => [entity, entityId])).toEqual([
    ['pipeline_run', 'flow-1'],
    ['node', 'flow-1/node-1'],
    ['node_output', 'flow-1/artifact-1'],
  ]);
});

test('output metadata keeps its numbers; a text that holds an object is one; anything else rejects the output', () => {
  const metadata = (text: string) => statuses(`{"Outputs": [{"PipelineRunId": "f", "Id": "o", "Metadata": ${text}}]}`);
  expect(metadata('{"a": 1.50, "b": 12345678901234567890}').outputs[0]?.metadata).toBe(
    '{"a":1.50,"b":12345678901234567890}',
  );
  expect(metadata('"{\\"a\\": 1}"').outputs[0]?.metadata).toBe('{"a": 1}');
  expect(metadata('null').outputs[0]?.metadata).toBeNull();
  expect(metadata('[1]').rejected[0]?.error).toBe('Metadata: found an array of 1, expected a JSON object');
  expect(metadata('{"a": 1e5000}').rejected).toHaveLength(1);
});

test('nodes take run and type from the request, and a run of their own only when it is another', () => {
  const page: Page = openPage(
    JSON.stringify({
      Status: [
        { NodeId: 'node-1\n', PipelineRunId: 'flow-1\n', StartedAt: '2021-01-21T17:12Z' },
        { NodeId: 'node-2', PipelineRunId: 'flow-other' },
        { NodeId: 'node-3', Status: 1.5, NodeName: {} },
      ],
    }),
  );
  const { nodes } = decodeNodes(page, { pipelineRunId: 'flow-1', type: 'Physical' });
  expect(nodes.map(({ pipelineRunId, nodeId, nodeType, extra }) => [pipelineRunId, nodeId, nodeType, extra])).toEqual([
    ['flow-1', 'node-1', 'Physical', null],
    ['flow-1', 'node-2', 'Physical', '{"PipelineRunId":"flow-other"}'],
  ]);
  expect(nodes[0]?.startedAt).toBe('2021-01-21T17:12:00.000000Z');
  expect(page.rejected).toMatchObject([{ entity: 'node', entityId: 'flow-1/node-3/Physical', parentId: 'flow-1' }]);
});

test('lists inside a run may be absent, which is not the same as empty', () => {
  expect(only(runs('{"RunId": "r", "Params": null}'))).toMatchObject({ params: null, labels: null, metrics: null });
  expect(only(runs('{"RunId": "r", "Params": [], "Labels": [], "Metrics": []}'))).toMatchObject({
    params: [],
    labels: [],
    metrics: [],
  });
});

test('keys and values inside a run are kept exactly', () => {
  const run = only(runs('{"RunId": "r", "Params": [{"Key": " a\\n", "Value": 0.10}, {"Key": "", "Value": null}]}'));
  expect(run.params).toEqual([
    { key: ' a\n', value: '0.10' },
    { key: '', value: null },
  ]);
});

test.each([
  ['Params', '{"Value":"x"}', null, 'Key: found nothing, expected a text'],
  ['Params', '{"Key":"k","Value":"\\u0000"}', 'r/k', /U\+0000/],
  ['Labels', '{"Key":"k","GmtCreateTime":"soon"}', 'r/k', /^GmtCreateTime: found "soon", expected a time/],
  ['Labels', 'null', null, 'run_label: found null, expected a JSON object'],
  ['Metrics', '{"Key":"k","Value":"high"}', 'r/k/0/1970-01-01T00:00:00.000000Z', /^Value: found "high"/],
  ['Metrics', '{"Key":"k","Step":7,"Value":1e400}', 'r/k/7/1970-01-01T00:00:00.000000Z', /^Value: found 1e400/],
  ['Metrics', '{"Key":"k","Timestamp":253402300800000}', null, /within the years 1 to 9999/],
  ['Metrics', '{"Key":"k","Timestamp":-62135596800001}', null, /within the years 1 to 9999/],
  ['Metrics', '{"Key":"k","Step":1.5}', null, 'Step: found 1.5, expected a whole number of 64 bits'],
  ['Metrics', '[1]', null, 'run_metric: found an array of 1, expected a JSON object'],
])('invariant 6: a bad member of %s costs itself and not its run: %s', (field, member, entityId, error) => {
  const decoded = runs(`{"RunId": "r", "${field}": [{"Key": "fine"}, ${member}]}`, '{"RunId": "s"}');
  expect(decoded.items.map((run) => run.runId)).toEqual(['r', 's']);
  const list = field.toLowerCase() as 'params' | 'labels' | 'metrics';
  expect(decoded.items[0]?.[list]?.map(({ key }) => key)).toEqual(['fine']);
  expect(decoded.items[0]?.unreadable, 'what the list does not name may be what cannot be read').toEqual([list]);
  expect(decoded.items[1]).not.toHaveProperty('unreadable');
  const entity = `run_${list.slice(0, -1)}`;
  const message = typeof error === 'string' ? error : expect.stringMatching(error);
  expect(decoded.rejected).toEqual([{ entity, entityId, parentId: 'r', raw: member, error: message }]);
});

test('invariant 6: what stands in place of a list inside a run is kept, and the run goes on', () => {
  const decoded = runs('{"RunId": "r", "Name": "n", "Params": {"a":1}, "Labels": 5, "Metrics": []}');
  expect(decoded.items).toMatchObject([
    { runId: 'r', name: 'n', params: null, labels: null, metrics: [], unreadable: ['params', 'labels'] },
  ]);
  expect(decoded.rejected).toMatchObject([
    { entity: 'run_param', parentId: 'r', raw: '{"a":1}' },
    { entity: 'run_label', parentId: 'r', raw: '5' },
  ]);
});

test('a bad run is kept once, with its members inside', () => {
  const decoded = runs('{"RunId":"r","GmtCreateTime":"soon","Params":[{"Key":5,"Value":[]}]}');
  expect(decoded.items).toEqual([]);
  expect(decoded.rejected.map(({ entity, entityId }) => [entity, entityId])).toEqual([['run', 'r']]);
});

test('invariant 9: an id has a bound, so that no key of the database can refuse it', () => {
  const long = 'x'.repeat(257);
  expect(pipelineRuns(`{"PipelineRunId": "${long.slice(1)}"}`).rejected).toEqual([]);
  const [rejected] = pipelineRuns(`{"PipelineRunId": "${long}"}`).rejected;
  expect(rejected).toMatchObject({ entityId: null, error: expect.stringMatching(/at most 256 characters, not 257/) });
});

test('invariant 9: a million digits and a letter are refused at once', () => {
  const digits = `"${'1'.repeat(1_000_000)}x"`;
  const decoded = runs(`{"RunId": "r", "Metrics": [{"Key": "k", "Value": ${digits}}]}`);
  expect(decoded.rejected).toMatchObject([{ entity: 'run_metric' }]);
  const nearlyExtreme = `${'1'.repeat(999)},`.repeat(1000);
  expect(pipelineRuns(`{"PipelineRunId": "flow-1", "New": "${nearlyExtreme}"}`).rejected).toEqual([]);
});

test('metrics: floats in all their forms, steps and times with defaults', () => {
  const metric = (text: string) => only(runs(`{"RunId": "r", "Metrics": [{"Key": "k", ${text}}]}`)).metrics?.[0];
  const values = [
    '0',
    '-0',
    '0.1',
    '"0.1"',
    '0.8523416781425476',
    '1e22',
    '"NaN"',
    '"Infinity"',
    '"-inf"',
    '1e-400',
    'null',
    '0.10000000000000000000001',
  ];
  expect(values.map((value) => metric(`"Value": ${value}`)?.value)).toEqual([
    '0',
    '-0',
    '0.1',
    '0.1',
    '0.8523416781425476',
    '1e+22',
    'NaN',
    'Infinity',
    '-Infinity',
    '0',
    null,
    '0.1',
  ]);
  expect(runs('{"RunId": "r", "Metrics": [{"Key": "k", "Value": 1e400}]}').rejected).toHaveLength(1);
  expect(metric('"Value": 1')).toMatchObject({ step: '0', timestamp: '1970-01-01T00:00:00.000000Z' });
  expect(metric('"Step": 9007199254740993, "Timestamp": 253402300799999')).toMatchObject({
    step: '9007199254740993',
    timestamp: '9999-12-31T23:59:59.999000Z',
  });
  expect(metric('"Timestamp": "-62135596800000"')?.timestamp).toBe('0001-01-01T00:00:00.000000Z');
});

test.each([
  ['0', null],
  ['"0"', null],
  ['""', null],
  ['null', null],
  ['100', '100'],
  ['"100"', '100'],
  ['9223372036854775807', '9223372036854775807'],
])('the page token %s is %j', (text, expected) => {
  expect(decodeRuns(openPage(`{"Runs": [], "NextPageToken": ${text}}`)).nextPageToken).toBe(expected);
});

test('an absent page token is the end, one that is no integer a bad answer', () => {
  expect(decodeRuns(openPage('{"Runs": []}')).nextPageToken).toBeNull();
  expect(() => decodeRuns(openPage('{"Runs": [], "NextPageToken": "abc"}'))).toThrow(/NextPageToken/);
});

test('the request id is read in both spellings, and trimmed', () => {
  expect(openPage('{"RequestId": " R\\n"}').requestId).toBe('R');
  expect(openPage('{"requestId": "r"}').requestId).toBe('r');
  expect(openPage('{"RequestId": ""}').requestId).toBeNull();
  expect(openPage('{"RequestId": 7}').requestId).toBeNull();
});

test('workspaces have ids as texts or numbers, and a name', () => {
  const page = openPage(
    '{"TotalCount": "2", "Workspaces": [{"WorkspaceId": 15945, "WorkspaceName": "a"}, {"WorkspaceName": "b"}]}',
  );
  expect(decodeWorkspaces(page)).toEqual({
    items: [{ workspaceId: '15945', workspaceName: 'a' }],
    received: 2,
    totalCount: 2,
  });
  expect(page.rejected).toMatchObject([{ entity: 'workspace', entityId: null }]);
});
