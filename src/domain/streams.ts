/** The six streams, in the order in which one round runs them. */
export const STREAMS = ['pipeline-runs', 'status', 'nodes', 'details', 'experiment-runs', 'reconcile'] as const;

export type Stream = (typeof STREAMS)[number];

export const isStream = (name: string): name is Stream => (STREAMS as readonly string[]).includes(name);
