/** One request, as the ring keeps it. */
export interface Arrival {
  /** Milliseconds since 1970 on the wall clock. */
  readonly at: number;
  /** `unknown` for a path that is no operation. */
  readonly operation: string;
  /** Of the answer; 0 while there is none (or when the connection was cut instead). */
  readonly status: number;
  /** The fault that it met. */
  readonly fault: string | null;
  /** AccessKeyId that signed it; null where none did. Replicas with a key each can be told apart by it. */
  readonly caller: string | null;
  /** What it names: a workspace by its id or, in the path, a pipeline run by its own. Null where it names neither. */
  readonly workspaceId: string | null;
  readonly pipelineRunId: string | null;
}

/** What tells requests of one operation apart. */
export type Asked = Pick<Arrival, 'caller' | 'workspaceId' | 'pipelineRunId'>;

const NOTHING_KNOWN: Asked = { caller: null, workspaceId: null, pipelineRunId: null };

/** From the request's head; the workspace of a PUT stands in its body, which comes later. */
export function askedBy(authorization: string | undefined, path: string, query: string): Asked {
  return {
    caller: /\bCredential=([^,\s]+)/.exec(authorization ?? '')?.[1] ?? null,
    workspaceId: /(?:^|&)WorkspaceId=(\d+)/.exec(query)?.[1] ?? null,
    pipelineRunId: /\/pipelineruns\/([^/]+)/.exec(path)?.[1] ?? null,
  };
}

export const workspaceOfBody = (body: string): string | null => /"WorkspaceId":"?(\d+)/.exec(body)?.[1] ?? null;

export interface OperationStats {
  calls: number;
  /** Answers with a status below 400. */
  ok: number;
  /** Answers with a status of 400 or more. */
  refused: number;
  /** Calls that met a fault. */
  faults: number;
}

type Open = { -readonly [K in keyof Arrival]: Arrival[K] };

const KEPT = 100_000;

/** Counts every request, rejected ones included, and remembers when the last 100,000 arrived. */
export class Stats {
  private readonly byOperation = new Map<string, OperationStats>();
  private ring: Open[] = [];
  private written = 0;
  private running = 0;
  private mostRunning = 0;
  private readonly wallClock: () => number;

  constructor(wallClock: () => number = Date.now) {
    this.wallClock = wallClock;
  }

  /** A request has arrived; returns what to call when it is answered. */
  arrived(
    operation: string,
    asked: Asked = NOTHING_KNOWN,
  ): {
    concerns(workspaceId: string | null): void;
    met(fault: string): void;
    answered(status: number): void;
    closed(): void;
  } {
    const entry: Open = { at: this.wallClock(), operation, status: 0, fault: null, ...asked };
    const counts = this.countsOf(operation);
    counts.calls += 1;
    this.ring[this.written++ % KEPT] = entry;
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    return {
      concerns: (workspaceId) => {
        entry.workspaceId ??= workspaceId;
      },
      met: (fault) => {
        entry.fault = fault;
        counts.faults += 1;
      },
      answered: (status) => {
        entry.status = status;
        if (status < 400) counts.ok += 1;
        else counts.refused += 1;
      },
      closed: () => {
        this.running -= 1;
      },
    };
  }

  /** Of one operation, or of all. */
  calls(operation?: string): number {
    if (operation !== undefined) return this.byOperation.get(operation)?.calls ?? 0;
    return [...this.byOperation.values()].reduce((sum, counts) => sum + counts.calls, 0);
  }

  /** Oldest first, at most the last 100,000. */
  arrivals(operation?: string): readonly Arrival[] {
    const start = this.written > KEPT ? this.written % KEPT : 0;
    const all = [...this.ring.slice(start), ...this.ring.slice(0, start)];
    return operation === undefined ? all : all.filter((arrival) => arrival.operation === operation);
  }

  /** The largest number of requests that were open at the same time. */
  get peak(): number {
    return this.mostRunning;
  }

  summary(): {
    readonly calls: number;
    readonly peak: number;
    readonly operations: { [name: string]: OperationStats };
  } {
    return { calls: this.calls(), peak: this.mostRunning, operations: Object.fromEntries(this.byOperation) };
  }

  reset(): void {
    this.byOperation.clear();
    this.ring = [];
    this.written = 0;
    this.mostRunning = this.running;
  }

  private countsOf(operation: string): OperationStats {
    let counts = this.byOperation.get(operation);
    if (!counts) this.byOperation.set(operation, (counts = { calls: 0, ok: 0, refused: 0, faults: 0 }));
    return counts;
  }
}
