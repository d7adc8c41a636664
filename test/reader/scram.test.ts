import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withSuperuser } from '../../src/embedded/admin.js';
import { scramVerifier } from '../../src/store/scram.js';
import { startOwnServer } from '../support/own-server.js';

test('a verifier made here is, byte for byte, the one that PostgreSQL makes of the same password and salt', async () => {
  const password = 'pa$$ word with \'quotes" and \\ in it';
  const server = await startOwnServer();
  await withSuperuser(join(server.dataDirectory, 'cluster'), server.port, async (client) => {
    await client.query(`create role someone password ${client.escapeLiteral(password)}`);
    const { rows } = await client.query<{ stored: string }>(
      `select rolpassword as stored from pg_authid where rolname = 'someone'`,
    );
    const stored = rows[0]?.stored ?? '';
    const salt = /^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(stored)?.[1] ?? '';
    expect(scramVerifier(password, Buffer.from(salt, 'base64'))).toBe(stored);
  });
});

test('every verifier has a salt of its own, and nothing of the password', () => {
  const [one, other] = [scramVerifier('correct horse'), scramVerifier('correct horse')];
  expect(one).not.toBe(other);
  expect(one).not.toContain('horse');
});
