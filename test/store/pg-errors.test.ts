import { describe, expect, it } from 'vitest';
import { isNotThere, storeError } from '../../src/store/pg-errors.js';

const thrown = (message: string, code?: string): Error => Object.assign(new Error(message), code ? { code } : {});
const told = (message: string, code?: string) => storeError('committing nodes in cn-test:1', thrown(message, code));

describe('a database error', () => {
  it.each([
    ['53100', 'could not extend file: No space left on device', 'STORE_DISK_FULL', /disk is full: nothing was written/],
    ['53200', 'out of memory', 'STORE_OUT_OF_MEMORY', /server is out of memory/],
    ['53300', 'sorry, too many clients already', 'STORE_TOO_MANY_CONNECTIONS', /raise max_connections/],
    ['57P03', 'the database system is starting up', 'STORE_STARTING', /starting, stopping or recovering/],
    ['57P01', 'terminating connection due to administrator command', 'STORE_UNAVAILABLE', /tries again by itself/],
    ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432', 'STORE_UNAVAILABLE', /tries again by itself/],
    ['58030', 'could not read block 7: Input/output error', 'STORE_IO', /disk fails to read or write/],
    ['25006', 'cannot execute INSERT in a read-only transaction', 'STORE_READ_ONLY', /takes no writes/],
    ['28P01', 'password authentication failed for user "mirror"', 'STORE_LOGIN', /user and password of DATABASE_URL/],
    ['3D000', 'database "nowhere" does not exist', 'STORE_LOGIN', /create it/],
    ['XX001', 'invalid page in block 3', 'STORE_CORRUPT', /REINDEX/],
    ['XX002', 'index "x" contains unexpected zero page', 'STORE_CORRUPT', /REINDEX/],
  ])('%s names what was tried, what the server said, and what to do', (sqlState, message, code, hint) => {
    const error = told(message, sqlState);
    expect(error.code).toBe(code);
    expect(error.message).toContain(`committing nodes in cn-test:1: ${message} (${sqlState})`);
    expect(error.message).toMatch(hint);
  });

  it('tells a time-out of the pool from a connection that broke', () => {
    expect(told('timeout exceeded when trying to connect').message).toMatch(/does not answer, or every connection/);
    expect(told('Connection terminated unexpectedly').message).toMatch(/tries again by itself/);
  });

  it.each([
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN', message: 'self-signed certificate in certificate chain' }, /sslrootcert/],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: 'Hostname/IP does not match' }, /sslrootcert/],
    [{ message: 'The server does not support SSL connections' }, /sslmode=disable/],
    [{ code: 'ENOENT', syscall: 'open', message: 'ENOENT: no such file or directory, open /ca.pem' }, /sslrootcert/],
    [{ message: 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string' }, /has no password/],
  ])('says what to correct where TLS or the address is wrong, and is not waited for: %o', (fields, hint) => {
    const error = storeError('connecting', Object.assign(new Error(fields.message), fields));
    expect(error.message).toMatch(hint);
    expect(error.retryable).toBe(false);
    expect(isNotThere(error)).toBe(false);
  });

  it('takes a socket that is not there for a server that is not there', () => {
    const fields = { code: 'ENOENT', syscall: 'connect' };
    const error = storeError('connecting', Object.assign(new Error('connect ENOENT /run/.s.PGSQL.5432'), fields));
    expect(isNotThere(error)).toBe(true);
  });

  it('is worth waiting for when it passes by itself, and not when somebody has to correct something', () => {
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', '57P03', '53300', '57P01'])
      expect(isNotThere(told('x', code)), code).toBe(true);
    for (const code of ['28P01', '28000', '3D000', '42501', '53100', '25006'])
      expect(isNotThere(told('x', code)), code).toBe(false);
  });
});
