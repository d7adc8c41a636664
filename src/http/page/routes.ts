/** The addresses of the status page. Each request asks its questions, a few at once, and answers with one whole page. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { describeError, StoreError } from '../../domain/errors.js';
import { instantFromMillis } from '../../domain/instant.js';
import { DOCUMENTS, type DocumentName, OUTCOMES, type PageData, type RunSearch } from '../../domain/page.js';
import type { Logger } from '../../util/logger.js';
import type { Routes } from '../server.js';
import { BY_QUERY } from './addresses.js';
import { type Assets, loadAssets } from './assets.js';
import { failurePage, missingPage, mistakePage, nowherePage } from './errors.js';
import * as experiments from './experiments.js';
import type { Html } from './html.js';
import { type PageOptions, page } from './layout.js';
import * as mirror from './mirror.js';
import * as overview from './overview.js';
import {
  cursor,
  eventId,
  exactly,
  MOST_OF_ID,
  oneOf,
  ParameterError,
  type Query,
  text,
  when,
  wholeNumber,
} from './parameters.js';
import * as run from './run.js';
import * as runs from './runs.js';

export interface PageOptionsOfServer {
  readonly data: PageData;
  readonly logger: Logger;
}

/** What was asked for is not there. */
class NotThere extends Error {
  constructor(
    readonly what: string,
    readonly id: string,
  ) {
    super(`there is no ${what} ${id}`);
  }
}

/** Longer than the database gives a statement; a server that says nothing at all must not keep a browser waiting. */
const PATIENCE_MS = 12_000;

/**
 * Pages that tell of this moment are asked for again so often by a browser that shows them. Lists are not: they would move
 * under whoever reads them.
 */
const LIVE_SECONDS = 30;
const LIVE_RUN_SECONDS = 15;

/** Adds the pages; they answer GET only and change nothing. */
export const pageRoutes =
  ({ data, logger }: PageOptionsOfServer): Routes =>
  (app) => {
    const assets = loadAssets();
    const show = (reply: FastifyReply, options: PageOptions): FastifyReply =>
      reply.type('text/html; charset=utf-8').send(page(assets, options, instantFromMillis(Date.now())));

    app.get('/assets/:file', (request, reply) => sendAsset(assets, request, reply));
    app.get('/', async (request, reply) => show(reply, await overviewOf(data, request.query as Query)));
    app.get('/runs', async (request, reply) => show(reply, await runsOf(data, request.query as Query)));
    app.get<{ Params: { id: string } }>('/runs/:id', async ({ params, query }, reply) =>
      show(reply, await runOf(data, idOf(params.id, query as Query), query as Query)),
    );
    app.get<{ Params: { id: string; document: string } }>('/runs/:id/:document', async ({ params, query }, reply) =>
      reply
        .type('application/json; charset=utf-8')
        .send(await documentOf(data, idOf(params.id, query as Query), params.document)),
    );
    app.get('/experiments', async (request, reply) => show(reply, await experimentsOf(data, request.query as Query)));
    app.get<{ Params: { id: string } }>('/experiments/:id', async ({ params, query }, reply) =>
      show(reply, await experimentOf(data, idOf(params.id, query as Query), query as Query)),
    );
    app.get('/mirror', async (request, reply) => show(reply, await mirrorOf(data, request.query as Query)));
    app.get('/quarantine', async (request, reply) => show(reply, await quarantineOf(data, request.query as Query)));

    // Whoever reads pages gets a page; programs get what the server says by itself.
    app.get('/*', (request, reply) => {
      if (!(request.headers.accept ?? '').includes('text/html')) return reply.callNotFound();
      return show(reply.code(404), nowherePage(request.url.replace(/\?.*$/s, '')));
    });

    app.setErrorHandler((error, request, reply) => {
      if (error instanceof ParameterError) return show(reply.code(400), mistakePage(error));
      if (error instanceof NotThere) return show(reply.code(404), missingPage(error.what, error.id));
      if (!(error instanceof StoreError)) throw error;
      logger.warn({ httpRequest: request.id }, `a page could not be shown: ${describeError(error)}`);
      return show(reply.code(503).header('retry-after', '10'), failurePage(error.code));
    });
  };

function sendAsset(assets: Assets, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { file } = request.params as { readonly file: string };
  const asset = assets.find(file);
  if (asset === null) throw new NotThere('file', file);
  void reply.headers({ 'cache-control': 'private, max-age=31536000, immutable', etag: asset.etag });
  if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send();
  return reply.type(asset.type).send(asset.body);
}

/** All of them, or a StoreError when that takes too long. */
async function all<T extends readonly Promise<unknown>[]>(
  ...answers: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLong()), PATIENCE_MS);
  });
  try {
    return await Promise.race([Promise.all(answers), patience]);
  } finally {
    clearTimeout(timer);
  }
}

const tooLong = (): StoreError =>
  new StoreError(`no answer within ${PATIENCE_MS / 1_000} s`, {
    code: 'STORE_TIMEOUT',
    retryable: true,
    blast: 'scope',
  });

/** From the path, or from the query where no path can hold it. PostgreSQL takes no zero character. */
function idOf(segment: string, query: Query): string {
  if (segment.includes('\0')) throw new NotThere('page for', segment);
  return segment === BY_QUERY ? (exactly(query, 'id') ?? segment) : segment;
}

async function overviewOf(data: PageData, query: Query): Promise<PageOptions> {
  const range = oneOf(query, 'range', overview.RANGE_NAMES) ?? overview.FIRST_RANGE;
  const { step, count } = overview.RANGES[range];
  const [streams, troubles, active, series, failures] = await all(
    data.freshness(),
    data.troubles(),
    data.activeRuns(overview.ACTIVE_SHOWN),
    data.runsOverTime(step, count),
    data.failures(overview.failureDays(range), overview.FAILURES_SHOWN),
  );
  const body = overview.overview({ streams, troubles, active, range, series, failures });
  return { title: 'Overview', section: 'overview', body, charts: true, live: LIVE_SECONDS };
}

function searchOf(query: Query): RunSearch {
  return {
    text: text(query, 'q'),
    outcome: oneOf(query, 'outcome', OUTCOMES),
    status: text(query, 'status'),
    scope: text(query, 'workspace'),
    pipelineId: text(query, 'pipeline', MOST_OF_ID),
    userId: text(query, 'user', MOST_OF_ID),
    from: when(query, 'from', false),
    to: when(query, 'to', true),
  };
}

/** Short ones begin too many ids. */
const LIKE_AN_ID = /^\S{4,}$/;
const BY_ID_SHOWN = 10;

async function runsOf(data: PageData, query: Query): Promise<PageOptions> {
  const search = searchOf(query);
  const after = cursor(query, 'after');
  const [found, byId, scopes] = await all(
    data.searchRuns(search, after, runs.ROWS),
    after === null && search.text !== null && LIKE_AN_ID.test(search.text)
      ? data.runsById(search.text, BY_ID_SHOWN)
      : Promise.resolve([]),
    data.scopes(),
  );
  const isEmpty = runs.isEmptyMirror(search, after, found);
  const [streams] = await all(isEmpty ? data.freshness() : Promise.resolve(null));
  const listed = new Set(found.rows.map(({ id }) => id));
  const others = byId.filter(({ id }) => !listed.has(id));
  const body: Html = runs.runs({ search, query, after, page: found, byId: others, scopes, streams });
  return { title: 'Runs', section: 'runs', body };
}

async function runOf(data: PageData, id: string, query: Query): Promise<PageOptions> {
  const skipped = wholeNumber(query, 'nodes', 1_000_000) ?? 0;
  const [before, after] = [eventId(query, 'history'), exactly(query, 'outputs')];
  const [found, nodes, intervals, history, documents, outputs] = await all(
    data.run(id),
    data.nodes(id, skipped, run.NODES_SHOWN),
    data.intervals(id, run.INTERVALS_SHOWN),
    data.history(id, before, run.EVENTS_SHOWN),
    data.documents(id, run.DOCUMENT_CHARACTERS),
    data.outputs(id, after, run.OUTPUTS_SHOWN),
  );
  if (found === null) throw new NotThere('run', id);
  const isOlderHistory = before !== null;
  const isLaterOutputs = after !== null;
  const body = run.runPage({
    run: found,
    nodes,
    skipped,
    intervals,
    history,
    isOlderHistory,
    documents,
    outputs,
    isLaterOutputs,
  });
  const options = { title: run.titleOf(found), section: 'runs', body } as const;
  return found.outcome === 'active' ? { ...options, live: LIVE_RUN_SECONDS } : options;
}

/** Larger ones are for a SQL tool. */
const WHOLE_DOCUMENT = 50_000_000;

async function documentOf(data: PageData, id: string, name: string): Promise<string> {
  if (!(DOCUMENTS as readonly string[]).includes(name)) throw new NotThere('document', name);
  const [found] = await all(data.documents(id, WHOLE_DOCUMENT));
  const document = found?.documents[name as DocumentName] ?? null;
  if (document === null) throw new NotThere(`${name} of the run`, id);
  return document.text;
}

async function experimentsOf(data: PageData, query: Query): Promise<PageOptions> {
  const after = cursor(query, 'after');
  const [found] = await all(data.experiments(after, experiments.EXPERIMENTS_SHOWN));
  const isEmpty = found.rows.length === 0 && after === null;
  const [streams] = await all(isEmpty ? data.freshness() : Promise.resolve(null));
  return { title: 'Experiments', section: 'experiments', body: experiments.experimentsList(found, after, streams) };
}

/** The runs that were chosen, else the newest ones that have metrics. */
function chosenRuns(query: Query, newest: readonly { runId: string; metrics: object }[]): string[] {
  const asked = [query.run ?? []].flat();
  if (asked.length > experiments.MOST_CHOSEN)
    throw new ParameterError('run', `${asked.length} runs`, `${experiments.MOST_CHOSEN} at most`);
  if (asked.some((one) => one.length > MOST_OF_ID || one.includes('\0')))
    throw new ParameterError('run', asked.join(' '), 'ids of runs');
  if (asked.length > 0) return asked;
  const measured = newest.filter(({ metrics }) => Object.keys(metrics).length > 0);
  return measured.slice(0, experiments.CURVES_SHOWN).map(({ runId }) => runId);
}

async function experimentOf(data: PageData, id: string, query: Query): Promise<PageOptions> {
  const after = cursor(query, 'after');
  const [scopes, found, best] = await all(
    data.experiment(id),
    data.experimentRuns(id, after, experiments.RUNS_SHOWN, experiments.KEYS_SHOWN),
    data.bestMetrics(id, experiments.RUNS_COMPARED),
  );
  if (scopes.length === 0) throw new NotThere('experiment', id);
  const chosen = chosenRuns(query, found.rows);
  const [curves] = await all(data.curves(chosen, experiments.POINTS_SHOWN, experiments.KEYS_SHOWN));
  const body = experiments.experimentPage({ id, scopes, runs: found, after, best, curves, chosen });
  return { title: `Experiment ${id}`, section: 'experiments', body, charts: true };
}

async function mirrorOf(data: PageData, query: Query): Promise<PageOptions> {
  const failedOnly = oneOf(query, 'passes', ['failed']) !== null;
  const before = eventId(query, 'before');
  const [streams, troubles, passes] = await all(
    data.freshness(),
    data.troubles(),
    data.passes(failedOnly, before, mirror.PASSES_SHOWN),
  );
  const body = mirror.mirrorPage({ streams, troubles, passes, failedOnly, before });
  return { title: 'Mirror', section: 'mirror', body, live: LIVE_SECONDS };
}

async function quarantineOf(data: PageData, query: Query): Promise<PageOptions> {
  const isAll = oneOf(query, 'show', ['all']) !== null;
  const before = eventId(query, 'before');
  const [items] = await all(data.quarantine(isAll, before, mirror.QUARANTINE_SHOWN));
  const body = mirror.quarantinePage({ items, all: isAll, before });
  return { title: 'Quarantine', section: 'quarantine', body };
}
