/**
 * The only reader of the environment. Parses everything once and reports all mistakes in one message: which variable,
 * what was found, what is expected. Values that may hold a secret are never repeated.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { validate as isCronExpression } from 'node-cron';
import { z } from 'zod';
import { isLoopback, parseEndpoint } from './domain/endpoint.js';
import { ConfigurationError, UsageError } from './domain/errors.js';
import { AGE_EXPECTED, parseAge, parseRules, type RetentionSettings } from './domain/retention.js';
import { parseScopePattern, type ScopePattern } from './domain/scope.js';

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

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const NODE_TYPES = ['Logical', 'Physical'] as const;

/** How a value is shown in a message: whole, but short and on one line. */
const shown = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);

const fail = (context: z.RefinementCtx, value: string, expected: string): never => {
  context.addIssue({ code: 'custom', message: `found ${shown(value)}, expected ${expected}` });
  return z.NEVER;
};

const integer = (fallback: number, min: number, max: number) =>
  z
    .string()
    .default(String(fallback))
    .transform((value, context) => {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      return number >= min && number <= max ? number : fail(context, value, `a whole number from ${min} to ${max}`);
    });

const rate = (fallback: number) =>
  z
    .string()
    .default(String(fallback))
    .transform((value, context) => {
      const number = /^\d{1,6}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
      return Number.isNaN(number)
        ? fail(context, value, 'calls per second, 0 or more (0 = no limit), such as 5 or 0.5')
        : number;
    });

const cron = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((value, context) =>
      isCronExpression(value)
        ? value
        : fail(context, value, `a cron expression such as "${fallback}" (a seconds field is allowed)`),
    );

const endpoint = () =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      if (value === undefined) return null;
      try {
        // Whether plain http is allowed here depends on another variable, so that is checked once all are read.
        parseEndpoint(value, { allowHttp: true });
        return value.trim();
      } catch {
        // Not repeated: a URL may carry a password.
        context.addIssue({
          code: 'custom',
          message: 'found something else, expected a host, host:port, or http(s) URL without path, user or password',
        });
        return z.NEVER;
      }
    });

const scopes = (required: boolean) =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      const texts = (value ?? '')
        .split(',')
        .map((text) => text.trim())
        .filter((text) => text !== '');
      if (texts.length === 0) {
        if (!required) return [];
        context.addIssue({
          code: 'custom',
          message:
            'found nothing, expected region:workspaceId, comma-separated, such as cn-shanghai:15945 or cn-hangzhou:*',
        });
        return z.NEVER;
      }
      const parsed = texts.map((text) => parseScopePattern(text));
      const wrong = texts.filter((_, index) => parsed[index] === null);
      if (wrong.length > 0) {
        fail(context, wrong.join(','), 'region:workspaceId or region:*, comma-separated');
        return z.NEVER;
      }
      return [
        ...new Map(parsed.map((scope) => [`${scope?.region}:${scope?.workspaceId}`, scope as ScopePattern])).values(),
      ];
    });

const databaseUrl = () =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      if (value === undefined) return null;
      // Never repeated: it carries the password.
      if (/^postgres(ql)?:\/\//.test(value) && URL.canParse(value)) return value;
      context.addIssue({
        code: 'custom',
        message: 'found something else, expected postgresql://user:password@host:port/database',
      });
      return z.NEVER;
    });

const readerPassword = () =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      if (value === undefined || isReaderPassword(value)) return value ?? null;
      context.addIssue({ code: 'custom', message: `found something else, expected ${READER_PASSWORD_EXPECTED}` });
      return z.NEVER;
    });

export const READER_PASSWORD_EXPECTED = '8 to 256 printable ASCII characters';

/** Beyond ASCII clients disagree about what is hashed, and some then could not log in. */
export const isReaderPassword = (text: string): boolean => /^[ -~]{8,256}$/.test(text);

const port = (fallback: number) =>
  z
    .string()
    .default(String(fallback))
    .transform((value, context) => {
      if (value === 'off') return null;
      const number = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
      return number <= 65_535
        ? number
        : fail(context, value, 'a whole number from 0 (any free port) to 65535, or off for no HTTP');
    });

const host = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((value, context) =>
      /^(\[[0-9a-f:.]+\]|[0-9a-z:._-]+)$/i.test(value)
        ? value.replace(/^\[|\]$/g, '').toLowerCase()
        : fail(context, value, 'an address or name of this machine without a port, such as 127.0.0.1, 0.0.0.0 or ::'),
    );

/** What fits into a header as it is: letters, digits and the signs that base64 and its relatives use. */
const token = () =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      if (value === undefined || /^[A-Za-z0-9._~+/=-]{16,256}$/.test(value)) return value ?? null;
      // Never repeated.
      const expected = '16 to 256 letters, digits or any of . _ ~ + / = -, such as `openssl rand -hex 32` makes';
      context.addIssue({ code: 'custom', message: `found something else, expected ${expected}` });
      return z.NEVER;
    });

const flag = () =>
  z
    .string()
    .default('false')
    .transform((value, context) =>
      /^(true|1|yes)$/i.test(value)
        ? true
        : /^(false|0|no)$/i.test(value)
          ? false
          : fail(context, value, 'true or false'),
    );

/** An empty list (`-`) asks for none. */
const sourceTypes = () =>
  z
    .string()
    .default('SDK,DESIGNER,M6')
    .transform((value, context) => {
      const types = value === '-' ? [] : [...new Set(value.split(',').map((text) => text.trim()))];
      return types.every((type) => /^[A-Za-z0-9_]+$/.test(type))
        ? types
        : fail(context, value, 'values of SourceType, comma-separated, such as SDK,DESIGNER,M6 (or - for none)');
    });

const nodeTypes = () =>
  z
    .string()
    .default('Logical')
    .transform((value, context) => {
      const types = [
        ...new Set(
          value
            .split(',')
            .map((text) => text.trim())
            .filter((text) => text !== ''),
        ),
      ];
      const known = types.every((type) => (NODE_TYPES as readonly string[]).includes(type));
      return types.length > 0 && known
        ? types
        : fail(context, value, `one or more of ${NODE_TYPES.join(', ')}, comma-separated`);
    });

/** Unset: no rules. */
const retentionRules = (hasOutcome: boolean) =>
  z
    .string()
    .default('')
    .transform((value, context) => {
      const parsed = parseRules(value, { hasOutcome });
      if ('value' in parsed) return parsed.value;
      for (const message of parsed.mistakes) context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });

/** Unset: kept for ever. */
const age = () =>
  z
    .string()
    .default('keep')
    .transform((value, context) => {
      const parsed = parseAge(value);
      return parsed === null && value !== 'keep' ? fail(context, value, `keep, or ${AGE_EXPECTED}`) : parsed;
    });

const schema = (needs: { readonly scopes: boolean }) =>
  z.object({
    DATABASE_URL: databaseUrl(),
    PAI_MIRROR_DATA_DIR: z.string().default('.pai-mirror'),
    PAI_SCOPES: scopes(needs.scopes),
    PAI_FLOW_ENDPOINT: endpoint(),
    PAI_AIWORKSPACE_ENDPOINT: endpoint(),
    PAI_ALLOW_HTTP: flag(),
    PAI_PAGE_SIZE: integer(100, 1, 10_000),
    PAI_STATUS_BATCH: integer(100, 1, 10_000),
    PAI_SOURCE_TYPES: sourceTypes(),
    PAI_NODE_DEPTH: integer(10, 1, 1000),
    PAI_NODE_TYPES: nodeTypes(),
    PAI_CONCURRENCY: integer(4, 1, 64),
    PAI_FLOW_QPS: rate(5),
    PAI_LIST_RUNS_QPS: rate(15),
    PAI_CALL_TIMEOUT_MS: integer(30_000, 1, 3_600_000),
    PAI_OVERLAP_SECONDS: integer(600, 0, 31_536_000),
    PAI_HOT_WINDOW_HOURS: integer(168, 0, 876_000),
    DISCOVER_CRON: cron('*/30 * * * * *'),
    POLL_CRON: cron('*/15 * * * * *'),
    NODES_CRON: cron('*/15 * * * * *'),
    DETAILS_CRON: cron('*/30 * * * * *'),
    EXPERIMENTS_CRON: cron('*/5 * * * *'),
    RECONCILE_CRON: cron('0 */6 * * *'),
    RETENTION_CRON: cron('30 3 * * *'),
    READER_PASSWORD: readerPassword(),
    RETENTION_RULES: retentionRules(true),
    RETENTION_EXPERIMENTS: retentionRules(false),
    RETENTION_HISTORY: age(),
    RETENTION_PASSES: age(),
    RETENTION_QUARANTINE: age(),
    HTTP_HOST: host('127.0.0.1'),
    HTTP_PORT: port(8080),
    HTTP_TOKEN: token(),
    HTTP_PUBLIC: flag(),
    LOG_LEVEL: z
      .string()
      .default('info')
      .transform((value, context) =>
        (LOG_LEVELS as readonly string[]).includes(value)
          ? value
          : fail(context, value, `one of ${LOG_LEVELS.join(', ')}`),
      ),
  });

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

/** A mistake that is easy to make: PAI_SCOPE, SCOPES … while PAI_SCOPES is missing. */
function similarNames(env: Environment): string {
  const near = Object.keys(env).filter((name) => /^(PAI_SCOPE|PAI_MIRROR_SCOPES?|SCOPES?)$/.test(name));
  return near.length > 0 ? ` (${near.join(', ')} is set: a misspelling?)` : '';
}

const RETENTION_NAMES = ['RULES', 'EXPERIMENTS', 'HISTORY', 'PASSES', 'QUARANTINE', 'CRON'].map(
  (name) => `RETENTION_${name}`,
);

/** A misspelt rule would keep (or prune) in silence what somebody meant otherwise, and be noticed too late. */
const unknownRetention = (env: Environment): string[] =>
  Object.keys(env)
    .filter((name) => name.startsWith('RETENTION_') && !RETENTION_NAMES.includes(name))
    .map((name) => `${name}: found a variable that there is not, expected one of ${RETENTION_NAMES.join(', ')}`);

/** Variables of `PAI_…` that nobody reads: misspelt, most likely. No mistake, since other programs may own such names. */
export function unknownVariables(env: Environment): string[] {
  const known = Object.keys(schema({ scopes: false }).shape);
  return Object.keys(withoutBlanks(env)).filter((name) => name.startsWith('PAI_') && !known.includes(name));
}

/**
 * Parses the environment. Throws ConfigurationError with one line a mistake.
 * `needs.scopes`: whether the command talks to PAI, so that PAI_SCOPES is required.
 */
export function parseConfig(environment: Environment, needs: { readonly scopes: boolean }): Config {
  const env = withoutBlanks(environment);
  const parsed = schema(needs).safeParse(env);
  const mistakes: string[] = unknownRetention(env);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0]);
      mistakes.push(
        `${name}: ${issue.message}${name === 'PAI_SCOPES' && env.PAI_SCOPES === undefined ? similarNames(env) : ''}`,
      );
    }
    throw new ConfigurationError(configMessage(mistakes), mistakes);
  }
  const config = toConfig(parsed.data, env.HTTP_PORT !== undefined);
  checkPlainHttp(config, mistakes);
  checkHttpAccess(config, mistakes);
  if (mistakes.length > 0) throw new ConfigurationError(configMessage(mistakes), mistakes);
  return config;
}

function configMessage(mistakes: readonly string[]): string {
  const wrong = new Set(mistakes.map((line) => line.slice(0, line.indexOf(':')))).size;
  return `configuration: ${wrong} ${wrong === 1 ? 'variable is' : 'variables are'} wrong\n${mistakes.map((line) => `  ${line}`).join('\n')}`;
}

function toConfig(env: z.output<ReturnType<typeof schema>>, httpPortIsChosen: boolean): Config {
  return {
    databaseUrl: env.DATABASE_URL,
    dataDir: resolve(env.PAI_MIRROR_DATA_DIR),
    scopes: env.PAI_SCOPES,
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
  const file = parseEnv(text);
  for (const [name, value] of Object.entries(file)) {
    if (name.startsWith('ALIBABA_CLOUD_') && process.env[name] === undefined) process.env[name] = value;
  }
  return { ...file, ...process.env };
}

const SECRETS = ['ALIBABA_CLOUD_ACCESS_KEY_SECRET', 'ALIBABA_CLOUD_SECURITY_TOKEN', 'HTTP_TOKEN', 'READER_PASSWORD'];

/** What of an environment nobody may read in a log, whether the configuration is right or not. */
export function secretsOf(environment: Environment): string[] {
  const named = SECRETS.map((name) => environment[name]?.trim() ?? '');
  const url = environment.DATABASE_URL?.trim() ?? '';
  return [...named, URL.canParse(url) ? new URL(url).password : url].filter((text) => text !== '');
}
