import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PaiClient, type PaiClientOptions } from '../../src/pai/client.js';
import { staticCredentials } from '../../src/pai/credentials.js';
import { type Clock, systemClock } from '../../src/util/clock.js';
import { silentLogger } from '../../src/util/logger.js';

export const KEYS = { accessKeyId: 'test-id', accessKeySecret: 'test-secret-never-shown', securityToken: null };
export const SCOPE = { region: 'cn-shanghai', workspaceId: '15945' };
export const PAGE = { pageNumber: 1, pageSize: 100, sortBy: 'GmtModifiedTime', order: 'DESC' } as const;

export const sample = (operation: string): string =>
  readFileSync(new URL(`../fixtures/samples/${operation}.json`, import.meta.url), 'utf8');

/** A request as the server saw it, with its whole body. */
export interface Seen {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Of the client's end of the connection: equal for requests that shared a socket. */
  readonly port: number;
}

export interface Upstream {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly server: Server;
  readonly seen: Seen[];
  close(): Promise<void>;
}

/** Writes the answer to the n-th request (from 0). */
export type Script = (response: ServerResponse, seen: Seen, index: number) => void;

/** A PAI of a few lines, over real HTTP. */
export async function startUpstream(script: Script): Promise<Upstream> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(chunks).toString();
      seen.push({ method, url, headers, body, port: request.socket.remotePort ?? 0 });
      script(response, seen.at(-1) as Seen, seen.length - 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, seen, close };
}

export const json = (response: ServerResponse, body: string | object, status = 200, headers: object = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

/** A client without limits, pauses and randomness. */
export const clientOf = (upstream: Pick<Upstream, 'url'>, options: Partial<PaiClientOptions> = {}): PaiClient =>
  new PaiClient({
    credentials: staticCredentials(KEYS),
    endpoints: () => upstream.url,
    clock: systemClock,
    logger: silentLogger,
    limits: { flow: 0, listRuns: 0, listWorkspaces: 0 },
    retry: { attempts: 5, baseMs: 0, capMs: 0 },
    ...options,
  });

export const never = (): AbortSignal => new AbortController().signal;

/** Time that passes only when someone sleeps; sleepers wake in the order of their times. */
export class FakeClock implements Clock {
  readonly slept: number[] = [];
  private millis = Date.parse('2026-01-01T00:00:00Z');
  private sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.millis;
  }

  set(millis: number): void {
    this.millis = millis;
  }

  sleep(millis: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(millis);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.sleepers.push({ until: this.millis + millis, wake: resolve });
    });
  }

  /** Lets everything that can run without waiting run, then wakes the next sleeper, until `done` or nobody sleeps. */
  async run(done: () => boolean): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (done() || this.sleepers.length === 0) return;
      this.sleepers.sort((a, b) => a.until - b.until);
      const next = this.sleepers.shift();
      this.millis = Math.max(this.millis, next?.until ?? 0);
      next?.wake();
    }
  }
}
