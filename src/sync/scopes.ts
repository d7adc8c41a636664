import { describeError } from '../domain/errors.js';
import { type Scope, type ScopePattern, scopeName } from '../domain/scope.js';
import type { Source } from './ports.js';

const PAGE_SIZE = 100;
const MAX_PAGES = 1000;

export interface ResolvedScopes {
  readonly scopes: readonly Scope[];
  /** Patterns whose workspaces could not be listed. */
  readonly errors: readonly { readonly pattern: string; readonly error: string }[];
}

/** Replaces `region:*` by the workspaces of the account in that region. A region that fails leaves the others alone. */
export async function resolveScopes(
  source: Source,
  patterns: readonly ScopePattern[],
  signal: AbortSignal,
): Promise<ResolvedScopes> {
  const scopes = new Map<string, Scope>();
  const errors: { pattern: string; error: string }[] = [];
  for (const pattern of patterns) {
    const unreadable = (count: number): void => {
      errors.push({ pattern: scopeName(pattern), error: `${count} workspaces cannot be decoded and are not mirrored` });
    };
    try {
      const found = pattern.workspaceId === '*' ? await listAll(source, pattern.region, signal, unreadable) : [pattern];
      for (const scope of found) scopes.set(scopeName(scope), scope);
    } catch (error) {
      signal.throwIfAborted();
      errors.push({ pattern: scopeName(pattern), error: describeError(error) });
    }
  }
  return { scopes: [...scopes.values()], errors };
}

async function listAll(
  source: Source,
  region: string,
  signal: AbortSignal,
  onUnreadable: (count: number) => void,
): Promise<Scope[]> {
  const ids = new Set<string>();
  let rejected = 0;
  for (let pageNumber = 1; pageNumber <= MAX_PAGES; pageNumber += 1) {
    const answer = await source.listWorkspaces(region, { pageNumber, pageSize: PAGE_SIZE }, signal);
    rejected += answer.rejected.length;
    for (const workspace of answer.items) ids.add(workspace.workspaceId);
    if (answer.received === 0 || (answer.totalCount !== null && ids.size + rejected >= answer.totalCount)) break;
  }
  if (rejected > 0) onUnreadable(rejected);
  return [...ids].map((workspaceId) => ({ region, workspaceId }));
}
