/** What the facts about the database mean, and what to do about them. Pure. */
import { StoreError } from '../../domain/errors.js';
import type { EmbeddedLook } from '../../embedded/look.js';
import type { Pooling } from '../../store/inspect/pooler.js';
import type { MigrationState, PartitionFacts, ReaderFacts } from '../../store/inspect/schema.js';
import type { RightsFacts, RoomFacts, ServerFacts } from '../../store/inspect/server.js';
import type { Transport } from '../../store/inspect/transport.js';
import { failed, type Judged, ok, warning } from './check.js';

const OLDEST_VERSION = 140_000;

/** Connections of one process: three of the store and one of the budgets. */
const CONNECTIONS_A_PROCESS = 4;

const MEGABYTE = 1_000_000;

const REFUSALS: Readonly<Record<string, string>> = {
  STORE_UNAVAILABLE:
    'start the server, or correct host and port of DATABASE_URL; is a firewall or a network policy between?',
  STORE_STARTING: 'wait until the server is up, and look into its log if that takes long',
  STORE_LOGIN:
    'correct user, password and database in DATABASE_URL, and see pg_hba.conf of the server (sslmode=require where it only lets TLS in)',
  STORE_TLS:
    'see sslmode and sslrootcert of DATABASE_URL: a certificate of an authority of your own needs sslrootcert=FILE, a server without TLS sslmode=disable',
  STORE_TOO_MANY_CONNECTIONS:
    'end sessions that nobody needs (pg_stat_activity), or raise max_connections, or the connection limit of the role or database',
};

export function judgeConnectFailure(error: unknown): Judged {
  const code = error instanceof StoreError ? error.code : '';
  const message = error instanceof Error ? error.message : String(error);
  return failed(null, message, REFUSALS[code] ?? 'see the message, and the log of the server');
}

/** A network that is nobody else's is a good reason for either: warnings only. */
export function judgeTransport(transport: Transport): Judged[] {
  const remedy =
    'add sslmode=verify-full to DATABASE_URL, and sslrootcert=FILE when the certificate is of a CA of your own';
  if (transport === 'plain')
    return [
      warning('TLS', 'connections to the database are not encrypted: whoever is on the way reads all of it', remedy),
    ];
  if (transport === 'unverified')
    return [
      warning('TLS', 'the certificate of the database is not checked: somebody else may answer in its place', remedy),
    ];
  return [];
}

export function judgeVersion({ versionNum, version }: ServerFacts): Judged {
  const found = `PostgreSQL ${version}`;
  if (versionNum >= OLDEST_VERSION) return ok(null, found);
  return failed(null, `${found}, expected 14 or newer`, 'upgrade the server, or name another one in DATABASE_URL');
}

export function judgeRights(rights: RightsFacts, server: ServerFacts): Judged[] {
  const { user, database, hasSchema } = rights;
  const role = `"${user.replaceAll('"', '""')}"`;
  const on = `DATABASE "${database.replaceAll('"', '""')}"`;
  const found: Judged[] = [];
  if (server.isStandby)
    found.push(failed('writing', 'the server is a standby and takes no writes', 'name the primary in DATABASE_URL'));
  if (server.isReadOnly) {
    const remedy = `ALTER ROLE ${role} RESET default_transaction_read_only (or the same of the database); some servers set it while their disk is full`;
    found.push(failed('writing', `transactions of ${user} are read-only by default`, remedy));
  }
  if (!rights.mayUseTemporary)
    found.push(
      failed('temporary tables', `${user} may not make them`, `GRANT TEMPORARY ON ${on} TO ${role}, by its owner`),
    );
  if (!hasSchema && !rights.mayCreateSchemas)
    found.push(
      failed(
        'schema pai',
        `${user} may not create schemas in ${database}`,
        `GRANT CREATE ON ${on} TO ${role}, by its owner`,
      ),
    );
  if (rights.foreignCount > 0) {
    const [one] = rights.foreign;
    const names = rights.foreign.map(({ name }) => name).join(', ');
    const found1 = `${user} does not own ${names}${rights.foreignCount > rights.foreign.length ? ` and ${rights.foreignCount - rights.foreign.length} more` : ''}; ${one?.owner} does`;
    found.push(failed('schema pai', found1, `connect as ${one?.owner}, or GRANT "${one?.owner}" TO ${role}`));
  }
  // Who does not own a table is told that already.
  else if (rights.lacksCount > 0) found.push(lacking(rights, role));
  if (found.length > 0) return found;
  return [ok(null, hasSchema ? `${user} owns the schema` : `${user} may create the schema in ${database}`)];
}

function lacking({ user, lacks, lacksCount }: RightsFacts, role: string): Judged {
  const more = lacksCount > lacks.length ? ` and ${lacksCount - lacks.length} more` : '';
  const grant = `GRANT ALL ON SCHEMA pai, analytics TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA pai, analytics TO ${role}`;
  return failed('schema pai', `${user} lacks ${lacks.join(', ')}${more}`, grant);
}

export function judgeMigrations(state: MigrationState): Judged {
  if (state.state === 'current') return ok(null, `at ${state.version}, as this version`);
  if (state.state === 'none')
    return warning(
      null,
      'the database holds no mirror yet',
      'run `pai-mirror migrate`; the first start or sync does so, too',
    );
  if (state.state === 'lost')
    return failed(
      null,
      'schema pai holds the tables of a mirror, and pai.schema_migrations, which tells of which version they are, is missing or empty',
      'restore pai.schema_migrations, or the database; or name an empty database in DATABASE_URL and mirror anew',
    );
  if (state.state === 'pending')
    return failed(
      null,
      `the database lacks ${state.tags.join(', ')}`,
      'run `pai-mirror migrate`, or start this version',
    );
  if (state.code === 'STORE_NEWER')
    return failed(
      null,
      state.message,
      'run the version that migrated it, or a newer one; migrations are never taken back',
    );
  return failed(
    null,
    state.message,
    'install pai-mirror anew from its release: released migrations are never edited, and what was applied stays applied',
  );
}

/** Nobody needs the role for mirroring: warnings only. */
export function judgeReader({ exists, mayLogIn, denied, deniedCount }: ReaderFacts): Judged {
  if (!exists)
    return warning(null, 'there is no role pai_reader', 'run `pai-mirror reader`, which makes it or says who can');
  if (deniedCount > 0) {
    const more = deniedCount > denied.length ? ` and ${deniedCount - denied.length} more` : '';
    const remedy = 'run `pai-mirror migrate` as the owner of the tables, which grants it again';
    return warning(null, `pai_reader may not read ${denied.join(', ')}${more}`, remedy);
  }
  return ok(
    null,
    mayLogIn ? 'pai_reader can log in and read' : 'pai_reader can read; it has no login (`pai-mirror reader`)',
  );
}

export function judgePartitions({ months, hasDefault, inDefault }: PartitionFacts): Judged[] {
  const missing = months.filter(({ exists }) => !exists).map(({ month }) => month);
  const thisMonth = months[0]?.month;
  const found: Judged[] = [];
  const make = 'run `pai-mirror migrate`, and see why the service could not make them (its log says "partitions")';
  if (missing.length > 0) {
    const lost = !hasDefault && missing.includes(thisMonth ?? '');
    const told = `change_events has no partition for ${missing.join(', ')}${lost ? ', and no default one: nothing can be stored' : ''}`;
    const judge = missing.includes(thisMonth ?? '') ? failed : warning;
    found.push(judge('ahead', told, make));
  }
  if (!hasDefault)
    found.push(
      warning('default', 'change_events_default is missing', 'run `pai-mirror migrate`, which makes it again'),
    );
  if (inDefault > 0) {
    const told = `change_events_default holds ${inDefault >= 1_000 ? '1,000 events or more' : `${inDefault} events`}: retention cannot drop them by month`;
    found.push(warning('default', told, 'run `pai-mirror migrate`, which moves them into partitions of their months'));
  }
  if (found.length > 0) return found;
  return [ok(null, `up to ${months.at(-1)?.month}, and the default one is empty`)];
}

export function judgeConnections(room: RoomFacts): Judged {
  const bounds = [
    { of: 'server', max: room.max, used: room.used },
    { of: 'role', max: room.roleMax, used: room.roleUsed },
    { of: 'database', max: room.databaseMax, used: room.databaseUsed },
  ].flatMap(({ of, max, used }) => (max === null ? [] : [{ of, max, used, free: max - used }]));
  const tightest = bounds.reduce((least, one) => (one.free < least.free ? one : least));
  const found = `${tightest.used} of ${tightest.max} connections of the ${tightest.of} are in use`;
  if (tightest.free >= CONNECTIONS_A_PROCESS) return ok(null, found);
  const name = (tightest.of === 'role' ? room.user : room.database).replaceAll('"', '""');
  const remedy =
    tightest.of === 'server'
      ? 'raise max_connections, or end sessions that nobody needs (pg_stat_activity)'
      : `raise the limit: ALTER ${tightest.of.toUpperCase()} "${name}" CONNECTION LIMIT ${tightest.used + 2 * CONNECTIONS_A_PROCESS}`;
  return warning(null, `${found}; one process of pai-mirror takes up to ${CONNECTIONS_A_PROCESS}`, remedy);
}

export function judgePooling(pooling: Pooling): Judged[] {
  if (pooling === 'none') return [];
  if (pooling === 'sessions') return [ok('pooler', 'a pooler stands between, and keeps sessions')];
  const found =
    'the pooler in between gives each transaction another session: locks, settings and temporary tables get lost';
  const remedy = 'let it keep sessions (PgBouncer: pool_mode = session), or name the server itself in DATABASE_URL';
  return [failed('pooler', found, remedy)];
}

export const bytesText = (bytes: number): string =>
  bytes >= 1_000 * MEGABYTE ? `${(bytes / MEGABYTE / 1_000).toFixed(1)} GB` : `${Math.round(bytes / MEGABYTE)} MB`;

const DISK_FAILED = 200 * MEGABYTE;
const DISK_WARNING = 2_000 * MEGABYTE;

/** `look`: of the embedded server. The disk of any other one cannot be seen from here. */
export function judgeDisk(databaseBytes: number | null, look: EmbeddedLook | null): Judged {
  const parts = databaseBytes === null ? [] : [`the database holds ${bytesText(databaseBytes)}`];
  if (look === null) return ok(null, [...parts, 'the free disk of its server cannot be seen from here'].join('; '));
  if (look.freeBytes === null) return ok(null, [...parts, 'how much is free cannot be told'].join('; '));
  const found = [...parts, `${bytesText(look.freeBytes)} are free at ${look.directory}`].join('; ');
  const remedy = 'make room there, move PAI_MIRROR_DATA_DIR, or let old runs go (RETENTION_*)';
  if (look.freeBytes < DISK_FAILED) return failed(null, found, remedy);
  return look.freeBytes < DISK_WARNING ? warning(null, found, remedy) : ok(null, found);
}

export function judgeDataDirectory(look: EmbeddedLook): Judged[] {
  if (look.problem !== null)
    return [
      failed(
        look.requested,
        look.problem,
        'give the user of pai-mirror that directory, or name another one in PAI_MIRROR_DATA_DIR',
      ),
    ];
  if (look.openPasswordFile !== null) {
    const found = `${look.openPasswordFile}, the password of the database, can be read by others`;
    return [failed(look.requested, found, `chmod 600 ${look.openPasswordFile}`)];
  }
  return [ok(look.requested, look.state === 'absent' ? 'a database can be made there' : 'can be written')];
}

/** Null when it runs. */
export function judgeEmbedded(look: EmbeddedLook): Judged | null {
  if (look.state === 'running' && look.connectionString !== null) return null;
  if (look.state === 'running')
    return failed(
      null,
      'the embedded PostgreSQL runs, and its password cannot be read',
      'run as the user who started it',
    );
  const found =
    look.state === 'absent' ? 'no DATABASE_URL, and no embedded database yet' : 'the embedded PostgreSQL is down';
  return warning(null, found, 'run `pai-mirror start`, which brings it up, and `pai-mirror doctor` beside it');
}
