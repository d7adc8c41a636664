import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { commandLineOf } from '../../src/embedded/process-identity.js';

export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/** False for a zombie, too: a server whose parent was killed may never be waited for. */
export const isAlive = async (pid: number): Promise<boolean> => (await commandLineOf(pid)) !== null;

/** Ten seconds at most; then it throws. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(20)) if (await holds()) return;
  throw new Error(`not so after 10 seconds: ${what}`);
}

/** Takes a port of the loopback address (0: any) away from everyone else. */
export async function occupyPort(port: number): Promise<{ port: number; free(): Promise<void> }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    free: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
