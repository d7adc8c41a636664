/** Where people log in as the reader: the mirror's own address with another user. Pure. */
import { READER } from './reader-role.js';

/** Parameters by which an address can name user and password as well, and those that are about the owner. */
const OWNERS = ['user', 'password', 'options', 'application_name', 'sslcert', 'sslkey', 'sslpassword', 'passfile'];

/** `postgresql://pai_reader[:password]@host:port/database`; parameters that are not about the owner stay. */
export function readerAddress(connectionString: string, password: string | null): string {
  const url = new URL(connectionString);
  for (const name of OWNERS) url.searchParams.delete(name);
  if (url.hostname === '') return withParameters(url, password);
  url.username = READER;
  url.password = password === null ? '' : encodeURIComponent(password);
  return url.href;
}

/** An address without a host (`postgresql:///db?host=/run/postgresql`) cannot carry a user before it. */
function withParameters(url: URL, password: string | null): string {
  url.searchParams.set('user', READER);
  if (password !== null) url.searchParams.set('password', password);
  return url.href;
}

/** What Grafana's form for a PostgreSQL data source asks for. */
export interface DataSource {
  /** `host:port`, or the directory of a socket. */
  readonly host: string;
  readonly database: string;
  readonly user: string;
  /** `disable`, `require`, `verify-ca` or `verify-full`: Grafana knows no others. */
  readonly sslMode: string;
}

const GRAFANA_SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];

/** The owner's own name is the default of a database that is not named, as for every client of PostgreSQL. */
export function dataSourceOf(connectionString: string): DataSource {
  const url = new URL(connectionString);
  const asked = url.searchParams.get('sslmode') ?? 'disable';
  const host = decodeURIComponent(url.hostname) || (url.searchParams.get('host') ?? 'localhost');
  const port = url.port || (url.searchParams.get('port') ?? '5432');
  const owner = decodeURIComponent(url.username) || (url.searchParams.get('user') ?? '');
  return {
    host: host.startsWith('/') ? host : `${host}:${port}`,
    database: decodeURIComponent(url.pathname.slice(1)) || owner,
    user: READER,
    // `prefer` and `allow` leave it to the server.
    sslMode: GRAFANA_SSL_MODES.includes(asked) ? asked : 'require',
  };
}
