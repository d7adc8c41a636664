import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { scratchDirectory } from '../support/scratch.js';
import { type Checkout, isRoot, makeCheckout, type ServiceProcess } from './checkout.js';
import { isAlive, query, until } from './postgres-helpers.js';

/** How many moments of the first second a process is killed at; five in the long form (`npm run test:properties`). */
const KILLS = Number(process.env.TEST_START_KILLS ?? 2);
const MOMENTS = Array.from({ length: KILLS }, (_, index) => Math.round((1_000 * (index + 1)) / KILLS));

let checkout: Checkout;
let base: string;
let options: { dataDir: string; systemPlaces: string[]; durable?: boolean };
const services: ServiceProcess[] = [];

async function start(): Promise<ServiceProcess> {
  const service = await checkout.start(options);
  services.push(service);
  return service;
}

beforeAll(async () => {
  [checkout, base] = await Promise.all([makeCheckout(), scratchDirectory('processes')]);
});
afterAll(async () => {
  await checkout.remove();
  await rm(base, { recursive: true, force: true });
});
beforeEach(({ task }) => {
  options = { dataDir: join(base, task.id.replaceAll(/\W/g, '_')), systemPlaces: [join(base, 'system')] };
});
/** Whatever a test has done to the processes: no server outlives it. (One that was stopped has taken its note away.) */
afterEach(async () => {
  for (const service of services.splice(0)) if (service.child.exitCode === null) await service.kill();
  if (!existsSync(join(options.dataDir, 'cluster', 'postmaster.pid'))) return;
  const last = await checkout.start(options).catch(() => null);
  await last?.end();
});

describe('several processes', () => {
  test('use one server, and the last one out stops it', async () => {
    const one = await start();
    const other = await start();
    expect(other.answer).toEqual({ ...one.answer, started: false });
    await one.end();
    expect(await query(other.answer.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await other.end();
    expect(await isAlive(one.answer.pid)).toBe(false);
  });

  test('that start at the same moment create one cluster and start one server', async () => {
    const all = await Promise.all([start(), start(), start(), start()]);
    expect(new Set(all.map((service) => service.answer.connectionString)).size).toBe(1);
    expect(all.filter((service) => service.answer.started)).toHaveLength(1);
    await Promise.all(all.map((service) => service.end()));
    expect(await isAlive(all[0]?.answer.pid as number)).toBe(false);
  });

  test('do not let a killed one keep the server up', async () => {
    const killed = await start();
    const other = await start();
    await killed.kill();
    await other.end();
    expect(await isAlive(other.answer.pid)).toBe(false);
  });
});

describe('a signal', () => {
  test('of the terminal (Ctrl-C, to the whole group) does not reach the server', async () => {
    const service = await start();
    process.kill(-(service.child.pid as number), 'SIGINT');
    await delay(300);
    expect(await query(service.answer.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('KILL to the service leaves a server that the next start adopts, with all that was committed', async () => {
    const first = await start();
    await query(first.answer.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.kill();
    expect(await isAlive(first.answer.pid)).toBe(true);
    const second = await start();
    expect(second.answer).toEqual({ ...first.answer, started: false });
    expect(await query(second.answer.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('KILL to service and postmaster loses nothing: the next start recovers', async () => {
    const first = await start();
    await query(first.answer.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.kill();
    process.kill(first.answer.pid, 'SIGKILL');
    const second = await start();
    expect(second.answer.started).toBe(true);
    expect(second.answer.connectionString).toBe(first.answer.connectionString);
    expect(await query(second.answer.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(await readFile(join(options.dataDir, 'server.log'), 'utf8')).toContain('not properly shut down');
  });

  test('KILL at any moment of the first start leaves nothing that the next start trips over', async () => {
    options = { ...options, durable: false };
    for (const millis of MOMENTS) {
      const child = checkout.launch(options);
      await delay(millis);
      child.kill('SIGKILL');
      await until('the process is gone', () => child.signalCode !== null || child.exitCode !== null);
      const service = await start();
      expect(await query(service.answer.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await service.end();
      await rm(options.dataDir, { recursive: true });
    }
  });
});

describe('a stale postmaster.pid', () => {
  test('whose pid now belongs to another program does not stop the start', async () => {
    const first = await start();
    await first.kill();
    const path = join(options.dataDir, 'cluster', 'postmaster.pid');
    const lines = (await readFile(path, 'utf8')).split('\n');
    process.kill(first.answer.pid, 'SIGKILL');
    await until('the server is gone', async () => !(await isAlive(first.answer.pid)));
    // Of the server's own user: of other users' processes PostgreSQL knows that they are no servers of its own.
    const { uid, gid } = await stat(join(options.dataDir, 'cluster'));
    const program = spawn('sleep', ['60'], isRoot ? { uid, gid } : {});
    try {
      await writeFile(path, [program.pid, ...lines.slice(1)].join('\n'));
      const second = await start();
      expect(second.answer.started).toBe(true);
      expect(second.answer.connectionString).toBe(first.answer.connectionString);
    } finally {
      program.kill();
    }
  });
});
