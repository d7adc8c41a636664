/**
 * Status semantics. PAI answers with more words than its documentation lists, so only the four known ends are final:
 * any other word, also one that nobody knows yet, counts as active and stays polled.
 */
export const TERMINAL_STATUSES = ['Succeeded', 'Failed', 'Terminated', 'Skipped'] as const;

/** Nodes also say `Succeed` (sic). */
export const NODE_TERMINAL_STATUSES = [...TERMINAL_STATUSES, 'Succeed'] as const;

export const isTerminal = (status: string | null): boolean =>
  status !== null && (TERMINAL_STATUSES as readonly string[]).includes(status);

export const isNodeTerminal = (status: string | null): boolean =>
  status !== null && (NODE_TERMINAL_STATUSES as readonly string[]).includes(status);
