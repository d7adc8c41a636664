/** The composition root: builds the parts, plugs them together, takes them down in reverse order. */
import type { Config } from './config.js';
import type { CallReport } from './domain/call-report.js';
import { type CallLimits, DEFAULT_LIMITS, PaiClient } from './pai/client.js';
import { type CredentialSource, defaultCredentials } from './pai/credentials.js';
import { type EndpointOf, publicEndpoint } from './pai/endpoints.js';
import { RateLimiter } from './pai/rate-limit.js';
import type { RetryPolicy } from './pai/retry.js';
import { awaitServer } from './store/await-server.js';
import { BudgetTable } from './store/budgets.js';
import { databaseClock } from './store/database-clock.js';
import { migrate } from './store/migrate.js';
import { PgStore } from './store/store.js';
import type { PassDeps, ProgressListener } from './sync/pass.js';
import type { Source } from './sync/ports.js';
import { type ResolvedScopes, resolveScopes } from './sync/scopes.js';
import { type Clock, systemClock } from './util/clock.js';
import type { Logger } from './util/logger.js';

export interface Database {
  readonly connectionString: string;
  /** Whether it is the PostgreSQL that pai-mirror started by itself. */
  readonly embedded: boolean;
  /** Of the embedded one, since this process began; 0 for any other. */
  restarts(): number;
  close(): Promise<void>;
}

/** The database of DATABASE_URL, or the embedded one. Throws StoreError, or the reason of the patience's signal. */
export async function openDatabase(config: Config, logger: Logger, patience?: Patience): Promise<Database> {
  if (config.databaseUrl !== null) {
    const connectionString = config.databaseUrl;
    if (patience) await awaitServer({ ...patience, connectionString, logger, clock: systemClock });
    return { connectionString, embedded: false, restarts: () => 0, close: async () => {} };
  }
  const { startEmbeddedPostgres } = await import('./embedded/embedded-postgres.js');
  const server = await startEmbeddedPostgres({ dataDir: config.dataDir, logger });
  const { connectionString } = server;
  return { connectionString, embedded: true, restarts: () => server.restarts, close: () => server.stop() };
}

export interface OpenStoreOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Everything is done and then rolled back. */
  readonly dryRun?: boolean;
  /** Whether to bring the schema up to date first. */
  readonly migrate: boolean;
  /** A schema that a newer version has made is no reason to stop. Default false. */
  readonly newerSchema?: boolean;
  /** Default: few, as there may be many replicas. */
  readonly maxConnections?: number;
  /** Waits for a database that is not there yet. Default: it has to be there. */
  readonly patience?: Patience;
}

export interface Patience {
  /** Milliseconds. */
  readonly limitMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

export interface OpenStore {
  readonly database: Database;
  readonly store: PgStore;
  close(): Promise<void>;
}

export async function openStore(options: OpenStoreOptions): Promise<OpenStore> {
  const { config, logger } = options;
  const database = await openDatabase(config, logger, options.patience);
  try {
    const { connectionString } = database;
    if (options.migrate) await migrate({ connectionString, logger, acceptNewer: options.newerSchema ?? false });
    const { maxConnections } = options;
    const store = new PgStore({
      connectionString,
      logger,
      dryRun: options.dryRun ?? false,
      ...(maxConnections === undefined ? {} : { maxConnections }),
    });
    const close = async (): Promise<void> => {
      try {
        await store.close();
      } finally {
        await database.close();
      }
    };
    return { database, store, close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

export interface Mirror extends OpenStore {
  readonly deps: PassDeps;
  readonly clock: Clock;
  resolveScopes(signal: AbortSignal): Promise<ResolvedScopes>;
}

export interface OpenMirrorOptions extends OpenStoreOptions {
  readonly onProgress: ProgressListener;
  /** Default: the chain of @alicloud/credentials. */
  readonly credentials?: CredentialSource;
  /** Told of every attempt of a call. */
  readonly onCall?: (report: CallReport) => void;
}

/** Everything that a pass needs: a migrated database and a client of PAI. */
export async function openMirror(options: OpenMirrorOptions): Promise<Mirror> {
  const { config, logger } = options;
  const opened = await openStore(options);
  const budgets = new BudgetTable({ connectionString: opened.database.connectionString, logger });
  try {
    const { clock, stop } = await databaseClock({ read: () => opened.store.now(), logger });
    const credentials = options.credentials ?? defaultCredentials({ clock, logger });
    const observed = options.onCall === undefined ? {} : { onCall: options.onCall };
    const source: Source = createSource({ config, clock, logger, credentials, budgets, ...observed });
    const deps: PassDeps = { source, store: opened.store, settings: config, logger, onProgress: options.onProgress };
    return {
      ...opened,
      deps,
      clock,
      close: async () => {
        stop();
        await budgets.close().finally(() => opened.close());
      },
      resolveScopes: (signal) => resolveScopes(source, config.scopes, signal),
    };
  } catch (error) {
    await budgets.close().finally(() => opened.close());
    throw error;
  }
}

export interface SourceParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly credentials: CredentialSource;
  /** Null: this process keeps to the budgets by itself, where there is no database to share them in. */
  readonly budgets: BudgetTable | null;
  /** Default: as patient as the service. */
  readonly retry?: RetryPolicy;
  /** Told of every attempt. */
  readonly onCall?: (report: CallReport) => void;
}

/** Where a product of a region is: as configured, or the public endpoint. */
export function endpointsOf(config: Config): EndpointOf {
  const override = { paiflow: config.flowEndpoint, aiworkspace: config.aiWorkspaceEndpoint };
  return (product, region) => override[product] ?? publicEndpoint(product, region);
}

export function createSource({ config, clock, logger, credentials, budgets, retry, onCall }: SourceParts): PaiClient {
  return new PaiClient({
    credentials,
    endpoints: endpointsOf(config),
    allowHttp: config.allowHttp,
    newBudget: sharedBudgets({ ...DEFAULT_LIMITS, flow: config.flowQps, listRuns: config.listRunsQps }, budgets),
    callTimeoutMs: config.callTimeoutMs,
    clock,
    logger,
    ...(retry === undefined ? {} : { retry }),
    ...(onCall === undefined ? {} : { onCall }),
  });
}

/** All replicas share one row of the database a region and name; without a limit there is nothing to share. */
const sharedBudgets = (limits: CallLimits, budgets: BudgetTable | null) => (name: keyof CallLimits, region: string) =>
  new RateLimiter(
    limits[name],
    monotonicClock,
    limits[name] === 0 || budgets === null ? {} : { keeper: budgets.keeper(region, name) },
  );

/** Slots are told by the database's clock and waited for by one that nobody sets. */
const monotonicClock: Clock = { ...systemClock, now: () => performance.now() };
