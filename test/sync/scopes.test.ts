import { expect, it } from 'vitest';
import type { Source } from '../../src/sync/ports.js';
import { resolveScopes } from '../../src/sync/scopes.js';
import { answered } from './harness.js';

const signal = new AbortController().signal;
const source = (listWorkspaces: Source['listWorkspaces']) => ({ listWorkspaces }) as Source;

it('a region that cannot be listed is told and leaves the others alone', async () => {
  const listing = source(async (region) => {
    if (region === 'cn-bad') throw new Error('no way');
    return { ...answered(), items: [{ workspaceId: '7', workspaceName: null }], received: 1, totalCount: 1 };
  });
  const patterns = ['cn-bad', 'cn-good'].map((region) => ({ region, workspaceId: '*' }));
  expect(await resolveScopes(listing, [...patterns, { region: 'cn-bad', workspaceId: '8' }], signal)).toEqual({
    scopes: [
      { region: 'cn-good', workspaceId: '7' },
      { region: 'cn-bad', workspaceId: '8' },
    ],
    errors: [{ pattern: 'cn-bad:*', error: 'no way' }],
  });
});

it('a workspace that cannot be decoded is told: it would be left out without a word', async () => {
  let calls = 0;
  const listing = source(async () => {
    calls += 1;
    const rejected = [{ entity: 'workspace', entityId: null, raw: '{}', error: 'no WorkspaceId' }];
    const items = [{ workspaceId: '7', workspaceName: null }];
    return { ...answered(), items, rejected, received: 2, totalCount: 2 };
  });
  const found = await resolveScopes(listing, [{ region: 'cn-test', workspaceId: '*' }], signal);
  expect(found.scopes).toEqual([{ region: 'cn-test', workspaceId: '7' }]);
  expect(found.errors).toEqual([
    { pattern: 'cn-test:*', error: '1 workspaces cannot be decoded and are not mirrored' },
  ]);
  expect(calls).toBe(1);
});
