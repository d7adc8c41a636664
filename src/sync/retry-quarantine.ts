/**
 * Decodes what is in quarantine again and stores it like any other answer: under the lease of the stream that put it
 * there, with the observation's own time, so that nothing newer is overwritten. No call to PAI is made.
 */
import type { Effect, WriteBatch } from '../domain/batch.js';
import { fingerprintOf, type QuarantineEntry } from '../domain/quarantine.js';
import type { Scope } from '../domain/scope.js';
import type { Stream } from '../domain/streams.js';
import type { Clock } from '../util/clock.js';
import type { Lease } from './ports.js';

/** Entries in memory at once; one of them may be as large as an answer. */
const ENTRIES_PER_QUERY = 20;
const BUSY_POLL_MS = 500;

export interface QuarantineFilter {
  readonly all: boolean;
  readonly scope?: Scope;
  readonly stream?: string;
  readonly ids?: readonly string[];
}

export interface QuarantineStore {
  acquireLease(scope: Scope, stream: Stream): Promise<Lease | null>;
  releaseLease(lease: Lease, ranToEnd: boolean): Promise<void>;
  commit(lease: Lease, batch: WriteBatch): Promise<Effect>;
  quarantineGroups(filter: QuarantineFilter): Promise<
    readonly {
      readonly region: string;
      readonly workspaceId: string;
      readonly stream: Stream;
      readonly lastId: string;
    }[]
  >;
  readQuarantine(
    query: QuarantineFilter & { readonly after: string; readonly limit: number },
  ): Promise<readonly QuarantineEntry[]>;
}

export interface RetryDeps {
  readonly store: QuarantineStore;
  readonly decode: (entry: QuarantineEntry) => { readonly batch: WriteBatch } | { readonly error: string };
  readonly clock: Clock;
  /** Told of every entry once it has been tried; `busy`: another process is at its stream. */
  readonly onEntry: (entry: QuarantineEntry, outcome: RetryOutcome) => void;
}

export type RetryOutcome = 'retried' | 'superseded' | 'vanished' | 'bad' | 'busy';

export interface RetryOptions {
  /** Null: all that wait. */
  readonly ids: readonly string[] | null;
  /** How long to wait for a stream that another process is at, milliseconds. */
  readonly busyWaitMs: number;
  readonly signal: AbortSignal;
}

/** Throws StoreError and LeaseLostError; what was tried until then is settled. */
export async function retryQuarantine(deps: RetryDeps, options: RetryOptions): Promise<void> {
  const chosen = options.ids === null ? {} : { ids: options.ids };
  for (const group of await deps.store.quarantineGroups({ all: false, ...chosen })) {
    const scope = { region: group.region, workspaceId: group.workspaceId };
    const filter = { all: false, scope, stream: group.stream, ...chosen };
    const lease = await acquireWhenFree(deps, scope, group.stream, options);
    try {
      for await (const entry of entriesOf(deps.store, filter, group.lastId)) {
        options.signal.throwIfAborted();
        await retryOne(deps, lease, entry);
      }
    } finally {
      // No pass ran under it, so the next tick need not keep a distance.
      if (lease !== null) await deps.store.releaseLease(lease, false);
    }
  }
}

/** Up to the last entry there was: a retried run may put members of its own into quarantine. */
async function* entriesOf(
  store: QuarantineStore,
  filter: QuarantineFilter,
  lastId: string,
): AsyncGenerator<QuarantineEntry> {
  for (let after = '0'; ; ) {
    const entries: readonly QuarantineEntry[] = await store.readQuarantine({
      ...filter,
      after,
      limit: ENTRIES_PER_QUERY,
    });
    for (const entry of entries) if (BigInt(entry.id) <= BigInt(lastId)) yield entry;
    const last = entries.at(-1);
    if (entries.length < ENTRIES_PER_QUERY || last === undefined || BigInt(last.id) >= BigInt(lastId)) return;
    after = last.id;
  }
}

async function acquireWhenFree(
  { store, clock }: RetryDeps,
  scope: Scope,
  stream: Stream,
  options: RetryOptions,
): Promise<Lease | null> {
  const deadline = clock.now() + options.busyWaitMs;
  for (;;) {
    const lease = await store.acquireLease(scope, stream);
    if (lease !== null || clock.now() >= deadline) return lease;
    await clock.sleep(BUSY_POLL_MS, options.signal);
  }
}

async function retryOne(deps: RetryDeps, lease: Lease | null, entry: QuarantineEntry): Promise<void> {
  if (lease === null) return deps.onEntry(entry, 'busy');
  const decoded = deps.decode(entry);
  const retried = { id: entry.id, entity: entry.entity, fingerprint: fingerprintOf(entry.raw) };
  if ('error' in decoded) await deps.store.commit(lease, { retried: { ...retried, error: decoded.error } });
  else await deps.store.commit(lease, { ...decoded.batch, retried: { ...retried, error: null } });
  const [now = entry] = await deps.store.readQuarantine({ all: true, ids: [entry.id], after: '0', limit: 1 });
  deps.onEntry(now, now.resolution ?? 'bad');
}
