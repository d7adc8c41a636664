import { createHash, createHmac } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import type { ClientRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import OpenApiUtil from '@alicloud/openapi-util';
import { afterEach, expect, test } from 'vitest';
import { describeError } from '../../src/domain/errors.js';
import { staticCredentials } from '../../src/pai/credentials.js';
import {
  clientOf,
  json,
  KEYS,
  never,
  PAGE,
  SCOPE,
  type Script,
  type Seen,
  startUpstream,
  type Upstream,
} from './support.js';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const upstream of opened.splice(0)) await upstream.close();
});

async function serve(script: Script): Promise<Upstream> {
  const upstream = await startUpstream(script);
  opened.push(upstream);
  return upstream;
}

const EMPTY = { RequestId: 'R', PipelineRuns: [], TotalCount: 0 };
const ONCE = { attempts: 1, baseMs: 0, capMs: 0 };

/** ACS3-HMAC-SHA256, written from its description and not from the client. */
function expectedSignature(seen: Seen, secret: string): string {
  const [path, query = ''] = seen.url.split('?');
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const sorted = [...new URLSearchParams(query)].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
  const names = Object.keys(seen.headers)
    .filter((name) => name === 'host' || name === 'content-type' || name.startsWith('x-acs-'))
    .sort();
  const headers = names.map((name) => `${name}:${String(seen.headers[name]).trim()}\n`).join('');
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const canonical = [seen.method, path, sorted.join('&'), headers, names.join(';'), sha256(seen.body)].join('\n');
  const toSign = `ACS3-HMAC-SHA256\n${sha256(canonical)}`;
  const signature = createHmac('sha256', secret).update(toSign).digest('hex');
  return `ACS3-HMAC-SHA256 Credential=${KEYS.accessKeyId},SignedHeaders=${names.join(';')},Signature=${signature}`;
}

/** The same by the helper that Alibaba Cloud publishes. */
function oracleSignature(seen: Seen, secret: string): string {
  const [pathname, query = ''] = seen.url.split('?');
  const request = {
    method: seen.method,
    pathname,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers: seen.headers,
  };
  const util = ('default' in OpenApiUtil ? OpenApiUtil.default : OpenApiUtil) as typeof OpenApiUtil.default;
  const payload = createHash('sha256').update(seen.body).digest('hex');
  return util.getAuthorization(request as never, 'ACS3-HMAC-SHA256', payload, KEYS.accessKeyId, secret);
}

test('every request carries a signature that two independent computations agree with', async () => {
  const upstream = await serve((response, seen) =>
    json(
      response,
      seen.url.includes('/nodes/') ? { Status: [] } : seen.url.includes('flow-') ? { PipelineRunId: 'x' } : {},
    ),
  );
  const client = clientOf(upstream);
  await client.listPipelineRuns(SCOPE, PAGE, never());
  await client.listPipelineRunsStatus(SCOPE, { pipelineRunIds: ['flow-ä', 'flow-2'] }, never());
  await client.getPipelineRun(SCOPE, 'flow-j94y**********lf7a', never());
  const node = { pipelineRunId: "flow-1 +~!'()/?#%", nodeId: 'node-ü*', depth: 10, type: 'Logical' };
  await client.listPipelineRunNodeStatus(SCOPE, node, never());
  await client.listRuns(SCOPE, { pageToken: '7', maxResults: 100 }, never());
  expect(upstream.seen).toHaveLength(5);
  for (const seen of upstream.seen) {
    expect(seen.headers.authorization).toBe(expectedSignature(seen, KEYS.accessKeySecret));
    expect(seen.headers.authorization).toBe(oracleSignature(seen, KEYS.accessKeySecret));
    expect(seen.headers['x-acs-content-sha256']).toBe(createHash('sha256').update(seen.body).digest('hex'));
  }
});

test('a security token is sent and signed', async () => {
  const upstream = await serve((response) => json(response, EMPTY));
  const credentials = staticCredentials({ ...KEYS, securityToken: 'session-token' });
  await clientOf(upstream, { credentials }).listPipelineRuns(SCOPE, PAGE, never());
  const [seen] = upstream.seen;
  expect(seen?.headers['x-acs-security-token']).toBe('session-token');
  expect(seen?.headers.authorization).toContain('x-acs-security-token');
  expect(seen?.headers.authorization).toBe(expectedSignature(seen as Seen, KEYS.accessKeySecret));
});

test('ids are encoded in the path so that no character of them can change it', async () => {
  const upstream = await serve((response) => json(response, { Status: [] }));
  const node = { pipelineRunId: 'a/../b?c#d', nodeId: "n*1'(é)", depth: 1, type: 'Logical' };
  await clientOf(upstream).listPipelineRunNodeStatus(SCOPE, node, never());
  expect(upstream.seen[0]?.url).toBe(
    '/api/v1/pipelineruns/a%2F..%2Fb%3Fc%23d/nodes/n%2A1%27%28%C3%A9%29/status?Depth=1&Type=Logical',
  );
});

test.each(['', '.', '..', '\ud800'])(
  'the id %j, which would address something else, is refused without a call',
  async (id) => {
    const upstream = await serve((response) => json(response, {}));
    const client = clientOf(upstream);
    await expect(client.getPipelineRun(SCOPE, id, never())).rejects.toMatchObject({
      code: 'PAI_INVALID_REQUEST',
      blast: 'item',
      retryable: false,
    });
    expect(upstream.seen).toHaveLength(0);
  },
);

test('a server that accepts and never answers ends the call at its deadline, and loses its socket', async () => {
  const closed: Promise<void>[] = [];
  const upstream = await serve(() => {});
  upstream.server.on('connection', (socket) =>
    closed.push(new Promise((resolve) => socket.on('close', () => resolve()))),
  );
  const call = clientOf(upstream, { callTimeoutMs: 150, retry: ONCE }).listPipelineRuns(SCOPE, PAGE, never());
  await expect(call).rejects.toMatchObject({
    code: 'PAI_TIMEOUT',
    retryable: true,
    blast: 'scope',
    httpStatus: null,
    message: 'ListPipelineRuns in cn-shanghai failed: no complete answer within 150 ms (request id unknown, 1 attempt)',
  });
  expect(closed).toHaveLength(1);
  await closed[0];
});

test.each([
  ['a 2xx body', 200],
  ['an error body', 503],
])('%s that drips for ever ends at the deadline, also on a reused socket', async (_, status) => {
  const timers: NodeJS.Timeout[] = [];
  const closed: Promise<void>[] = [];
  const upstream = await serve((response, _seen, index) => {
    if (index === 0) return json(response, EMPTY);
    response.writeHead(status, { 'content-type': 'application/json' });
    timers.push(setInterval(() => response.write(' '), 20));
    closed.push(new Promise((resolve) => response.on('close', () => resolve())));
  });
  const client = clientOf(upstream, { callTimeoutMs: 300, retry: ONCE });
  await client.listPipelineRuns(SCOPE, PAGE, never());
  await expect(client.listPipelineRuns(SCOPE, PAGE, never())).rejects.toMatchObject({
    code: 'PAI_TIMEOUT',
    httpStatus: status,
  });
  expect(upstream.seen[1]?.port).toBe(upstream.seen[0]?.port);
  await closed[0];
  for (const timer of timers) clearInterval(timer);
});

/** A server below HTTP: sees what the client does with the connection itself. */
async function rawServer(onConnection: (socket: Socket) => void) {
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
  return (server.address() as AddressInfo).port;
}

test('an https endpoint is spoken to in TLS, and a handshake that never ends is ended', async () => {
  let first = -1;
  let gone: Promise<void> = Promise.resolve();
  const port = await rawServer((socket) => {
    gone = new Promise((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      first = bytes[0] ?? -1;
    });
  });
  const client = clientOf({ url: `127.0.0.1:${port}` }, { callTimeoutMs: 200, retry: ONCE });
  const subject = { pipelineRunIds: ['flow-1'] };
  await expect(client.listPipelineRunsStatus(SCOPE, subject, never())).rejects.toMatchObject({ code: 'PAI_TIMEOUT' });
  await gone;
  expect(first).toBe(0x16); // a TLS handshake record
});

test.each([
  ['with a length', 'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"RequestId": "R", "Pipel'],
  ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n'],
])('a body that is cut off %s is a failed call, never a short answer', async (_, bytes) => {
  const port = await rawServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(bytes));
  });
  const call = clientOf({ url: `http://127.0.0.1:${port}` }, { retry: ONCE }).listPipelineRuns(SCOPE, PAGE, never());
  await expect(call).rejects.toMatchObject({ code: 'PAI_NETWORK', retryable: true, httpStatus: 200 });
});

test('a body cut off without a length is not JSON and so a failed call', async () => {
  const port = await rawServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"RequestId": "R", "Pipel'));
  });
  const call = clientOf({ url: `http://127.0.0.1:${port}` }, { retry: ONCE }).listPipelineRuns(SCOPE, PAGE, never());
  await expect(call).rejects.toMatchObject({ code: 'PAI_BAD_ANSWER', retryable: true, httpStatus: 200 });
});

test('a connection that is reset is a failed call that can be retried', async () => {
  const port = await rawServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.resetAndDestroy());
  });
  const call = clientOf({ url: `http://127.0.0.1:${port}` }, { retry: ONCE }).listPipelineRuns(SCOPE, PAGE, never());
  await expect(call).rejects.toMatchObject({ code: 'PAI_NETWORK', retryable: true, httpStatus: null });
  const told = describeError(await call.catch((error: unknown) => error));
  expect(told).toMatch(/ECONNRESET.*: read ECONNRESET$/);
});

test('an abort rejects with the reason of the signal and closes the socket', async () => {
  const abort = new AbortController();
  const reason = new Error('shutting down');
  let closed: Promise<void> = Promise.resolve();
  const upstream = await serve((response) => {
    closed = new Promise((resolve) => response.on('close', () => resolve()));
    abort.abort(reason);
  });
  await expect(clientOf(upstream).listPipelineRuns(SCOPE, PAGE, abort.signal)).rejects.toBe(reason);
  await closed;
  expect(upstream.seen).toHaveLength(1);
  expect(reason.message).toBe('shutting down');
});

test('a signal that is aborted already makes no call', async () => {
  const upstream = await serve((response) => json(response, EMPTY));
  const signal = AbortSignal.abort('stop');
  await expect(clientOf(upstream).listPipelineRuns(SCOPE, PAGE, signal)).rejects.toBe('stop');
  expect(upstream.seen).toHaveLength(0);
});

test('calls one after the other share one connection', async () => {
  const upstream = await serve((response) => json(response, EMPTY));
  const client = clientOf(upstream);
  for (let call = 0; call < 5; call += 1) await client.listPipelineRuns(SCOPE, PAGE, never());
  expect(new Set(upstream.seen.map((seen) => seen.port)).size).toBe(1);
});

test('hundreds of calls may share one signal, leave nothing behind on it, and Node.js warns of no leak', async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => void warnings.push(warning);
  process.on('warning', listen);
  const upstream = await serve((response) => json(response, EMPTY));
  const client = clientOf(upstream);
  const signal = never();
  await Promise.all(Array.from({ length: 200 }, () => client.listPipelineRuns(SCOPE, PAGE, signal)));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(warnings).toEqual([]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a finished call leaves no timer behind on its socket that could end a later one', async () => {
  const sockets: (Socket | null)[] = [];
  const onStart = (message: unknown) => void sockets.push((message as { request: ClientRequest }).request.socket);
  subscribe('http.client.request.start', onStart);
  const upstream = await serve((response) => json(response, EMPTY));
  await clientOf(upstream).listPipelineRuns(SCOPE, PAGE, never());
  unsubscribe('http.client.request.start', onStart);
  const socket = sockets[0] as unknown as Record<symbol, { hasRef(): boolean; _destroyed: boolean }>;
  const timers = Object.getOwnPropertySymbols(socket).filter((symbol) => symbol.description === 'TIMER::READ_TIMER');
  expect(timers.map((symbol) => socket[symbol]?._destroyed)).toEqual([true]);
});

test('a finished call keeps no timer running that would hold the process', async () => {
  const upstream = await serve((response) => json(response, EMPTY));
  const client = clientOf(upstream, { callTimeoutMs: 3_600_000 });
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  for (let call = 0; call < 20; call += 1) await client.listPipelineRuns(SCOPE, PAGE, never());
  // The server's and the agent's sockets may have a few of their own.
  expect(timers()).toBeLessThan(before + 10);
});

test('no more calls are under way at once than allowed, and an abort frees those that wait', async () => {
  let now = 0;
  let most = 0;
  const held: (() => void)[] = [];
  const upstream = await serve((response) => {
    most = Math.max(most, ++now);
    held.push(() => {
      now -= 1;
      json(response, EMPTY);
    });
    if (held.length === 3) for (const release of held.splice(0)) release();
  });
  const client = clientOf(upstream, { maxCalls: 3 });
  await Promise.all(Array.from({ length: 12 }, () => client.listPipelineRuns(SCOPE, PAGE, never())));
  expect(most).toBe(3);
  const abort = new AbortController();
  const waiting = Array.from({ length: 2 }, () => client.listPipelineRuns(SCOPE, PAGE, abort.signal));
  abort.abort('enough');
  const ended = { status: 'rejected', reason: 'enough' };
  expect(await Promise.allSettled(waiting)).toEqual([ended, ended]);
});

test.each([
  ['announced', { 'content-length': '5000' }],
  ['not announced', {}],
])('an answer larger than the limit, %s, ends the call for good', async (_, headers) => {
  const upstream = await serve((response) => {
    response.writeHead(200, headers);
    for (let part = 0; part < 5; part += 1) response.write(' '.repeat(1000));
    response.end();
  });
  const call = clientOf(upstream, { maxAnswerBytes: 3000 }).listPipelineRuns(SCOPE, PAGE, never());
  await expect(call).rejects.toMatchObject({ code: 'PAI_TOO_LARGE', retryable: false, attempts: 1 });
});

test('an endless error body ends at the size limit too', async () => {
  const upstream = await serve((response) => {
    response.writeHead(500);
    const timer = setInterval(() => response.write('x'.repeat(1000)), 1);
    response.on('close', () => clearInterval(timer));
  });
  const call = clientOf(upstream, { maxAnswerBytes: 3000, retry: ONCE }).listPipelineRuns(SCOPE, PAGE, never());
  await expect(call).rejects.toMatchObject({ code: 'PAI_TOO_LARGE', httpStatus: 500 });
});

test('bytes that are not UTF-8 are a bad answer, not a replaced character', async () => {
  const upstream = await serve((response) => response.end(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])));
  const call = clientOf(upstream, { retry: ONCE }).listPipelineRuns(SCOPE, PAGE, never());
  await expect(call).rejects.toMatchObject({ code: 'PAI_BAD_ANSWER', httpStatus: 200 });
});

test('characters of several bytes arrive exact when they are cut between two packets', async () => {
  const name = '运行 𝒫 ü';
  const bytes = Buffer.from(JSON.stringify({ PipelineRuns: [{ PipelineRunId: 'flow-1', Name: name }] }));
  const upstream = await serve(async (response) => {
    for (const byte of bytes) {
      response.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  const { items } = await clientOf(upstream).listPipelineRuns(SCOPE, PAGE, never());
  expect(items[0]?.name).toBe(name);
});
