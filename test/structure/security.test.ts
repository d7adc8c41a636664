/** docs/security.md says what the code does. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Operation, PaiRequest } from '../../src/pai/operations.js';
import * as operations from '../../src/pai/operations.js';
import { RAM_ACTIONS, ramActionOf } from '../../src/pai/ram-actions.js';

const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/security.md'), 'utf8');

interface Policy {
  readonly Version: string;
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action: readonly string[];
    readonly Resource: string;
  }[];
}

/** Every operation that the code can call: it makes requests in one file alone. */
function callable(): Operation[] {
  const scope = { region: 'cn-test', workspaceId: '1' };
  const about = {
    pageNumber: 1,
    pageSize: 1,
    pageToken: null,
    maxResults: 1,
    pipelineRunIds: [],
    nodeId: 'n',
    depth: 1,
  };
  const makers = Object.values(operations) as ((...args: unknown[]) => PaiRequest)[];
  return makers.map((make) => {
    const first =
      make === (operations.getPipelineRun as unknown) ? 'flow-1' : { ...scope, ...about, pipelineRunId: 'r' };
    return make(first, about).operation;
  });
}

describe('the RAM policy', () => {
  const [, json = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const policy = JSON.parse(json) as Policy;
  const granted = policy.Statement.flatMap(({ Action }) => Action);
  const names = callable().map(({ name }) => name);

  test('in docs/security.md grants exactly what the code needs', () => {
    expect(policy.Version).toBe('1');
    expect(granted).toEqual([...new Set(granted)]);
    expect([...granted].sort()).toEqual([...RAM_ACTIONS].sort());
    expect(policy.Statement.every(({ Effect }) => Effect === 'Allow')).toBe(true);
  });

  test('has the action of each operation that the code can call, and of no other', () => {
    expect(names.length).toBeGreaterThan(5);
    const without = names.filter((name) => ramActionOf(name) === null);
    // PAI documents none for it; whoever is a member of the workspace may call it.
    expect(without).toEqual(['ListRuns']);
    const needed = names.map(ramActionOf).filter((action) => action !== null);
    expect(granted).toEqual(expect.arrayContaining(needed));
    // What is no operation is the wider form of one.
    const others = granted.filter((action) => !needed.includes(action));
    expect(others.filter((action) => !needed.includes(action.replace(':ListAll', ':List')))).toEqual([]);
  });

  test('allows nothing that changes anything', () => {
    expect(granted.filter((action) => !/^pai\w+:(List|Get)\w+$/.test(action))).toEqual([]);
  });
});
