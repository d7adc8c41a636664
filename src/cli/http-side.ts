/** The HTTP side of `start` and `demo`: up before the database is, so that probes are answered; down after everything else. */
import type { Mirror } from '../app.js';
import type { Config } from '../config.js';
import { StoreError } from '../domain/errors.js';
import type { Server } from '../http/server.js';
import { ReadDatabase } from '../store/read-database.js';
import { systemClock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';

export type HttpSettings = Pick<Config, 'httpHost' | 'httpPort' | 'httpToken' | 'httpPublic'>;

export interface HttpSide {
  /** Null with HTTP_PORT=off. */
  readonly url: string | null;
  /** The mirror is at work: from now on there is something to show. */
  running(mirror: Mirror): void;
  /** Needed before the mirror is closed: it ends the connections of its own. */
  close(): Promise<void>;
}

const OFF: HttpSide = { url: null, running: () => {}, close: async () => {} };

/** Throws MirrorError when the address cannot be listened on: before anything was done. */
export async function openHttpSide(config: HttpSettings, logger: Logger): Promise<HttpSide> {
  if (config.httpPort === null) return OFF;
  // Loaded here: `sync` shares this file's neighbours, and does without.
  const [{ createServer }, { Readiness }, { healthRoutes }] = await Promise.all([
    import('../http/server.js'),
    import('../http/readiness.js'),
    import('../http/routes/health.js'),
  ]);
  const state = new HttpState(logger);
  const readiness = new Readiness({
    phase: () => state.phase,
    checkDatabase: () => state.checkDatabase(),
    clock: systemClock,
  });
  const { httpHost: host, httpToken: token } = config;
  const server = await createServer({ access: { host, token }, routes: [healthRoutes(readiness)], logger });
  const url = await server.listen(config.httpPort).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  logger.info({ url, token: token === null ? 'none' : 'needed' }, 'HTTP is up');
  return {
    url,
    running: (mirror) => state.running(mirror),
    close: once(() => closeAll(server, state)),
  };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= work());
}

async function closeAll(server: Server, state: HttpState): Promise<void> {
  state.phase = 'stopping';
  await server.close();
  await state.close();
}

/** What the routes show, as far as it is there. */
class HttpState {
  phase: 'starting' | 'running' | 'stopping' = 'starting';
  #database: ReadDatabase | null = null;

  constructor(private readonly logger: Logger) {}

  running({ database }: Mirror): void {
    this.#database = new ReadDatabase({ connectionString: database.connectionString, logger: this.logger });
    this.phase = 'running';
  }

  /** For routes that read. Throws StoreError, which is answered with 503, until the mirror is there. */
  get database(): ReadDatabase {
    if (this.#database !== null) return this.#database;
    throw new StoreError('the database is not open yet', { code: 'STORE_STARTING', retryable: true, blast: 'global' });
  }

  async checkDatabase() {
    const state = await this.database.schemaState();
    return state === 'older' ? ('the schema of the database is older than this version' as const) : null;
  }

  async close(): Promise<void> {
    await this.#database?.close();
  }
}
