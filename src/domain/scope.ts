/** One region and workspace: the unit of cursors, leases and failures. */
export interface Scope {
  readonly region: string;
  readonly workspaceId: string;
}

/** What PAI_SCOPES may say: `*` stands for every workspace of the account in that region. */
export interface ScopePattern {
  readonly region: string;
  readonly workspaceId: string | '*';
}

/** `cn-shanghai:15945`, the form used in PAI_SCOPES, in the `scope` columns and in logs. */
export const scopeName = (scope: Scope): string => `${scope.region}:${scope.workspaceId}`;

/** Returns null when the text is not `region:workspaceId` or `region:*`. */
export function parseScopePattern(text: string): ScopePattern | null {
  const match = /^([a-z0-9][a-z0-9-]*):(\*|[A-Za-z0-9_-]+)$/.exec(text.trim());
  return match ? { region: match[1] as string, workspaceId: match[2] as string } : null;
}
