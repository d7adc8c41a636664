/**
 * The only reader of the environment. Parses everything once and reports all mistakes in one message: which variable,
 * what was found, what is expected. Values that may hold a secret are never repeated.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { isAlike } from './config/alike.js';
import { shown } from './config/kinds.js';
import { VARIABLES, type Values, type Variable } from './config/variables.js';
import { isLoopback, parseEndpoint } from './domain/endpoint.js';
import { ConfigurationError, UsageError } from './domain/errors.js';
import type { RetentionSettings } from './domain/retention.js';
import type { ScopePattern } from './domain/scope.js';

export interface Schedules {
  readonly discover: string;
  readonly poll: string;
  readonly nodes: string;
  readonly details: string;
  readonly experiments: string;
  readonly reconcile: string;
  readonly retention: string;
}

export interface Config {
  /** Null: the embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl: string | null;
  /** Absolute path. */
  readonly dataDir: string;
  readonly scopes: readonly ScopePattern[];
  /** Null: the public endpoint of the region. */
  readonly flowEndpoint: string | null;
  readonly aiWorkspaceEndpoint: string | null;
  readonly allowHttp: boolean;
  readonly pageSize: number;
  /** Runs (or nodes) in one ListPipelineRunsStatus call. */
  readonly statusBatch: number;
  /** Asked for by name where the list without a filter does not show them. */
  readonly sourceTypes: readonly string[];
  readonly nodeDepth: number;
  readonly nodeTypes: readonly string[];
  /** Calls under way at once in one pass. */
  readonly concurrency: number;
  /** Calls per second and region; 0 = no limit. */
  readonly flowQps: number;
  readonly listRunsQps: number;
  readonly callTimeoutMs: number;
  readonly overlapSeconds: number;
  readonly hotWindowHours: number;
  readonly schedules: Schedules;
  /** Nothing, unless RETENTION_* say so. */
  readonly retention: RetentionSettings;
  /** Without brackets. */
  readonly httpHost: string;
  /** 0: any free one. Null: no HTTP at all. */
  readonly httpPort: number | null;
  /** Somebody chose the port: nothing else will do. */
  readonly httpPortIsChosen: boolean;
  /** What clients of the HTTP side have to show; null: nothing. A secret. */
  readonly httpToken: string | null;
  /** Whoever reaches an address that is not this machine's alone may read, without a token. */
  readonly httpPublic: boolean;
  readonly logLevel: string;
  /** For the command `reader`; null: it makes one. A secret. */
  readonly readerPassword: string | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const schemaOf = ({ kind, fallback }: Variable<unknown>): z.ZodType =>
  z
    .string()
    .optional()
    .transform((set, context) => {
      const text = set ?? fallback;
      return text === null ? null : kind.read(text, context);
    });

const SCHEMA = z.object(
  Object.fromEntries(Object.entries(VARIABLES).map(([name, variable]) => [name, schemaOf(variable)])),
);

/** An empty or blank variable counts as not set, as in `docker run -e NAME=`. */
const withoutBlanks = (env: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || value.trim() === '' ? [] : [[name, value.trim()]],
    ),
  );

function checkPlainHttp(config: Config, mistakes: string[]): void {
  for (const [name, value] of [
    ['PAI_FLOW_ENDPOINT', config.flowEndpoint],
    ['PAI_AIWORKSPACE_ENDPOINT', config.aiWorkspaceEndpoint],
  ] as const) {
    if (value === null) continue;
    try {
      parseEndpoint(value, { allowHttp: config.allowHttp });
    } catch {
      mistakes.push(
        `${name}: found plain http to another machine, expected https (or PAI_ALLOW_HTTP=true, which sends everything unencrypted)`,
      );
    }
  }
}

/** Names of pipelines, errors and users are nobody's business by mistake: an address that others reach is a decision. */
function checkHttpAccess({ httpHost, httpPort, httpToken, httpPublic }: Config, mistakes: string[]): void {
  if (httpPublic && httpToken !== null)
    mistakes.push('HTTP_PUBLIC: found true beside HTTP_TOKEN, expected one of them: who needs no token, or which one');
  if (httpPort === null || isLoopback(httpHost) || httpToken !== null || httpPublic) return;
  mistakes.push(
    `HTTP_TOKEN: found nothing while HTTP_HOST is ${shown(httpHost)}, which other machines reach; expected a token that they have to show, or HTTP_PUBLIC=true to let everybody read`,
  );
}

/** Names that are easily written for PAI_SCOPES. */
const NEAR_SCOPES = /^(PAI_SCOPE|PAI_MIRROR_SCOPES?|SCOPES?)$/;

/** A command that talks to PAI has to know about what. */
function missingScopes(env: Environment): string[] {
  if ((env.PAI_SCOPES ?? '').replaceAll(/[,\s]/g, '') !== '') return [];
  const near = env.PAI_SCOPES === undefined ? Object.keys(env).filter((name) => NEAR_SCOPES.test(name)) : [];
  const hint = near.length > 0 ? ` (${near.join(', ')} is set: a misspelling?)` : '';
  return [
    `PAI_SCOPES: found nothing, expected region:workspaceId, comma-separated, such as cn-shanghai:15945 or cn-hangzhou:*${hint}`,
  ];
}

const RETENTION_NAMES = Object.keys(VARIABLES).filter((name) => name.startsWith('RETENTION_'));

/** A misspelt rule would keep (or prune) in silence what somebody meant otherwise, and be noticed too late. */
const unknownRetention = (env: Environment): string[] =>
  Object.keys(env)
    .filter((name) => name.startsWith('RETENTION_') && !RETENTION_NAMES.includes(name))
    .map((name) => `${name}: found a variable that there is not, expected one of ${RETENTION_NAMES.join(', ')}`);

/**
 * Variables that nobody reads and that are misspelt, most likely: `PAI_…`, and names that hardly differ from one there is,
 * with that one. No mistakes, since other programs may own such names.
 */
export function unknownVariables(env: Environment): { readonly name: string; readonly meant: string | null }[] {
  const known = Object.keys(VARIABLES);
  return Object.keys(withoutBlanks(env)).flatMap((name) => {
    if (name in VARIABLES) return [];
    const meant = known.find((one) => isAlike(name, one)) ?? null;
    return meant !== null || name.startsWith('PAI_') ? [{ name, meant }] : [];
  });
}

/**
 * Parses the environment. Throws ConfigurationError with one line a mistake.
 * `needs.scopes`: whether the command talks to PAI, so that PAI_SCOPES is required.
 */
export function parseConfig(environment: Environment, needs: { readonly scopes: boolean }): Config {
  const env = withoutBlanks(environment);
  const mistakes = [...(needs.scopes ? missingScopes(env) : []), ...unknownRetention(env)];
  const parsed = SCHEMA.safeParse(env);
  const issues = parsed.success ? [] : parsed.error.issues;
  mistakes.push(...issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`));
  const wrong = new Set(issues.map((issue) => String(issue.path[0])));
  // What is right by itself may be wrong together: judged as if the rest had its defaults, so that all is told at once.
  const rest = parsed.success ? parsed.data : SCHEMA.parse(without(env, wrong));
  const config = toConfig(rest as Values, env.HTTP_PORT !== undefined);
  if (!wrong.has('PAI_ALLOW_HTTP')) checkPlainHttp(config, mistakes);
  if (!ACCESS.some((name) => wrong.has(name))) checkHttpAccess(config, mistakes);
  if (mistakes.length > 0) throw new ConfigurationError(configMessage(mistakes), mistakes);
  return config;
}

/** Of these a wrong one says nothing about what was meant. */
const ACCESS = ['HTTP_HOST', 'HTTP_PORT', 'HTTP_TOKEN', 'HTTP_PUBLIC'];

const without = (env: Record<string, string>, names: ReadonlySet<string>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));

function configMessage(mistakes: readonly string[]): string {
  const wrong = new Set(mistakes.map((line) => line.slice(0, line.indexOf(':')))).size;
  return `configuration: ${wrong} ${wrong === 1 ? 'variable is' : 'variables are'} wrong\n${mistakes.map((line) => `  ${line}`).join('\n')}`;
}

function toConfig(env: Values, httpPortIsChosen: boolean): Config {
  return {
    databaseUrl: env.DATABASE_URL,
    dataDir: resolve(env.PAI_MIRROR_DATA_DIR),
    scopes: env.PAI_SCOPES ?? [],
    flowEndpoint: env.PAI_FLOW_ENDPOINT,
    aiWorkspaceEndpoint: env.PAI_AIWORKSPACE_ENDPOINT,
    allowHttp: env.PAI_ALLOW_HTTP,
    pageSize: env.PAI_PAGE_SIZE,
    statusBatch: env.PAI_STATUS_BATCH,
    sourceTypes: env.PAI_SOURCE_TYPES,
    nodeDepth: env.PAI_NODE_DEPTH,
    nodeTypes: env.PAI_NODE_TYPES,
    concurrency: env.PAI_CONCURRENCY,
    flowQps: env.PAI_FLOW_QPS,
    listRunsQps: env.PAI_LIST_RUNS_QPS,
    callTimeoutMs: env.PAI_CALL_TIMEOUT_MS,
    overlapSeconds: env.PAI_OVERLAP_SECONDS,
    hotWindowHours: env.PAI_HOT_WINDOW_HOURS,
    schedules: {
      discover: env.DISCOVER_CRON,
      poll: env.POLL_CRON,
      nodes: env.NODES_CRON,
      details: env.DETAILS_CRON,
      experiments: env.EXPERIMENTS_CRON,
      reconcile: env.RECONCILE_CRON,
      retention: env.RETENTION_CRON,
    },
    retention: {
      runs: env.RETENTION_RULES,
      experiments: env.RETENTION_EXPERIMENTS,
      history: env.RETENTION_HISTORY,
      passes: env.RETENTION_PASSES,
      quarantine: env.RETENTION_QUARANTINE,
    },
    httpHost: env.HTTP_HOST,
    httpPort: env.HTTP_PORT,
    httpPortIsChosen,
    httpToken: env.HTTP_TOKEN,
    httpPublic: env.HTTP_PUBLIC,
    logLevel: env.LOG_LEVEL,
    readerPassword: env.READER_PASSWORD,
  };
}

/**
 * The process's environment, completed (never overruled) by `.env` in the working directory. ALIBABA_CLOUD_* of the
 * file are put into process.env, because @alicloud/credentials reads only that.
 */
export function readEnvironment(directory = process.cwd()): Environment {
  let text: string;
  try {
    text = readFileSync(resolve(directory, '.env'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return process.env;
    throw new UsageError(`.env: cannot be read (${(error as Error).message})`);
  }
  const file = parseEnv(readable(text));
  for (const [name, value] of Object.entries(file)) {
    if (name.startsWith('ALIBABA_CLOUD_') && process.env[name] === undefined) process.env[name] = value;
  }
  return { ...file, ...process.env };
}

/** Some editors begin a file with a mark of its encoding, which would be a part of the first name, or write UTF-16. */
function readable(text: string): string {
  if (text.includes('\0')) throw new UsageError('.env: found a text of another encoding, expected UTF-8');
  return text.replace(/^\uFEFF/, '');
}

/** PGPASSWORD is read by pg where the address has no password. */
const SECRETS = [
  'ALIBABA_CLOUD_ACCESS_KEY_SECRET',
  'ALIBABA_CLOUD_SECURITY_TOKEN',
  'HTTP_TOKEN',
  'READER_PASSWORD',
  'PGPASSWORD',
];

/** What of an environment nobody may read in a log, whether the configuration is right or not. */
export function secretsOf(environment: Environment): string[] {
  const named = SECRETS.map((name) => environment[name]?.trim() ?? '');
  return [...named, ...passwordsOf(environment.DATABASE_URL?.trim() ?? '')].filter((text) => text !== '');
}

/** Also of `?password=…`, which pg takes, too. What cannot be read as an address is a secret as a whole. */
function passwordsOf(url: string): string[] {
  if (!url.includes('://') || !URL.canParse(url)) return [url];
  const { password, searchParams } = new URL(url);
  return [password, searchParams.get('password') ?? ''];
}
