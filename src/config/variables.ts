/**
 * Every variable there is: what it means, how it is read, and what holds when it is not set. README.md has the same table,
 * made from this one.
 */
import {
  age,
  anyText,
  cron,
  databaseUrl,
  endpoint,
  flag,
  host,
  type Kind,
  oneOf,
  port,
  rate,
  readerPassword,
  retentionRules,
  scopes,
  someOf,
  sourceTypes,
  token,
  wholeNumber,
} from './kinds.js';

export interface Variable<T> {
  /** One line of Markdown. */
  readonly meaning: string;
  readonly kind: Kind<T>;
  /** The text that holds when the variable is not set; null: the value is null then. */
  readonly fallback: string | null;
  /** What holds then, in words. */
  readonly otherwise: string;
}

type Optional<T> = Variable<T> & { readonly fallback: null };
type Defaulted<T> = Variable<T> & { readonly fallback: string };

/** `otherwise` where the text alone does not say it. */
const defaulted = <T>(kind: Kind<T>, fallback: string, meaning: string, otherwise = ''): Defaulted<T> => ({
  meaning,
  kind,
  fallback,
  otherwise,
});

const optional = <T>(kind: Kind<T>, otherwise: string, meaning: string): Optional<T> => ({
  meaning,
  kind,
  fallback: null,
  otherwise,
});

const schedule = (fallback: string, meaning: string, otherwise: string): Defaulted<string> =>
  defaulted(cron(fallback), fallback, meaning, otherwise);

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const NODE_TYPES = ['Logical', 'Physical'] as const;

const WHAT_AND_WHERE = {
  PAI_SCOPES: optional(
    scopes,
    'required, but for `demo`',
    'the workspaces to mirror, such as `cn-shanghai:15945`; `cn-shanghai:*` is every workspace of the account there',
  ),
  DATABASE_URL: optional(databaseUrl, 'an embedded PostgreSQL', 'the database to mirror into'),
  PAI_MIRROR_DATA_DIR: defaulted(anyText('a directory'), '.pai-mirror', 'where the embedded PostgreSQL keeps its data'),
  PAI_FLOW_ENDPOINT: optional(
    endpoint,
    'the public one of the region',
    'where PAI answers for pipeline runs, such as a VPC endpoint',
  ),
  PAI_AIWORKSPACE_ENDPOINT: optional(
    endpoint,
    'the public one of the region',
    'where PAI answers for workspaces and experiment runs',
  ),
  PAI_ALLOW_HTTP: defaulted(flag, 'false', 'whether plain `http://` may lead to other machines than this one'),
};

const CALLS = {
  PAI_FLOW_QPS: defaulted(
    rate,
    '5',
    'calls a second and region for pipeline runs, shared by all processes on one database',
  ),
  PAI_LIST_RUNS_QPS: defaulted(rate, '15', 'likewise for experiment runs'),
  PAI_CONCURRENCY: defaulted(wholeNumber(1, 64), '4', 'calls under way at once in one pass'),
  PAI_CALL_TIMEOUT_MS: defaulted(
    wholeNumber(1, 3_600_000),
    '30000',
    'deadline of one call, its body included, in milliseconds',
  ),
  PAI_PAGE_SIZE: defaulted(wholeNumber(1, 10_000), '100', 'rows asked for in one page of a list'),
  PAI_STATUS_BATCH: defaulted(wholeNumber(1, 10_000), '100', 'runs, or nodes, in one call for their statuses'),
  PAI_SOURCE_TYPES: defaulted(
    sourceTypes,
    'SDK,DESIGNER,M6',
    'values of SourceType that are asked for by name where the list does not show them by itself',
  ),
  PAI_NODE_DEPTH: defaulted(wholeNumber(1, 1000), '10', 'levels of a tree of nodes'),
  PAI_NODE_TYPES: defaulted(someOf(NODE_TYPES), 'Logical', 'which nodes of a run are mirrored'),
  PAI_OVERLAP_SECONDS: defaulted(
    wholeNumber(0, 31_536_000),
    '600',
    'how far behind the watermark a list is read again',
  ),
  PAI_HOT_WINDOW_HOURS: defaulted(
    wholeNumber(0, 876_000),
    '168',
    'experiment runs that were created within it are read again for changes',
  ),
};

const SCHEDULES = {
  DISCOVER_CRON: schedule('*/30 * * * * *', 'looks for new and changed pipeline runs', 'every 30 s'),
  POLL_CRON: schedule('*/15 * * * * *', 'asks for the statuses of active runs', 'every 15 s'),
  NODES_CRON: schedule('*/15 * * * * *', 'fetches the nodes of changed runs', 'every 15 s'),
  DETAILS_CRON: schedule('*/30 * * * * *', 'fetches manifest, arguments and options', 'every 30 s'),
  EXPERIMENTS_CRON: schedule('*/5 * * * *', 'reads experiment runs', 'every 5 min'),
  RECONCILE_CRON: schedule('0 */6 * * *', 'walks everything once more', 'every 6 h'),
};

const RETENTION = {
  RETENTION_RULES: defaulted(
    retentionRules({ hasOutcome: true }),
    '',
    'pipeline runs that may go; the first rule that matches decides',
    'none: everything is kept',
  ),
  RETENTION_EXPERIMENTS: defaulted(
    retentionRules({ hasOutcome: false }),
    '',
    'experiment runs that may go',
    'none: everything is kept',
  ),
  RETENTION_HISTORY: defaulted(age, 'keep', 'age of the whole months of `change_events` that are dropped'),
  RETENTION_PASSES: defaulted(age, 'keep', 'age of the rows of `sync_passes` that go'),
  RETENTION_QUARANTINE: defaulted(age, 'keep', 'age of the settled rows of `quarantine` that go'),
  RETENTION_CRON: schedule('30 3 * * *', 'when `start` prunes what these let go', '03:30 UTC'),
};

const ACCESS = {
  HTTP_HOST: defaulted(host, '127.0.0.1', 'the address on which `start` and `demo` answer'),
  HTTP_PORT: defaulted(port, '8080', 'the port of it'),
  HTTP_TOKEN: optional(token, 'none is asked for', 'what clients of the page and of `/metrics` have to show'),
  HTTP_PUBLIC: defaulted(flag, 'false', 'whether an `HTTP_HOST` that other machines reach needs no token'),
  READER_PASSWORD: optional(readerPassword, 'it makes one', 'for the command `reader`: the password of `pai_reader`'),
  LOG_LEVEL: defaulted(oneOf(LOG_LEVELS), 'info', 'the least level that is logged'),
};

export const VARIABLES = { ...WHAT_AND_WHERE, ...CALLS, ...SCHEDULES, ...RETENTION, ...ACCESS };

/** In the order in which a reader meets them. */
export const GROUPS: readonly {
  readonly title: string;
  readonly variables: Readonly<Record<string, Variable<unknown>>>;
}[] = [
  { title: 'What is mirrored, and where to', variables: WHAT_AND_WHERE },
  { title: 'Calls to PAI', variables: CALLS },
  { title: 'Schedules, in UTC', variables: SCHEDULES },
  { title: 'Retention', variables: RETENTION },
  { title: 'Access and log', variables: ACCESS },
];

/** What a variable reads as: null where nothing holds when it is not set. */
type ValueOf<V> = V extends Optional<infer T> ? T | null : V extends Defaulted<infer T> ? T : never;

export type Values = { readonly [Name in keyof typeof VARIABLES]: ValueOf<(typeof VARIABLES)[Name]> };
