/** Answers the questions of the status page (domain/page.ts) from schema `analytics`, and from nothing else. */
import type pg from 'pg';
import type { PageData } from '../../domain/page.js';
import { bestMetrics, curves, experiment, experimentRuns, experiments } from './experiments.js';
import { activeRuns, failures, freshness, runsOverTime, scopes, troubles } from './overview.js';
import { passes, quarantine } from './passes.js';
import { documents, history, intervals, nodes, outputs, run } from './run.js';
import { DEFAULT_BOUNDS, runsById, type SearchBounds, searchRuns } from './search.js';

/** `pool`: that of a ReadDatabase, asked for with each question: it may not be open yet, and then throws StoreError. */
export function pageData(pool: () => pg.Pool, bounds: SearchBounds = DEFAULT_BOUNDS): PageData {
  return {
    scopes: async () => scopes(pool()),
    freshness: async () => freshness(pool()),
    troubles: async () => troubles(pool()),
    activeRuns: async (most) => activeRuns(pool(), most),
    runsOverTime: async (step, count) => runsOverTime(pool(), step, count),
    failures: async (days, most) => failures(pool(), days, most),
    searchRuns: async (search, after, most) => searchRuns(pool(), search, after, most, bounds),
    runsById: async (prefix, most) => runsById(pool(), prefix, most),
    run: async (id) => run(pool(), id),
    nodes: async (runId, skip, most) => nodes(pool(), runId, skip, most),
    intervals: async (runId, most) => intervals(pool(), runId, most),
    history: async (entityId, before, most) => history(pool(), entityId, before, most),
    documents: async (runId, mostCharacters) => documents(pool(), runId, mostCharacters),
    outputs: async (runId, after, most) => outputs(pool(), runId, after, most),
    experiments: async (after, most) => experiments(pool(), after, most),
    experiment: async (id) => experiment(pool(), id),
    experimentRuns: async (id, after, most, mostKeys) => experimentRuns(pool(), id, after, most, mostKeys),
    bestMetrics: async (id, mostRuns) => bestMetrics(pool(), id, mostRuns, bounds.mostMs),
    curves: async (runIds, mostPoints, mostKeys) => curves(pool(), runIds, mostPoints, mostKeys),
    quarantine: async (all, before, most) => quarantine(pool(), all, before, most),
    passes: async (failedOnly, before, most) => passes(pool(), failedOnly, before, most),
  };
}
