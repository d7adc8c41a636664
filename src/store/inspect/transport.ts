/** How connections to the database are kept from others: what `pg` makes of a connection string, and of PGSSLMODE. */
import pg from 'pg';
import { isLoopback } from '../../domain/endpoint.js';

/**
 * `local`: a socket, or an address of this machine. `verified`: TLS, and the server has to show a certificate of its name.
 * `unverified`: TLS with whoever answers. `plain`: anybody on the way can read and change everything.
 */
export type Transport = 'local' | 'verified' | 'unverified' | 'plain';

interface Resolved {
  readonly host: string;
  readonly ssl: boolean | { readonly rejectUnauthorized?: boolean } | undefined;
}

/** Connects to nothing. Throws when a file that the string names (sslrootcert …) cannot be read. */
export function transportOf(connectionString: string): Transport {
  // What is resolved from string and environment is no part of its types.
  const { host, ssl } = new pg.Client({ connectionString }) as unknown as Resolved;
  if (host.startsWith('/') || isLoopback(host)) return 'local';
  if (!ssl) return 'plain';
  return ssl !== true && ssl.rejectUnauthorized === false ? 'unverified' : 'verified';
}
