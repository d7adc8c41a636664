/** A mirror as the commands build it, between an emulator and a database of its own. */
import { Pool } from 'pg';
import { onTestFinished } from 'vitest';
import type { Scope } from '../../src/domain/scope.js';
import { STREAMS, type Stream } from '../../src/domain/streams.js';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/server.js';
import { PaiClient } from '../../src/pai/client.js';
import { staticCredentials } from '../../src/pai/credentials.js';
import { PgStore } from '../../src/store/store.js';
import type { PassDeps } from '../../src/sync/pass.js';
import { runRound } from '../../src/sync/round.js';
import type { PassReport } from '../../src/sync/run-pass.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import { systemClock } from '../../src/util/clock.js';
import { createDatabase } from './database.js';
import { type CapturingLogger, capturingLogger } from './logger.js';

export const REGION = 'cn-test';

export const SETTINGS: SyncSettings = {
  pageSize: 100,
  statusBatch: 100,
  sourceTypes: ['SDK', 'DESIGNER', 'M6'],
  nodeDepth: 10,
  nodeTypes: ['Logical'],
  concurrency: 4,
  overlapSeconds: 600,
  hotWindowHours: 168,
};

export interface TestMirror {
  readonly emulator: Emulator;
  readonly pool: Pool;
  readonly store: PgStore;
  readonly scopes: readonly Scope[];
  readonly logger: CapturingLogger;
  /** For passes with a part of them replaced. */
  readonly deps: PassDeps;
  readonly databaseUrl: string;
  /** One round, as `pai-mirror sync` makes it. */
  sync(streams?: readonly Stream[], signal?: AbortSignal): Promise<readonly PassReport[]>;
}

export interface TestMirrorOptions {
  readonly emulator?: EmulatorOptions;
  readonly settings?: Partial<SyncSettings>;
  /** Milliseconds that a call may take; default 5000. */
  readonly callTimeoutMs?: number;
  /** A database that is there and migrated; default: one of its own. */
  readonly databaseUrl?: string;
  /** Given what closes it, by who shares one mirror among tests; default: it goes away with the test. */
  readonly onStarted?: (close: () => Promise<void>) => void;
}

/** Everything goes away with the test. Retries are quick: a fault that lasts is met after milliseconds. */
export async function startMirror(options: TestMirrorOptions = {}): Promise<TestMirror> {
  const database = options.databaseUrl === undefined ? await createDatabase() : { url: options.databaseUrl };
  const emulator = await startEmulator(options.emulator ?? {});
  const logger = capturingLogger();
  const store = new PgStore({ connectionString: database.url, logger });
  const pool = new Pool({ connectionString: database.url, max: 2 });
  const key = emulator.accessKeys[0];
  const source = new PaiClient({
    credentials: staticCredentials({
      accessKeyId: key?.accessKeyId ?? '',
      accessKeySecret: key?.accessKeySecret ?? '',
      securityToken: null,
    }),
    endpoints: () => emulator.url,
    clock: systemClock,
    logger,
    limits: { flow: 0, listRuns: 0, listWorkspaces: 0 },
    callTimeoutMs: options.callTimeoutMs ?? 5000,
    retry: { attempts: 3, baseMs: 1, capMs: 5 },
  });
  const scopes = emulator.world.workspaces().map(({ workspaceId }) => ({ region: REGION, workspaceId }));
  (options.onStarted ?? onTestFinished)(async () => {
    await emulator.close();
    await pool.end();
    await store.close();
  });
  const deps: PassDeps = {
    source,
    store,
    settings: { ...SETTINGS, ...options.settings },
    logger,
    onProgress: () => {},
  };
  return {
    emulator,
    pool,
    store,
    scopes,
    logger,
    deps,
    databaseUrl: database.url,
    sync: (streams = STREAMS, signal = new AbortController().signal) =>
      runRound(deps, scopes, {
        streams,
        signal,
        ignoreBackoff: true,
        heartbeatMs: 5000,
        busyWaitMs: 0,
        clock: systemClock,
      }),
  };
}

const DATA_TABLES =
  'pipeline_runs pipeline_run_details pipeline_run_nodes node_outputs runs run_params run_labels run_metrics change_events quarantine sync_cursors pruned_runs';

/**
 * The place and the writing transaction of every row: any insert, update or delete changes it. (The server's own
 * counters, pg_stat_user_tables, lag up to ten seconds behind an open connection.)
 */
export async function rowVersions(pool: Pool): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const table of DATA_TABLES.split(' ')) {
    const { rows } = await pool.query<{ digest: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(tableoid || ' ' || ctid || ' ' || xmin, ',' order by tableoid, ctid)), '')
       as digest from pai.${table}`,
    );
    versions[table] = rows[0]?.digest ?? '';
  }
  return versions;
}
