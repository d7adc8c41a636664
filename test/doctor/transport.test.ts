/** Whether anybody between the mirror and its database could read or change what they say. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { judgeTransport } from '../../src/cli/doctor/judge-database.js';
import { transportOf } from '../../src/store/inspect/transport.js';
import { createPool } from '../../src/store/pool.js';

const before = process.env.PGSSLMODE;
afterEach(() => {
  if (before === undefined) delete process.env.PGSSLMODE;
  else process.env.PGSSLMODE = before;
});

const at = (host: string, query = ''): string => `postgresql://u:secret@${host}/d${query}`;

describe('the way to the database', () => {
  test.each([
    ['db.example.com:5432', '', 'plain'],
    ['10.0.0.7', '?sslmode=disable', 'plain'],
    ['db.example.com', '?sslmode=verify-full', 'verified'],
    // pg 8 is stricter with these than libpq, which would take any certificate; a slip of the pen is no open door either.
    ['db.example.com', '?sslmode=require', 'verified'],
    ['db.example.com', '?sslmode=prefer', 'verified'],
    ['db.example.com', '?sslmode=verify_full', 'verified'],
    ['db.example.com', '?ssl=true', 'verified'],
    ['db.example.com', '?sslmode=no-verify', 'unverified'],
    ['db.example.com', '?uselibpqcompat=true&sslmode=require', 'unverified'],
    ['127.0.0.1:5433', '', 'local'],
    ['localhost', '', 'local'],
    ['[::1]:5432', '', 'local'],
    ['', '?host=/var/run/postgresql', 'local'],
    ['127.0.0.1.example.com', '', 'plain'],
  ])('of %s%s is %s', (host, query, expected) => {
    delete process.env.PGSSLMODE;
    expect(transportOf(at(host, query))).toBe(expected);
  });

  test('follows PGSSLMODE where the address says nothing, as pg does', () => {
    process.env.PGSSLMODE = 'verify-full';
    expect(transportOf(at('db.example.com'))).toBe('verified');
    expect(transportOf(at('db.example.com', '?sslmode=disable'))).toBe('plain');
  });

  test.each(['verify-full', 'require', 'prefer', 'verify_full', 'no-verify'])(
    'of sslmode=%s never goes on without TLS where the server, or who answers in its place, has none',
    async (mode) => {
      delete process.env.PGSSLMODE;
      const heard: Buffer[] = [];
      const server = createServer((socket) => {
        socket.on('error', () => {});
        // N: no TLS here. What comes after it would be the name of the user, and the password if it was asked for.
        socket.on('data', (data) => {
          heard.push(data);
          socket.write('N');
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const pool = createPool({ connectionString: `${at(`127.0.0.1:${port}`)}?sslmode=${mode}` });
      await expect(pool.query('select 1')).rejects.toThrow(/does not support SSL/);
      await pool.end();
      server.close();
      expect(Buffer.concat(heard).toString('hex')).toBe('0000000804d2162f');
    },
  );

  test('is warned of when it is open, with what to write; a network of one’s own is a good reason for that', () => {
    for (const transport of ['plain', 'unverified'] as const)
      expect(judgeTransport(transport)).toEqual([
        expect.objectContaining({ subject: 'TLS', verdict: 'warning', remedy: expect.stringContaining('verify-full') }),
      ]);
    expect([...judgeTransport('local'), ...judgeTransport('verified')]).toEqual([]);
  });
});
