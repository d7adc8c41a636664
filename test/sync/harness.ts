/** A pass of one stream against a source that the test writes, and a real database. */
import { onTestFinished } from 'vitest';
import type { ListAnswer, RunsAnswer, StatusAnswer } from '../../src/domain/answers.js';
import type { ExperimentRun, PipelineRun } from '../../src/domain/entities.js';
import { PaiError } from '../../src/domain/errors.js';
import { instantFromMillis } from '../../src/domain/instant.js';
import type { Stream } from '../../src/domain/streams.js';
import { PgStore } from '../../src/store/store.js';
import type { Source, Store } from '../../src/sync/ports.js';
import { type PassOptions, type PassReport, runPass } from '../../src/sync/run-pass.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import { SCOPE } from '../store/fixtures.js';
import { createDatabase } from '../support/database.js';
import { type CapturingLogger, capturingLogger } from '../support/logger.js';
import { SETTINGS } from '../support/mirror.js';

let requests = 0;

/** What every answer carries. */
export const answered = () => {
  requests += 1;
  const now = instantFromMillis(Date.now());
  return { requestId: `request-${requests}`, observedAt: now, serverTime: now, attempts: 1, rejected: [] };
};

export const listAnswer = (items: readonly PipelineRun[], totalCount: number | null): ListAnswer<PipelineRun> => ({
  ...answered(),
  items,
  received: items.length,
  totalCount,
});

export const runsAnswer = (items: readonly ExperimentRun[], nextPageToken: string | null): RunsAnswer => ({
  ...answered(),
  items,
  received: items.length,
  totalCount: null,
  nextPageToken,
});

export const statusAnswer = (fields: Partial<StatusAnswer>): StatusAnswer => ({
  ...answered(),
  pipelineRuns: [],
  nodes: [],
  outputs: [],
  ...fields,
});

export const paiError = (code: string, blast: 'item' | 'scope', fields: { notFound?: boolean } = {}): PaiError =>
  new PaiError(code, {
    code,
    blast,
    retryable: blast === 'scope',
    operation: 'Test',
    requestId: 'request-of-error',
    ...fields,
  });

/** A method that the test did not expect to be called. */
const unexpected = (name: string) => async (): Promise<never> => {
  throw new Error(`${name} was called`);
};

const NOTHING: Source = {
  listPipelineRuns: unexpected('listPipelineRuns'),
  listPipelineRunsStatus: unexpected('listPipelineRunsStatus'),
  getPipelineRun: unexpected('getPipelineRun'),
  listPipelineRunNodeStatus: unexpected('listPipelineRunNodeStatus'),
  listRuns: unexpected('listRuns'),
  listWorkspaces: unexpected('listWorkspaces'),
};

export interface Harness {
  readonly url: string;
  readonly store: PgStore;
  readonly logger: CapturingLogger;
  /** One pass of a stream. */
  pass(
    stream: Stream,
    source: Partial<Source>,
    options?: {
      readonly settings?: Partial<SyncSettings>;
      readonly signal?: AbortSignal;
      readonly store?: Partial<Store>;
      /** False: as the service, which lets a failed item wait. Default true. */
      readonly ignoreBackoff?: boolean;
      readonly followsUp?: boolean;
      readonly readTime?: PassOptions['readTime'];
    },
  ): Promise<PassReport>;
  sql<R extends object = Record<string, unknown>>(text: string): Promise<R[]>;
}

export async function startHarness(): Promise<Harness> {
  const { url } = await createDatabase();
  const logger = capturingLogger();
  const store = new PgStore({ connectionString: url, logger });
  onTestFinished(() => store.close());
  return {
    url,
    store,
    logger,
    pass: (stream, source, options = {}) => {
      const deps = {
        source: { ...NOTHING, ...source },
        store: withParts(store, options.store ?? {}),
        settings: { ...SETTINGS, ...options.settings },
        logger,
        onProgress: () => {},
      };
      const signal = options.signal ?? new AbortController().signal;
      const { readTime, ignoreBackoff = true, followsUp = false } = options;
      const passOptions = { signal, ignoreBackoff, followsUp, heartbeatMs: 5_000, ...(readTime && { readTime }) };
      return runPass(deps, SCOPE, stream, passOptions);
    },
    sql: async <R extends object>(text: string) => (await store.pool.query<R>(text)).rows,
  };
}

const withParts = (store: Store, parts: Partial<Store>): Store =>
  new Proxy(store, {
    get: (object, name) => {
      const member = Reflect.get(name in parts ? parts : object, name);
      return typeof member === 'function' ? member.bind(object) : member;
    },
  });
