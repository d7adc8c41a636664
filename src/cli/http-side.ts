/** The HTTP side of `start` and `demo`: up before the database is, so that probes are answered; down after everything else. */
import type { Config } from '../config.js';
import type { CallReport } from '../domain/call-report.js';
import { MirrorError } from '../domain/errors.js';
import type { Server } from '../http/server.js';
import { DEFAULT_LIMITS } from '../pai/client.js';
import type { PassReport } from '../sync/run-pass.js';
import { systemClock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { HttpState, type Shown } from './http-state.js';
import { version } from './version.js';

export type HttpSettings = Pick<
  Config,
  'httpHost' | 'httpPort' | 'httpToken' | 'httpPublic' | 'flowQps' | 'listRunsQps'
>;

/** Is told what this process does. */
export interface WorkObserver {
  called(report: CallReport): void;
  passBegan(stream: string): void;
  passEnded(report: PassReport, seconds: number): void;
}

export interface HttpSide {
  /** Null with HTTP_PORT=off. */
  readonly url: string | null;
  readonly work: WorkObserver;
  /** The mirror is at work: from now on there is something to show. */
  running(shown: Shown): void;
  /** Needed before the mirror is closed: it ends the connections of its own. May be called again. */
  close(): Promise<void>;
}

const OFF: HttpSide = {
  url: null,
  work: { called: () => {}, passBegan: () => {}, passEnded: () => {} },
  running: () => {},
  close: async () => {},
};

/**
 * On the port of the configuration. One that nobody chose is no reason to fail: a second mirror, or a replica, on the same
 * machine takes any free port then, and `tell` says so. Throws MirrorError otherwise, before anything was done.
 */
export async function openSomeHttpSide(
  config: HttpSettings & { readonly httpPortIsChosen: boolean },
  logger: Logger,
  tell: (sentence: string) => void,
): Promise<HttpSide> {
  try {
    return await openHttpSide(config, logger);
  } catch (error) {
    if (config.httpPortIsChosen || !(error instanceof MirrorError) || !isInUse(error)) throw error;
    tell(`${error.message}. It is the usual one, so any free one will do.`);
    return openHttpSide({ ...config, httpPort: 0 }, logger);
  }
}

/** Any other port would be as bad where the address is wrong. */
const isInUse = ({ cause }: MirrorError): boolean => (cause as NodeJS.ErrnoException | null)?.code === 'EADDRINUSE';

/** Throws MirrorError when the address cannot be listened on: before anything was done. */
export async function openHttpSide(config: HttpSettings, logger: Logger): Promise<HttpSide> {
  if (config.httpPort === null) return OFF;
  const state = new HttpState(logger);
  const { server, work } = await createParts(config, state, logger);
  const url = await server.listen(config.httpPort).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  logger.info({ url, token: config.httpToken === null ? 'none' : 'needed' }, 'HTTP is up');
  return { url, work, running: (shown) => state.running(shown), close: once(() => closeAll(server, state)) };
}

/** Its packages are loaded here: commands that serve nothing do without them. */
async function createParts(
  { httpHost: host, httpToken: token, flowQps, listRunsQps }: HttpSettings,
  state: HttpState,
  logger: Logger,
): Promise<{ readonly server: Server; readonly work: WorkObserver }> {
  const [{ createServer }, { Readiness }, { Metrics }, { healthRoutes }, { metricsRoutes }] = await Promise.all([
    import('../http/server.js'),
    import('../http/readiness.js'),
    import('../http/metrics/metrics.js'),
    import('../http/routes/health.js'),
    import('../http/routes/metrics.js'),
  ]);
  const [{ pageRoutes }, { pageData }] = await Promise.all([
    import('../http/page/routes.js'),
    import('../store/page/page-data.js'),
  ]);
  const clock = systemClock;
  const phase = () => state.phase;
  const readiness = new Readiness({ phase, checkDatabase: () => state.checkDatabase(), clock });
  const metrics = new Metrics({
    version: version(),
    budgetRates: { ...DEFAULT_LIMITS, flow: flowQps, listRuns: listRunsQps },
    readState: () => state.readMirrorState(),
    pools: () => state.pools(),
    embeddedRestarts: () => state.embeddedRestarts(),
    clock,
    logger,
  });
  const page = pageRoutes({ data: pageData(() => state.database.pool), logger });
  const routes = [healthRoutes(readiness), metricsRoutes(metrics), page];
  return { server: await createServer({ access: { host, token }, routes, logger }), work: metrics.work };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= work());
}

async function closeAll(server: Server, state: HttpState): Promise<void> {
  state.stopping();
  await server.close();
  await state.close();
}
