/**
 * The RAM action that each operation asks for. Sources: the section "RAM authorization" of the operation's reference page;
 * for ListPipelineRunsStatus, whose page discloses none, and for ListWorkspaces PAI's "Appendix: list of roles and
 * permissions" (modules PAIFlow and workspace management). Those of PAIFlow are granted for all resources only.
 * ListRuns: its page says that there is no authorization, so what refuses it is membership in the workspace.
 */
const ACTIONS: Readonly<Record<string, string | null>> = {
  ListPipelineRuns: 'paiflow:ListPipelineRuns',
  ListPipelineRunsStatus: 'paiflow:ListPipelineRunsStatus',
  GetPipelineRun: 'paiflow:GetPipelineRun',
  ListPipelineRunNodeStatus: 'paiflow:ListPipelineRunNodeStatus',
  ListRuns: null,
  ListWorkspaces: 'paiworkspace:ListWorkspaces',
};

/**
 * No operations: by PAI's documents they make the lists show the runs of everybody in a workspace, and not only public ones
 * and the user's own.
 */
const WIDER: Readonly<Record<string, string>> = {
  ListPipelineRuns: 'paiflow:ListAllPipelineRuns',
  ListPipelineRunsStatus: 'paiflow:ListAllPipelineRunsStatus',
};

/** All that the mirror needs, and nothing that changes anything at PAI: the policy of docs/security.md. */
export const RAM_ACTIONS: readonly string[] = Object.entries(ACTIONS).flatMap(([operation, action]) =>
  [action, WIDER[operation]].filter((one) => one != null),
);

/** Null: PAI documents no action for it. */
export const ramActionOf = (operation: string): string | null => ACTIONS[operation] ?? null;
