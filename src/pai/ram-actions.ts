/**
 * The RAM action that each operation asks for. Source: the section "RAM authorization" of the operation's reference page,
 * and for ListPipelineRunsStatus, whose page discloses none, PAI's list of roles and permissions ("Appendix: roles and
 * permissions", module PAIFlow); ListWorkspaces is in the RAM page of AIWorkSpace 2021-02-04. Those of PAIFlow can be
 * granted for all resources only. ListRuns: its page says that there is no authorization, so what refuses it is
 * membership in the workspace.
 */
const ACTIONS: Readonly<Record<string, string | null>> = {
  ListPipelineRuns: 'paiflow:ListPipelineRuns',
  ListPipelineRunsStatus: 'paiflow:ListPipelineRunsStatus',
  GetPipelineRun: 'paiflow:GetPipelineRun',
  ListPipelineRunNodeStatus: 'paiflow:ListPipelineRunNodeStatus',
  ListRuns: null,
  ListWorkspaces: 'paiworkspace:ListWorkspaces',
};

/** Null: PAI documents no action for it. */
export const ramActionOf = (operation: string): string | null => ACTIONS[operation] ?? null;
