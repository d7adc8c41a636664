import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import { pauseBeforeRestart, superviseServer } from '../../src/embedded/supervisor.js';
import { capturingLogger } from '../support/logger.js';
import { scratchDirectory } from '../support/scratch.js';

import { isAlive, query, until } from './postgres-helpers.js';

let base: string;
beforeAll(async () => {
  base = await scratchDirectory('supervisor');
});
afterAll(() => rm(base, { recursive: true, force: true }));

it('invariant 9: pauses between the starts of a server that does not stay grow to a minute', () => {
  const pauses = Array.from({ length: 12 }, (_, restarts) => pauseBeforeRestart(restarts) / 1000);
  expect(pauses).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
});

it('a postmaster that is killed is started again, on its port and with all that was committed', async () => {
  const logger = capturingLogger();
  const places = { systemPlaces: [join(base, 'system')] };
  const server = await startEmbeddedPostgres({ dataDir: join(base, 'data'), logger, ...places });
  const other = await startEmbeddedPostgres({ dataDir: join(base, 'data'), logger, ...places });
  onTestFinished(async () => {
    await server.stop();
    await other.stop();
  });
  await query(server.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const before = server.pid;
  process.kill(before, 'SIGKILL');
  await until('another server runs', async () => server.pid !== before && other.pid === server.pid);
  expect(await query(server.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  expect(logger.messages('error')).toContain('the embedded PostgreSQL has ended: starting it again');

  await server.stop();
  await other.stop();
  expect(await isAlive(other.pid)).toBe(false);
  await delay(1_500);
  expect(await isAlive(other.pid), 'nobody starts it after it was stopped').toBe(false);
});

it('says each time why the server cannot be started, and goes on trying', async () => {
  const logger = capturingLogger();
  let tries = 0;
  const watch = superviseServer(
    {
      isUp: async () => tries === 2,
      restart: async () => {
        tries += 1;
        if (tries === 1) throw new Error('no space left on device');
      },
    },
    logger,
  );
  onTestFinished(() => watch.stop());
  await until('it was started twice', () => tries === 2);
  expect(logger.messages('error')).toEqual([
    'the embedded PostgreSQL has ended: starting it again',
    'cannot start it again: no space left on device',
    'the embedded PostgreSQL has ended: starting it again',
  ]);
  await delay(1_500);
  expect(tries, 'a server that is up is left alone').toBe(2);
});
