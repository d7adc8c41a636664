import pg from 'pg';
import { expect, test } from 'vitest';
import { dataSourceOf, readerAddress } from '../../src/store/reader-address.js';

/** As the client reads it. */
const readBy = (address: string) => {
  const { user, password, host, port, database } = new pg.Client(address);
  return { user, password, host, port, database };
};

test.each([
  ['postgresql://pai_mirror:secret@db.internal:6543/pai', { host: 'db.internal', port: 6543, database: 'pai' }],
  ['postgres://owner@db.internal/pai?sslmode=disable', { host: 'db.internal', port: 5432, database: 'pai' }],
  [
    'postgresql://db/pai?user=owner&password=secret&options=-crole%3Downer',
    { host: 'db', port: 5432, database: 'pai' },
  ],
  [
    'postgresql:///pai?host=/run/postgresql&user=owner&password=secret',
    { host: '/run/postgresql', port: 5432, database: 'pai' },
  ],
  ['postgresql://owner:secret@%2Frun%2Fpostgresql/pai', { host: '/run/postgresql', port: 5432, database: 'pai' }],
])('the reader logs in at the address of the mirror with its own name and password: %s', (address, place) => {
  for (const password of ['plain-password', 'p:a/s?s#w%o@r d&=+']) {
    const reader = readerAddress(address, password);
    expect(readBy(reader)).toEqual({ ...place, user: 'pai_reader', password });
    expect(reader).not.toMatch(/secret|owner/);
  }
  expect(readerAddress(address, null)).not.toMatch(/secret|owner|password/);
});

test('what has to do with the connection and not with the owner stays', () => {
  const address = readerAddress(
    'postgresql://o:p@db/pai?sslmode=verify-full&sslrootcert=/ca.pem&sslkey=/owner.key',
    'x',
  );
  expect(address).toBe('postgresql://pai_reader:x@db/pai?sslmode=verify-full&sslrootcert=%2Fca.pem');
});

test('a data source has the words that Grafana asks for', () => {
  expect(dataSourceOf('postgresql://o:p@db.internal/pai?sslmode=verify-ca')).toEqual({
    host: 'db.internal:5432',
    database: 'pai',
    user: 'pai_reader',
    sslMode: 'verify-ca',
  });
  expect(dataSourceOf('postgresql://o:p@127.0.0.1:5433/pai').sslMode).toBe('disable');
  // A mode that Grafana does not know leaves the choice to the server; the safe side of it is encryption.
  expect(dataSourceOf('postgresql://o:p@db/pai?sslmode=prefer').sslMode).toBe('require');
  expect(dataSourceOf('postgresql:///pai?host=/run/postgresql').host).toBe('/run/postgresql');
  expect(dataSourceOf('postgresql://owner@db').database).toBe('owner');
});
