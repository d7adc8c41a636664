/** `demo`: a database, a PAI and the mirror between them, all on this machine, until Ctrl-C. */
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { type Mirror, openMirror } from '../app.js';
import { type Config, type Environment, parseConfig } from '../config.js';
import type { CallReport } from '../domain/call-report.js';
import { describeError, StoreError, UsageError } from '../domain/errors.js';
import { staticCredentials } from '../pai/credentials.js';
import { giveReaderLogin } from '../store/reader.js';
import { dataSourceOf, readerAddress } from '../store/reader-address.js';
import { READER } from '../store/reader-role.js';
import { systemClock } from '../util/clock.js';
import { limitedLogger } from '../util/log-limit.js';
import type { Logger } from '../util/logger.js';
import { createContext, type ExitCode } from './context.js';
import { type DemoCounts, FAILURES, LATEST_RUNS, readCounts, showQuery } from './demo-queries.js';
import { type DemoWorld, startDemoWorld } from './demo-world.js';
import { type HttpSettings, type HttpSide, openSomeHttpSide } from './http-side.js';
import { type Interrupt, leaveInTime } from './interrupt.js';
import { type Output, stdoutOutput } from './output.js';
import { createScheduler, currentScopes, keepPartitionsAhead, shutDown } from './start.js';
import { keepViewsFast } from './views.js';

const REGION = 'cn-demo';
/** Local calls cost nothing. */
const NO_LIMITS = { flowQps: 0, listRunsQps: 0 };
const LOOK_EVERY_MS = 500;
const TELL_EVERY_MS = 10_000;

export interface DemoOptions {
  /** Seconds. */
  readonly exitAfter?: number;
  /** Whether the rows go into the database of DATABASE_URL, which then must hold nothing but a demo. */
  readonly useDatabaseUrl: boolean;
}

export async function demoCommand(interrupt: Interrupt, options: DemoOptions): Promise<ExitCode> {
  const output = stdoutOutput();
  const place = demoPlace(output, options);
  const timer =
    options.exitAfter === undefined
      ? null
      : setTimeout(() => process.kill(process.pid, 'SIGTERM'), options.exitAfter * 1000);
  const parts = place.databaseUrl === null ? 'PostgreSQL and a PAI' : 'a PAI';
  output.print(`pai-mirror demo: starting ${parts} on this machine ...`);
  const world = await startDemoWorld(place.dataDir);
  const http = await openSomeHttpSide(place.http, place.logger, (sentence) => output.print(sentence)).catch(
    async (error: unknown) => {
      await world.close();
      throw error;
    },
  );
  const down = leaveInTime(interrupt, place.logger, 0);
  try {
    return await runDemo(world, http, place, output, interrupt);
  } finally {
    if (timer !== null) clearTimeout(timer);
    await http.close();
    await world.close();
    down();
  }
}

async function runDemo(
  world: DemoWorld,
  http: HttpSide,
  { databaseUrl, dataDir, logger, http: httpSettings }: DemoPlace,
  output: Output,
  interrupt: Interrupt,
): Promise<ExitCode> {
  const config = { ...demoConfig(world, dataDir, databaseUrl), ...httpSettings };
  const credentials = staticCredentials({ ...firstKey(world), securityToken: null });
  const onCall = (report: CallReport): void => http.work.called(report);
  const mirror = await openMirror({ config, logger, migrate: true, onProgress: () => {}, credentials, onCall });
  if (databaseUrl !== null) await refuseOtherMirror(mirror).catch((error) => closeAndThrow(mirror, error));
  introduce(world, mirror, { reader: databaseUrl === null ? await letReaderIn(mirror) : null, url: http.url }, output);
  const scopes = currentScopes(mirror, logger, interrupt.signal);
  const scheduler = createScheduler({ mirror, config, logger, scopes, work: http.work });
  scheduler.start();
  http.running({ mirror, scopes: scopes.known });
  const partitions = keepPartitionsAhead(mirror, logger);
  const views = keepViewsFast(mirror.store, logger);
  await tell(mirror, output, interrupt.signal).catch((error: unknown) => {
    if (!interrupt.signal.aborted) throw error;
  });
  clearInterval(partitions);
  await views.stop();
  output.print('stopping; `npm run demo` goes on from here');
  return await shutDown({ stop: () => Promise.all([scheduler.stop(), http.close()]) }, mirror, logger);
}

interface DemoPlace {
  readonly dataDir: string;
  /** Null: an embedded PostgreSQL of the demo's own. */
  readonly databaseUrl: string | null;
  readonly http: HttpSettings & { readonly httpPortIsChosen: boolean };
  readonly logger: Logger;
}

/**
 * The demo never touches the embedded database of a real mirror: it has its own beside it. That of DATABASE_URL it takes
 * only when told to.
 */
function demoPlace(output: Output, { useDatabaseUrl }: DemoOptions): DemoPlace {
  const { config, logger } = createContext({ scopes: false }, { LOG_LEVEL: 'warn' });
  const { httpHost, httpPort, httpToken, httpPublic } = config;
  // A demo beside a service that has its port is no mistake, chosen or not.
  const http = { httpHost, httpPort, httpPortIsChosen: false, httpToken, httpPublic, ...NO_LIMITS };
  const place = { dataDir: join(config.dataDir, 'demo'), http, logger: limitedLogger(logger) };
  if (useDatabaseUrl && config.databaseUrl === null)
    throw new UsageError(
      '--use-database-url: DATABASE_URL is not set, expected the address of a database for the demo',
    );
  if (useDatabaseUrl) return { ...place, databaseUrl: config.databaseUrl };
  if (config.databaseUrl !== null)
    output.print('DATABASE_URL is set; the demo leaves that database alone (--use-database-url takes it).');
  return { ...place, databaseUrl: null };
}

/** Made-up runs among real ones could never be told apart again. */
async function refuseOtherMirror({ store }: Mirror): Promise<void> {
  const { rows } = await store.pool.query<{ scope: string }>(
    'select scope from analytics.scopes where region <> $1 order by scope limit 1',
    [REGION],
  );
  if (rows[0] === undefined) return;
  throw new UsageError(
    `--use-database-url: found a mirror of ${rows[0].scope} in that database, expected none, or one of the demo`,
  );
}

async function closeAndThrow(mirror: Mirror, error: unknown): Promise<never> {
  await mirror.close();
  throw error;
}

function firstKey(world: DemoWorld): { accessKeyId: string; accessKeySecret: string } {
  const key = world.emulator.accessKeys[0];
  if (key === undefined) throw new Error('the emulator has no access key');
  return key;
}

/** Local calls cost nothing, so the demo looks often. */
function demoConfig(world: DemoWorld, dataDir: string, databaseUrl: string | null): Config {
  const environment: Environment = {
    PAI_MIRROR_DATA_DIR: dataDir,
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    PAI_SCOPES: world.emulator.world
      .workspaces()
      .map(({ workspaceId }) => `${REGION}:${workspaceId}`)
      .join(','),
    PAI_FLOW_ENDPOINT: world.emulator.url,
    PAI_AIWORKSPACE_ENDPOINT: world.emulator.url,
    DISCOVER_CRON: '*/5 * * * * *',
    POLL_CRON: '*/5 * * * * *',
    NODES_CRON: '*/5 * * * * *',
    DETAILS_CRON: '*/5 * * * * *',
    EXPERIMENTS_CRON: '*/20 * * * * *',
  };
  return parseConfig(environment, { scopes: true });
}

/**
 * The reader's address. Its password is made of the owner's, so that a data source of yesterday's demo works today; back
 * from it to the owner's leads no way.
 */
async function letReaderIn({ database, store }: Mirror): Promise<string> {
  const { connectionString } = database;
  const password = createHmac('sha256', new URL(connectionString).password).update(READER).digest('base64url');
  await giveReaderLogin(store.pool, { password, rotate: true });
  return readerAddress(connectionString, password);
}

/** Passwords are shown of the demo's own database alone; a given one has its reader from whoever runs it. */
function introduce(
  world: DemoWorld,
  mirror: Mirror,
  { reader, url }: { readonly reader: string | null; readonly url: string | null },
  output: Output,
): void {
  const { connectionString } = mirror.database;
  const { host, database, user } = dataSourceOf(reader ?? readerAddress(connectionString, null));
  const password = reader === null ? '' : `, password ${new URL(reader).password}, TLS off`;
  const address = reader === null ? readerAddress(connectionString, null) : connectionString;
  const workspaces = world.emulator.world.workspaces().length;
  output.print(`
  PostgreSQL  psql '${address}'
  Grafana     data source PostgreSQL: ${host}, database ${database}, user ${user}${password}
  PAI         ${world.emulator.url}, an emulator with ${workspaces} workspaces${world.continued ? ' that goes on where it stopped' : ''}
  HTTP        ${url ?? 'off'}
`);
}

/** Rows as soon as there are any, answers once everything is in, then a line now and then. */
async function tell(mirror: Mirror, output: Output, signal: AbortSignal): Promise<void> {
  const look = (): Promise<DemoCounts | null> => lookInto(mirror, output);
  let counts: DemoCounts | null = await waitFor(look, signal, ({ runs }) => runs > 0);
  output.print(`first rows after ${uptime()} s:\n\n${await showQuery(mirror.store, LATEST_RUNS)}`);
  counts = await waitFor(
    look,
    signal,
    ({ runs, details, nodes }) => nodes > 0 && details >= runs * 0.99,
    (now) => {
      output.print(line(now));
    },
  );
  output.print(
    `\neverything is in after ${uptime()} s; why did runs fail?\n\n${await showQuery(mirror.store, FAILURES)}`,
  );
  output.print('The mirror follows PAI now. Ctrl-C stops it.');
  for (;;) {
    if (counts !== null) output.print(line(counts));
    await systemClock.sleep(TELL_EVERY_MS, signal);
    counts = await look();
  }
}

/** Null, and a line that says why, while the database is away: its server is started again by itself. */
async function lookInto(mirror: Mirror, output: Output): Promise<DemoCounts | null> {
  try {
    return await readCounts(mirror.store);
  } catch (error) {
    if (!(error instanceof StoreError) || !error.retryable) throw error;
    output.print(describeError(error));
    return null;
  }
}

/** Looks every half second; tells every two seconds. */
async function waitFor(
  look: () => Promise<DemoCounts | null>,
  signal: AbortSignal,
  isThere: (counts: DemoCounts) => boolean,
  onLook: (counts: DemoCounts) => void = () => {},
): Promise<DemoCounts> {
  for (let looks = 0; ; looks += 1) {
    const counts = await look();
    if (counts !== null && isThere(counts)) return counts;
    if (counts !== null && looks % 4 === 3) onLook(counts);
    await systemClock.sleep(LOOK_EVERY_MS, signal);
  }
}

const uptime = (): string => process.uptime().toFixed(1);

const line = (counts: DemoCounts): string =>
  `${new Date().toTimeString().slice(0, 8)}  ${counts.runs} pipeline runs (${counts.active} active), ${counts.nodes} nodes, ` +
  `${counts.details} with details, ${counts.experimentRuns} experiment runs, ${counts.metrics} metrics, ${counts.events} changes`;
