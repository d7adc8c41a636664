/** What the views have to answer, computed from the emulator's world: no SQL, and none of the mirror's functions. */
import type { PipelineRun } from '../../src/domain/entities.js';
import { instantToMillis } from '../../src/domain/instant.js';
import type { WorldNode } from '../../src/emulator/world/nodes.js';
import { REGION } from '../support/mirror.js';

export type Row = Record<string, unknown>;

/** A run with what follows from it. Times are milliseconds since 1970. */
export interface ModelRun {
  readonly run: PipelineRun;
  readonly scope: string;
  readonly outcome: string;
  readonly countedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly queueSeconds: number | null;
  /** Whole seconds of a run that is over. */
  readonly seconds: number | null;
  /** Null for a run whose nodes the mirror has not seen. */
  readonly nodes: readonly WorldNode[];
}

const WORDS: Readonly<Record<string, string>> = {
  Succeeded: 'succeeded',
  Failed: 'failed',
  Terminated: 'terminated',
  Skipped: 'skipped',
};

export const millis = (instant: string | null): number | null => (instant === null ? null : instantToMillis(instant));

/** To the microsecond, which milliseconds since 1970 with a fraction just miss. */
const between = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : Math.round((to - from) * 1_000) / 1_000_000;

export function modelRun(
  run: PipelineRun,
  nodes: readonly WorldNode[],
  facts: { readonly isDeleted: boolean; readonly firstSeenAt: number },
): ModelRun {
  const created = millis(run.gmtCreateTime);
  const startedAt = millis(run.startedAt);
  const finishedAt = millis(run.finishedAt);
  const queued = between(created, startedAt);
  const took = run.duration === null ? between(startedAt, finishedAt) : Number(run.duration);
  return {
    run,
    scope: `${REGION}:${run.workspaceId}`,
    outcome: WORDS[run.status ?? ''] ?? (facts.isDeleted ? 'deleted' : 'active'),
    countedAt: created ?? startedAt ?? facts.firstSeenAt,
    startedAt,
    finishedAt,
    queueSeconds: queued !== null && queued >= 0 ? queued : null,
    seconds: took === null ? null : Math.max(0, Math.floor(took)),
    nodes: run.nodeId === null || run.nodeId === '' ? [] : nodes,
  };
}

/** The smallest value whose share of the sorted list is at least `share`; null of nothing. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.find((_, index) => (index + 1) / sorted.length >= share) ?? null;
}

export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

export const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

export function groupBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

const rate = (good: number, bad: number): number | null => (good + bad === 0 ? null : good / (good + bad));

/** The columns that daily_runs, hourly_runs and their sisters share. */
export function statistics(runs: readonly ModelRun[]): Row {
  const count = (...outcomes: string[]): number => runs.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const seconds = known(runs.filter(({ outcome }) => outcome === 'succeeded').map((run) => run.seconds));
  return {
    runs: runs.length,
    succeeded: count('succeeded'),
    failed: count('failed'),
    terminated: count('terminated'),
    skipped: count('skipped'),
    active: count('active'),
    lost: count('deleted', 'missing'),
    success_rate: rate(count('succeeded'), count('failed')),
    mean_queue_seconds: mean(known(runs.map((run) => run.queueSeconds))),
    mean_seconds: mean(seconds),
    p50_seconds: percentile(seconds, 0.5),
    p95_seconds: percentile(seconds, 0.95),
    p99_seconds: percentile(seconds, 0.99),
  };
}

/** Date and time on a wall of that zone: `2026-11-01 01:30:00`. */
export function localTime(at: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')}:${part('second')}`;
}

/** The start of the hour on that wall, as a time: when clocks are set back there are two of one name. */
export function hourStart(at: number, timeZone: string): number {
  const [, minutes, seconds] = localTime(at, timeZone).slice(11).split(':').map(Number);
  return Math.floor(at / 1_000) * 1_000 - ((minutes ?? 0) * 60 + (seconds ?? 0)) * 1_000;
}

/** A node with what the views say of it; `now` for what is under way. */
export function modelNodes(model: ModelRun, now: number): Row[] {
  const total =
    model.outcome === 'active'
      ? between(model.startedAt, now)
      : (between(model.startedAt, model.finishedAt) ??
        (model.run.duration === null ? null : Number(model.run.duration)));
  const rows = model.nodes.map((node) => {
    const outcome = node.status === 'Succeed' ? 'succeeded' : (WORDS[node.status ?? ''] ?? 'active');
    const seconds = between(millis(node.startedAt), outcome === 'active' ? now : millis(node.finishedAt));
    return {
      node,
      outcome,
      seconds: seconds === null ? null : Math.max(0, seconds),
      isRoot: node.nodeId === model.run.nodeId,
    };
  });
  const inOrder = rows
    .filter(({ isRoot, seconds }) => !isRoot && seconds !== null)
    .sort((a, b) => (b.seconds ?? 0) - (a.seconds ?? 0) || (a.node.nodeId < b.node.nodeId ? -1 : 1));
  return rows.map(({ node, outcome, seconds, isRoot }) => ({
    pipeline_run_id: model.run.pipelineRunId,
    node_id: node.nodeId,
    node_type: node.nodeType,
    node_name: node.nodeName,
    scope: model.scope,
    workspace_id: model.run.workspaceId,
    pipeline_id: model.run.pipelineId,
    status: node.status,
    outcome,
    run_seconds: seconds,
    share: seconds === null || total === null || total <= 0 ? null : Math.min(1, seconds / total),
    is_root: isRoot,
    is_critical: inOrder[0]?.node === node,
  }));
}

/** Numbers to ten digits: means of the same values differ in the last ones. */
export const rounded = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(10)) : value,
    ]),
  );

/** Only the columns that are expected, numbers rounded, in an order of their own. */
export function comparable(rows: readonly Row[], columns: readonly string[]): string[] {
  return rows
    .map((row) => JSON.stringify(rounded(Object.fromEntries(columns.map((name) => [name, row[name] ?? null])))))
    .sort();
}
