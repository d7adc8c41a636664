/**
 * The floor of a load: PostgreSQL's own COPY of the rows that the load made, history included, into the same tables of
 * another new database, with every index, constraint, partition and trigger that they have.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.js';
import { type BenchServer, createDatabase, settleServer, withClient } from './server.js';

export interface CopyFloor {
  readonly seconds: number;
  readonly method: 'COPY' | 'INSERT … SELECT';
  /** Of the server; null where it cannot be seen. */
  readonly serverCpuSeconds: number | null;
}

export interface CopySource {
  /** Measures once more. */
  measure(): Promise<CopyFloor>;
  /** Takes the prepared files away. */
  dispose(): Promise<void>;
}

/** What a load of pipeline runs writes. Rows keep the order in which the load wrote them. */
const TABLES = ['pipeline_runs', 'change_events'] as const;

/**
 * Prepares the rows once, as files on the server's disk: reading them costs next to nothing then. A server that may not
 * write files (another machine, an ordinary role) copies from table to table instead.
 */
export async function prepareCopy(cleanup: Cleanup, server: BenchServer, sourceUrl: string): Promise<CopySource> {
  const directory = await mkdtemp(join(tmpdir(), 'pai-mirror-copy-'));
  const dispose = cleanup.add('the files of COPY', () => rm(directory, { recursive: true, force: true }));
  // The server may be another user.
  await chmod(directory, 0o777);
  const hasFiles = await writeFiles(sourceUrl, directory);
  const measure = hasFiles ? () => copyIn(cleanup, server, directory) : () => insertSelect(server, sourceUrl);
  return { measure, dispose };
}

async function writeFiles(url: string, directory: string): Promise<boolean> {
  return withClient(url, async (client) => {
    try {
      for (const table of TABLES) {
        await client.query(`COPY (SELECT * FROM pai.${table}) TO '${directory}/${table}' (FORMAT text)`);
      }
      return true;
    } catch (error) {
      const code = (error as { code?: string }).code ?? '';
      // No right to it, or no such directory where the server runs.
      if (['42501', '58P01', '42P17'].includes(code)) return false;
      throw error;
    }
  });
}

async function copyIn(cleanup: Cleanup, server: BenchServer, directory: string): Promise<CopyFloor> {
  const database = await createDatabase(cleanup, server);
  try {
    return await withClient(database.url, async (client) => {
      await client.query('SELECT pai.ensure_change_event_partitions(1)');
      await settleServer(server.adminUrl);
      return await timed(server, 'COPY', async () => {
        for (const table of TABLES) await client.query(`COPY pai.${table} FROM '${directory}/${table}' (FORMAT text)`);
      });
    });
  } finally {
    await database.drop();
  }
}

/** In the same database: a table of another one cannot be read. */
async function insertSelect(server: BenchServer, url: string): Promise<CopyFloor> {
  return withClient(url, async (client) => {
    try {
      await client.query(`
        CREATE SCHEMA bench_floor;
        CREATE TABLE bench_floor.pipeline_runs (LIKE pai.pipeline_runs INCLUDING ALL);
        CREATE TABLE bench_floor.change_events (LIKE pai.change_events INCLUDING ALL) PARTITION BY RANGE (observed_at);
        CREATE TABLE bench_floor.change_events_default PARTITION OF bench_floor.change_events DEFAULT`);
      await settleServer(server.adminUrl);
      return await timed(server, 'INSERT … SELECT', async () => {
        for (const table of TABLES) {
          await client.query(`INSERT INTO bench_floor.${table} SELECT * FROM pai.${table}`);
        }
      });
    } finally {
      await client.query('DROP SCHEMA IF EXISTS bench_floor CASCADE');
    }
  });
}

async function timed(server: BenchServer, method: CopyFloor['method'], work: () => Promise<void>): Promise<CopyFloor> {
  const cpuBefore = await server.cpuSeconds();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  const cpuAfter = await server.cpuSeconds();
  const serverCpuSeconds = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
  return { seconds, method, serverCpuSeconds };
}
