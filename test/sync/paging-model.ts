/**
 * A source in memory that changes in front of every call, and a store in memory that is good enough for the walks: what
 * thousands of random schedules are tried on in seconds. What a run's version is, is told by its name.
 */
import type { ListAnswer, PipelineRunSortKey, RunsAnswer, SortOrder } from '../../src/domain/answers.js';
import { type Cursor, type Effect, noEffect, type WriteBatch } from '../../src/domain/batch.js';
import type { Instant, Rejected } from '../../src/domain/entities.js';
import { instantFromMillis } from '../../src/domain/instant.js';
import { Random } from '../../src/emulator/random.js';
import { Pass } from '../../src/sync/pass.js';
import type { SeenIds, Source, Store } from '../../src/sync/ports.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import { silentLogger } from '../../src/util/logger.js';
import { experimentRun, pipelineRun, SCOPE } from '../store/fixtures.js';
import { SETTINGS } from '../support/mirror.js';

export interface Row {
  readonly id: string;
  readonly rank: number;
  readonly created: number;
  modified: number;
  version: number;
}

export const timeOf = (second: number): Instant => instantFromMillis(Date.UTC(2026, 0, 1) + second * 1000);

export type Change = 'append' | 'modify' | 'delete' | 'restore';

export interface World {
  readonly seed: number;
  readonly rows: number;
  /** Rows that share one key, on average. */
  readonly tie: number;
  readonly randomTies: boolean;
  /** Of the server, by sort order. */
  readonly clamp: { readonly asc: number; readonly desc: number };
  readonly changes: readonly Change[];
  /** How likely a change is in front of a call. */
  readonly turmoil: number;
  /** Of ListRuns. */
  readonly tokens: 'rows' | 'pages' | 'keys';
  readonly countsRuns: boolean;
  /** How many of the rows cannot be decoded. */
  readonly bad: number;
}

const CALM: World = {
  seed: 1,
  rows: 50,
  tie: 1,
  randomTies: false,
  clamp: { asc: 1000, desc: 1000 },
  changes: [],
  turmoil: 0,
  tokens: 'rows',
  countsRuns: true,
  bad: 0,
};

/** No pass over so few rows takes so many calls. */
const MOST_CALLS = 5000;

export class ModelSource {
  rows: Row[] = [];
  gone: Row[] = [];
  now: number;
  calls: string[] = [];
  /** Ids that were restored or appended: not there throughout. */
  readonly arrived = new Set<string>();
  readonly world: World;
  isQuiet = false;
  /** A list that grows faster than it is read has no end to come to. */
  changesLeft = Number.POSITIVE_INFINITY;
  onCall: () => void = () => {};
  private readonly random: Random;
  private added = 0;

  constructor(world: Partial<World>) {
    this.world = { ...CALM, ...world };
    this.random = new Random(this.world.seed);
    const span = Math.max(1, Math.floor(this.world.rows / this.world.tie));
    this.now = span + 10;
    for (let index = 0; index < this.world.rows; index += 1) {
      const created = this.random.between(0, span - 1);
      this.rows.push(this.row(created, this.random.between(created, span - 1)));
    }
    if (this.world.changes.includes('restore')) {
      for (let index = 0; index < this.world.rows / 5; index += 1) {
        const created = this.random.between(0, span - 1);
        this.gone.push(this.row(created, created));
      }
    }
  }

  private row(created: number, modified: number): Row {
    this.added += 1;
    return { id: `r${String(this.added).padStart(4, '0')}`, rank: this.added, created, modified, version: 1 };
  }

  /** What may happen between two calls. */
  change(): void {
    const { random, world } = this;
    while (!this.isQuiet && this.changesLeft > 0 && random.next() < world.turmoil) {
      this.changesLeft -= 1;
      if (random.next() < 1 / (2 * world.tie)) this.now += 1;
      this.apply(random.pick(world.changes));
    }
  }

  /** So many changes at once, as while the service is away. */
  burst(changes: number): void {
    if (this.world.turmoil === 0) return;
    for (let number = 0; number < changes; number += 1) {
      if (this.random.next() < 1 / this.world.tie) this.now += 1;
      this.apply(this.random.pick(this.world.changes));
    }
  }

  private apply(change: Change): void {
    const index = this.rows.length === 0 ? -1 : this.random.between(0, this.rows.length - 1);
    if (change === 'append') {
      const row = this.row(this.now, this.now);
      this.arrived.add(row.id);
      this.rows.push(row);
    } else if (change === 'modify' && index >= 0) {
      const row = this.rows[index] as Row;
      row.modified = this.now;
      row.version += 1;
    } else if (change === 'delete' && index >= 0) {
      this.gone.push(...this.rows.splice(index, 1));
    } else if (change === 'restore') {
      const row = this.gone.pop();
      if (row === undefined) return;
      this.arrived.add(row.id);
      this.rows.push(row);
    }
  }

  private sorted(keyOf: (row: Row) => number, order: SortOrder): Row[] {
    const sign = order === 'ASC' ? 1 : -1;
    // A list that can be continued behind a row is sorted by its id in the end.
    const keyed = this.world.tokens === 'keys';
    const isDrawn = this.world.randomTies && !keyed;
    const drawn = this.rows.map((row) => ({ row, key: keyOf(row), draw: isDrawn ? this.random.next() : row.rank }));
    drawn.sort((a, b) => (a.key - b.key) * sign || a.draw - b.draw);
    return drawn.map(({ row }) => row);
  }

  /** Answers come in any order: each call is answered by the source as it is after a random number of turns. */
  private async turn(call: string): Promise<void> {
    this.calls.push(call);
    if (this.calls.length > MOST_CALLS)
      throw new Error(`no end after ${MOST_CALLS} calls, the last: ${this.calls.slice(-8)}`);
    this.onCall();
    for (let turns = this.random.between(0, 6); turns > 0; turns -= 1) await Promise.resolve();
    this.change();
  }

  private readonly isBad = (id: string): boolean => Number(id.slice(1)) % 17 < this.world.bad;

  private answer<T>(entity: string, shown: readonly Row[], item: (row: Row) => T, total: number | null) {
    const rejected: Rejected[] = shown
      .filter(({ id }) => this.isBad(id))
      .map(({ id }) => ({
        entity,
        entityId: Number(id.slice(1)) % 2 === 0 ? id : null,
        raw: `raw ${id}`,
        error: 'bad',
      }));
    const now = timeOf(this.now);
    return {
      requestId: null,
      observedAt: now,
      serverTime: now,
      attempts: 1,
      items: shown.filter(({ id }) => !this.isBad(id)).map(item),
      rejected,
      received: shown.length,
      totalCount: total,
    };
  }

  readonly listPipelineRuns: Source['listPipelineRuns'] = async (_scope, page, signal) => {
    await this.turn(`${page.sourceType ?? ''}${page.sortBy} ${page.order} ${page.pageNumber}`);
    signal.throwIfAborted();
    const clamp = page.order === 'ASC' ? this.world.clamp.asc : this.world.clamp.desc;
    const size = Math.min(page.pageSize, clamp);
    const sorted = this.sorted(KEYS[page.sortBy] ?? ((row) => row.created), page.order);
    const shown = sorted.slice((page.pageNumber - 1) * size, page.pageNumber * size);
    const answer: ListAnswer<ReturnType<typeof pipelineRun>> = this.answer(
      'pipeline_run',
      shown,
      toPipelineRun,
      this.rows.length,
    );
    return answer;
  };

  readonly listRuns: Source['listRuns'] = async (_scope, { pageToken, maxResults }, signal): Promise<RunsAnswer> => {
    await this.turn(`runs ${pageToken ?? 0}`);
    signal.throwIfAborted();
    const size = Math.min(maxResults, this.world.clamp.desc);
    const sorted = this.sorted((row) => row.created, 'DESC');
    const start = this.startOf(sorted, pageToken, size);
    const shown = sorted.slice(start, start + size);
    const next = start + shown.length < sorted.length ? this.tokenOf(sorted, start + shown.length, size) : null;
    const total = this.world.countsRuns ? this.rows.length : null;
    return { ...this.answer('run', shown, toExperimentRun, total), nextPageToken: next };
  };

  private startOf(sorted: readonly Row[], token: string | null, size: number): number {
    if (token === null) return 0;
    if (this.world.tokens === 'rows') return Number(token);
    if (this.world.tokens === 'pages') return Number(token) * size;
    // Everything behind the row that the token stands for: such a page never shifts.
    const start = sorted.findIndex((row) => keyToken(row) > Number(token));
    return start === -1 ? sorted.length : start;
  }

  private tokenOf(sorted: readonly Row[], next: number, size: number): string {
    if (this.world.tokens === 'rows') return String(next);
    if (this.world.tokens === 'pages') return String(Math.ceil(next / size));
    return String(keyToken(sorted[next - 1] as Row));
  }
}

const keyToken = (row: Row): number => (1_000_000 - row.created) * 10_000 + row.rank;

const KEYS: { readonly [key in PipelineRunSortKey]?: (row: Row) => number } = {
  GmtCreateTime: (row) => row.created,
  GmtModifiedTime: (row) => row.modified,
  StartedAt: (row) => row.created % 7,
  PipelineId: () => 0,
};

const toPipelineRun = (row: Row) =>
  pipelineRun(row.id, {
    gmtCreateTime: timeOf(row.created),
    gmtModifiedTime: timeOf(row.modified),
    name: String(row.version),
  });

const toExperimentRun = (row: Row) =>
  experimentRun(row.id, {
    gmtCreateTime: timeOf(row.created),
    gmtModifiedTime: timeOf(row.modified),
    name: String(row.version),
  });

class Killed extends Error {}

/** Rows by id with their version; a commit is whole or is not. */
export class ModelStore {
  readonly versions = new Map<string, number>();
  readonly missing = new Set<string>();
  readonly asked: string[] = [];
  readonly cursors = new Map<string, Cursor>();
  readonly dryRun = false;
  commits = 0;
  /** The process ends at this commit: before it, or once it is done. */
  killAt: { readonly commit: number; readonly done: boolean } | null = null;

  constructor(
    private readonly stream: string,
    /** What `versions` is about: the model's source shows its rows in both lists. */
    private readonly entity: 'pipeline_run' | 'run' = stream === 'experiment-runs' ? 'run' : 'pipeline_run',
  ) {}

  async readCursor(_scope: unknown, name: string): Promise<Cursor | null> {
    const cursor = this.cursors.get(name);
    return cursor === undefined ? null : structuredClone(cursor);
  }

  async commit(_lease: unknown, batch: WriteBatch, previous?: Promise<unknown>): Promise<Effect> {
    await previous;
    this.commits += 1;
    const isLast = this.killAt?.commit === this.commits;
    if (isLast && !this.killAt?.done) throw new Killed('before a commit');
    if (this.entity === 'run') this.keepRuns(batch);
    else this.keepPipelineRuns(batch);
    if (batch.cursor !== undefined) this.cursors.set(batch.cursorName ?? this.stream, structuredClone(batch.cursor));
    if (isLast) throw new Killed('after a commit');
    return noEffect();
  }

  private keepPipelineRuns(batch: WriteBatch): void {
    for (const { items } of batch.pipelineRuns ?? []) for (const run of items) this.keep(run.pipelineRunId, run.name);
    for (const { items } of batch.pipelineRunsMissing ?? []) for (const id of items) this.missing.add(id);
  }

  private keepRuns(batch: WriteBatch): void {
    for (const { items } of batch.experimentRuns ?? []) for (const run of items) this.keep(run.runId, run.name);
    for (const { items } of batch.experimentRunsMissing ?? []) for (const id of items) this.missing.add(id);
  }

  private keep(id: string, name: string | null): void {
    this.versions.set(id, Math.max(Number(name), this.versions.get(id) ?? 0));
    this.missing.delete(id);
  }

  async countPresent(): Promise<number> {
    return this.versions.size - this.missing.size;
  }

  async countUnknown(ids: readonly string[]): Promise<number> {
    return ids.filter((id) => !this.versions.has(id)).length;
  }

  async missingPipelineRuns(): Promise<string[]> {
    return [];
  }

  async now(): Promise<Instant> {
    return timeOf(0);
  }

  async hasQuarantine(): Promise<boolean> {
    return false;
  }

  async hasFailed(): Promise<boolean> {
    return false;
  }

  async openSeenIds(): Promise<SeenIds> {
    const seen = new Set<string>();
    return {
      add: async (ids) => {
        for (const id of ids) seen.add(id);
      },
      count: async () => seen.size,
      unseen: async ({ after, limit }) =>
        [...this.versions.keys()]
          .filter((id) => id > (after ?? '') && !seen.has(id) && !this.missing.has(id))
          .sort()
          .slice(0, limit),
      close: async () => {},
    };
  }
}

export function modelPass(
  source: ModelSource,
  store: ModelStore,
  stream: 'pipeline-runs' | 'experiment-runs' | 'reconcile',
  settings: Partial<SyncSettings>,
  onProgress: (event: { done: number; total: number | null }) => void = () => {},
): Pass {
  const deps = {
    source: source as unknown as Source,
    store: store as unknown as Store,
    settings: { ...SETTINGS, sourceTypes: [], overlapSeconds: 0, ...settings },
    logger: silentLogger,
    onProgress,
  };
  return new Pass(deps, { scope: SCOPE, stream, fence: '1', ttlMs: 30_000 }, new AbortController().signal, timeOf(0), {
    ignoreBackoff: true,
  });
}
