/**
 * What each check of `doctor` looks at, and what it means when that is wrong: for `doctor --help` and for the table of
 * docs/operations.md. A test compares the names, and their order, with the checks that there are. Pure.
 */

export interface Meaning {
  readonly looksAt: string;
  /** Markdown of one line. The remedy for what was found stands in the report itself. */
  readonly ifWrong: string;
}

export const MEANINGS: Readonly<Record<string, Meaning>> = {
  configuration: {
    looksAt: 'every variable of the environment and of .env',
    ifWrong: 'no command starts: exit code 2. An unknown variable that looks like one of the mirror warns',
  },
  'data-directory': {
    looksAt: 'without DATABASE_URL: PAI_MIRROR_DATA_DIR, and who may read the password in it',
    ifWrong: 'the embedded PostgreSQL cannot start, or others can read its password',
  },
  database: {
    looksAt:
      'whether the database lets the mirror in, and whether the way to it is encrypted and its certificate checked',
    ifWrong: 'nothing is mirrored; see [a database that is away](#the-database-is-away)',
  },
  'database-version': { looksAt: 'PostgreSQL 14 or newer', ifWrong: 'the schema cannot be made there' },
  'database-rights': {
    looksAt: 'writing, temporary tables, the schema and who owns its tables',
    ifWrong: 'passes or migrations fail; the remedy is the GRANT or ALTER to run',
  },
  'database-connections': {
    looksAt: 'connections that server, role and database have left, and whether a pooler in between keeps sessions',
    ifWrong:
      'one more replica may have to wait, see [connections](#paimirrorconnectionsshort); without sessions of its own the mirror loses its locks',
  },
  disk: {
    looksAt: 'the size of the database; of the embedded one what is free',
    ifWrong: 'less than 2 GB free warns, less than 200 MB fails. Of another server it cannot see the disk',
  },
  migrations: {
    looksAt: 'the version of the schema against that of this program',
    ifWrong: '`pai-mirror migrate`, or a newer program; see [upgrading](#upgrading)',
  },
  schema: {
    looksAt: 'every table, index, function and trigger against migrations/schema.sql',
    ifWrong: 'somebody changed it by hand: what is missing fails, what is there beside it warns',
  },
  reader: {
    looksAt: 'the role pai_reader and what it may read',
    ifWrong: 'dashboards cannot log in or cannot read; the mirror itself needs no such role',
  },
  partitions: {
    looksAt: 'months of the history that are made ahead',
    ifWrong: 'events go into the default partition, which retention cannot drop by month',
  },
  credentials: {
    looksAt: 'which provider gives keys; the keys are never shown',
    ifWrong: 'no call can be signed; see [keys](#keys-are-rotated-or-revoked)',
  },
  endpoint: {
    looksAt: 'name, connection, TLS and answer of both products in each region',
    ifWrong: 'a region, an override, a proxy or a firewall; the remedy says which',
  },
  clock: {
    looksAt: "the clocks of this machine and of the database against PAI's",
    ifWrong: 'a minute off warns, 15 minutes fail; see [a wrong clock](#a-clock-is-wrong)',
  },
  workspaces: {
    looksAt: 'the list of workspaces behind each region:*',
    ifWrong: 'workspaces that are new are not found',
  },
  permission: {
    looksAt: 'each operation, called once, in up to ten scopes',
    ifWrong: 'the RAM action that is missing, and the workspace; see [not allowed](#paimirrornotallowed)',
  },
  scope: {
    looksAt: 'whether each scope shows runs, or exists at all',
    ifWrong: 'a wrong number in PAI_SCOPES looks like an empty workspace',
  },
  account: { looksAt: 'the account, by the runs that it shows', ifWrong: 'never; it only tells' },
  leases: {
    looksAt: 'who runs which stream, and what dead processes left behind',
    ifWrong: 'a process ended in the middle of a pass; nothing is to be repaired',
  },
  freshness: {
    looksAt: 'the last success of every stream of every scope',
    ifWrong: 'see [not fresh](#the-mirror-is-not-fresh)',
  },
  quarantine: {
    looksAt: 'items that could not be read or stored',
    ifWrong: 'see [quarantine](#items-wait-in-quarantine)',
  },
  sums: {
    looksAt: 'quarter hours whose sums are due',
    ifWrong: 'dashboards are slower and still right; see [slow views](#paimirrorviewsslow)',
  },
  retention: {
    looksAt: 'the RETENTION_* rules against PAI_SCOPES',
    ifWrong: 'a rule names a scope that is not mirrored (any more)',
  },
};

/** For `doctor --help`. */
export function meaningsText(): string {
  const width = Math.max(...Object.keys(MEANINGS).map((name) => name.length));
  const lines = Object.entries(MEANINGS).map(([name, { looksAt }]) => `  ${name.padEnd(width)}  ${looksAt}`);
  return ['', 'It looks at', ...lines].join('\n');
}
