/** `quarantine list` and `quarantine retry`: what could not be decoded or stored. Neither talks to PAI. */
import { type OpenStore, openStore } from '../app.js';
import { UsageError } from '../domain/errors.js';
import type { QuarantineEntry } from '../domain/quarantine.js';
import { type ScopePattern, scopeName } from '../domain/scope.js';
import { decodeAgain } from '../pai/decode/again.js';
import { checkMigrated } from '../store/migrate.js';
import { type RetryOutcome, retryQuarantine } from '../sync/retry-quarantine.js';
import { systemClock } from '../util/clock.js';
import { createContext, type ExitCode } from './context.js';
import type { Interrupt } from './interrupt.js';
import { type Output, table } from './output.js';

export interface ListOptions {
  readonly json: boolean;
  /** Also what is settled. */
  readonly all: boolean;
  readonly scope?: ScopePattern;
  /** Default: as many as a person reads, or for programs all of them. */
  readonly limit?: number;
}

const ROWS_FOR_PEOPLE = 100;
const ENTRIES_PER_QUERY = 50;
const ERROR_WIDTH = 120;
const BUSY_WAIT_MS = 60_000;

async function withStore(work: (opened: OpenStore, output: Output) => Promise<ExitCode>): Promise<ExitCode> {
  const { config, logger, output } = createContext({ scopes: false }, { LOG_LEVEL: 'warn' });
  const opened = await openStore({ config, logger, migrate: false });
  try {
    await checkMigrated(opened.store.pool);
    return await work(opened, output);
  } finally {
    await opened.close();
  }
}

export function quarantineListCommand(options: ListOptions): Promise<ExitCode> {
  return withStore(async ({ store }, output) => {
    const filter = { all: options.all, ...(options.scope ? { scope: options.scope } : {}) };
    const read = (after: string, limit: number) => store.readQuarantine({ ...filter, after, limit });
    if (options.json) await printJson(read, options.limit ?? Number.POSITIVE_INFINITY, output);
    else {
      const groups = await store.quarantineGroups(filter);
      const total = groups.reduce((sum, { entries }) => sum + entries, 0);
      await printTable(read, total, options, output);
    }
    return 0;
  });
}

type Read = (after: string, limit: number) => Promise<QuarantineEntry[]>;

async function* upTo(read: Read, most: number): AsyncGenerator<QuarantineEntry> {
  let after = '0';
  for (let left = most; left > 0; ) {
    const limit = Math.min(left, ENTRIES_PER_QUERY);
    const entries = await read(after, limit);
    yield* entries;
    if (entries.length < limit) return;
    left -= entries.length;
    after = (entries.at(-1) as QuarantineEntry).id;
  }
}

/** One array, an entry a line, printed as it is read: the raw texts may be large and many. */
async function printJson(read: Read, most: number, output: Output): Promise<void> {
  let before: string | null = null;
  output.print('[');
  for await (const entry of upTo(read, most)) {
    if (before !== null) output.print(`${before},`);
    before = JSON.stringify({ ...entry, scope: scopeName(entry.scope) });
  }
  if (before !== null) output.print(before);
  output.print(']');
}

async function printTable(read: Read, total: number, options: ListOptions, output: Output): Promise<void> {
  if (total === 0) {
    output.print(options.all ? 'Quarantine has never held anything.' : 'Quarantine is empty.');
    return;
  }
  const rows: (string | null)[][] = [];
  for await (const entry of upTo(read, options.limit ?? ROWS_FOR_PEOPLE)) rows.push(rowOf(entry, options.all));
  const header = ['id', 'scope', 'operation', 'entity', 'entity id', 'first seen', 'RequestId'];
  output.print(table([...header, ...(options.all ? ['settled'] : []), 'error'], rows));
  if (total > rows.length) output.print(`… and ${total - rows.length} more: --limit ${total} shows them all`);
}

const rowOf = (entry: QuarantineEntry, all: boolean): (string | null)[] => [
  entry.id,
  scopeName(entry.scope),
  entry.operation,
  entry.entity,
  entry.entityId ?? (entry.parentId === null ? null : `(one of ${entry.parentId})`),
  `${entry.firstSeenAt.slice(0, 10)} ${entry.firstSeenAt.slice(11, 19)}Z`,
  entry.evidence.requestId,
  ...(all ? [entry.resolution] : []),
  oneLine(entry.error),
];

/** Short enough for a table, and without control characters: the text comes from whatever PAI sent. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length > ERROR_WIDTH ? `${line.slice(0, ERROR_WIDTH - 1)}…` : line;
}

export function quarantineRetryCommand(ids: readonly string[], interrupt: Interrupt): Promise<ExitCode> {
  for (const id of ids) {
    if (!/^\d{1,18}$/.test(id))
      throw new UsageError(`quarantine retry: found ${id}, expected ids as \`quarantine list\` shows them`);
  }
  return withStore(async ({ store }, output) => {
    const wanted = [...new Set(ids.map((id) => String(BigInt(id))))];
    const settled = ids.length === 0 ? [] : await settledAmong(store, wanted);
    for (const { id, resolution } of settled) output.print(`${id}: ${resolution} already`);
    const counts = new Map<RetryOutcome, number>();
    await retryQuarantine(
      {
        store,
        decode: decodeAgain,
        clock: systemClock,
        onEntry: (entry, outcome) => {
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
          output.print(describe(entry, outcome));
        },
      },
      { ids: ids.length === 0 ? null : wanted, busyWaitMs: BUSY_WAIT_MS, signal: interrupt.signal },
    );
    output.print(summary(counts));
    return counts.has('bad') || counts.has('busy') ? 1 : 0;
  });
}

/** Of the named entries those that are settled. Throws UsageError for an id that there is not. */
async function settledAmong(store: OpenStore['store'], ids: readonly string[]): Promise<QuarantineEntry[]> {
  const known = new Set<string>();
  const settled: QuarantineEntry[] = [];
  const read: Read = (after, limit) => store.readQuarantine({ all: true, ids, after, limit });
  for await (const entry of upTo(read, ids.length)) {
    known.add(entry.id);
    if (entry.resolvedAt !== null) settled.push({ ...entry, raw: '' });
  }
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new UsageError(
      `quarantine retry: there is no entry ${unknown.join(', ')}; \`quarantine list --all\` shows them`,
    );
  }
  return settled;
}

function describe(entry: QuarantineEntry, outcome: RetryOutcome): string {
  const what = `${entry.id} ${entry.operation} ${entry.entity} ${entry.entityId ?? ''}`.trimEnd();
  if (outcome === 'bad') return `${what}: still bad: ${oneLine(entry.error)}`;
  if (outcome === 'busy')
    return `${what}: not tried, another process runs ${entry.stream} of ${scopeName(entry.scope)}`;
  if (outcome === 'superseded') return `${what}: superseded, a newer version is stored`;
  return `${what}: ${outcome === 'retried' ? 'stored' : outcome}`;
}

function summary(counts: ReadonlyMap<RetryOutcome, number>): string {
  const of = (...outcomes: RetryOutcome[]): number =>
    outcomes.reduce((sum, outcome) => sum + (counts.get(outcome) ?? 0), 0);
  if (counts.size === 0) return 'Nothing to retry.';
  const good = of('retried', 'superseded', 'vanished');
  return `${good} settled (${of('retried')} stored), ${of('bad')} still bad, ${of('busy')} not tried`;
}
