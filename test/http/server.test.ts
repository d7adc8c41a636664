import { EventEmitter, once } from 'node:events';
import { connect, createServer as createTcpServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StoreError } from '../../src/domain/errors.js';
import { Allowance } from '../../src/http/allowance.js';
import { createServer, type Routes, type ServerOptions } from '../../src/http/server.js';
import { ask } from '../support/http.js';
import { capturingLogger } from '../support/logger.js';

const SECRET_SQL = 'select secret from pai.pipeline_runs';

/** One route of each kind. */
const ROUTES: Routes = (app) => {
  app.get('/open', { config: { open: true } }, async () => ({ open: true }));
  app.get('/things/:id', async (request) => ({ id: (request.params as { id: string }).id }));
  app.get('/broken', async () => {
    throw new Error(SECRET_SQL);
  });
  app.get('/away', async () => {
    throw new StoreError(SECRET_SQL, { code: 'STORE_UNAVAILABLE', retryable: true, blast: 'global' });
  });
  const schema = { querystring: { type: 'object', properties: { page: { type: 'integer' } } } };
  app.get('/paged', { schema }, async () => ({}));
};

async function serve(options: Partial<ServerOptions> = {}) {
  const logger = capturingLogger();
  const server = await createServer({
    access: { host: '127.0.0.1', token: null },
    routes: [ROUTES],
    logger,
    ...options,
  });
  onTestFinished(() => server.close());
  return { url: await server.listen(0), server, logger };
}

describe('the HTTP server', () => {
  it('sends strict headers and no cookie with every answer, also with refusals and failures', async () => {
    const { url } = await serve();
    const answers = [
      await ask(`${url}/things/1`),
      await ask(`${url}/nothing`),
      await ask(`${url}/broken`),
      await ask(`${url}/open`, { method: 'POST' }),
      await ask(`${url}/open`, { headers: { host: 'evil.example' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 500, 405, 421]);
    for (const { headers } of answers) {
      expect(headers['content-security-policy']).toBe(
        "default-src 'self';base-uri 'none';form-action 'self';frame-ancestors 'none'",
      );
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
      expect(headers['set-cookie']).toBeUndefined();
      expect(headers['x-powered-by'] ?? headers.server).toBeUndefined();
      // Would make a page that is reached by plain http ask for its parts where nobody listens.
      expect(headers['strict-transport-security']).toBeUndefined();
    }
  });

  it('answers HEAD like GET without a body, and no other method, whatever the path', async () => {
    const { url } = await serve();
    expect(await ask(`${url}/things/1`, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])
      for (const path of ['/things/1', '/nothing'])
        expect((await ask(url + path, { method })).status, `${method} ${path}`).toBe(405);
  });

  it('tells the log why a request failed, and the client only that it did', async () => {
    const { url, logger } = await serve();
    const broken = await ask(`${url}/broken?name=somebody`);
    const away = await ask(`${url}/away`);
    expect([broken.status, away.status]).toEqual([500, 503]);
    expect(broken.text + away.text).not.toContain('select');
    const { httpRequest } = JSON.parse(broken.text);
    const line = logger.entries.find(({ fields }) => fields.httpRequest === httpRequest);
    expect(line).toMatchObject({ level: 'warn', message: expect.stringContaining(SECRET_SQL) });
    expect(JSON.stringify(logger.entries)).not.toContain('somebody');
  });

  it('answers mistakes of a client with 4xx', async () => {
    const { url } = await serve();
    expect((await ask(`${url}/paged?page=x`)).status).toBe(400);
    expect((await ask(`${url}/things/%ZZ`)).status).toBe(400);
    expect((await ask(`${url}/open?${'x'.repeat(3000)}`)).status).toBe(414);
    expect((await ask(`${url}/open`, { headers: { long: 'x'.repeat(9000) } })).status).toBe(431);
  });

  it('tells who has no token nothing, not even what there is', async () => {
    const token = 'a-token-of-the-test';
    const { url } = await serve({ access: { host: '127.0.0.1', token } });
    expect((await ask(`${url}/open`)).status).toBe(200);
    const refused = [await ask(`${url}/things/1`), await ask(`${url}/nothing`), await ask(`${url}/broken`)];
    expect(refused.map(({ status, text }) => `${status} ${text}`)).toEqual(
      Array(3).fill('401 {"error":"a token is needed"}'),
    );
    expect((await ask(`${url}/things/1`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  });

  it('ends a connection that takes too long over its head', async () => {
    const { url } = await serve();
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    socket.write('GET /open HTTP/1.1\r\nhost: localhost\r\n');
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1.1 408 /);
    expect(text).toMatch(/\r\nx-content-type-options: nosniff\r\n[\s\S]*\r\n\r\n\{"error":"[^"]+"\}$/);
  });

  it.each([
    ['something that is no request', 'hello\r\n\r\n', 400],
    ['two lengths of one body', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400],
    ['a head without an end', `GET /open HTTP/1.1\r\nhost: localhost\r\nlong: ${'x'.repeat(20_000)}`, 431],
  ])('refuses %s in the same words as all else, and ends the connection', async (_, sent, status) => {
    const { url } = await serve();
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    socket.on('error', () => {});
    socket.write(sent);
    await once(socket, 'close');
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toMatch(/\r\nx-content-type-options: nosniff\r\n[\s\S]*\r\n\r\n\{"error":"[^"]+"\}$/);
  });

  it('answers a crowd, each on a connection of its own, and who dawdles keeps nobody out', async () => {
    const { url } = await serve();
    const port = Number(new URL(url).port);
    const slow = Array.from({ length: 300 }, () => connect({ host: '127.0.0.1', port }));
    for (const socket of slow) socket.on('error', () => {}).write('GET /open HTTP/1.1\r\n');
    const headers = { connection: 'close' };
    const answers = await Promise.all(Array.from({ length: 500 }, () => ask(`${url}/open`, { headers })));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    for (const socket of slow) socket.destroy();
  });

  it('lets a request under way end when it is closed, and answers no new one', async () => {
    const requests = new EventEmitter();
    const arrived = once(requests, 'arrived');
    const slow: Routes = (app) => {
      app.get('/slow', async () => {
        requests.emit('arrived');
        await once(requests, 'go on');
        return { done: 1 };
      });
    };
    const { url, server } = await serve({ routes: [slow] });
    const answer = ask(`${url}/slow`);
    await arrived;
    const closed = server.close();
    requests.emit('go on');
    expect(await answer).toMatchObject({ status: 200, text: '{"done":1}' });
    await closed;
    await expect(ask(`${url}/slow`)).rejects.toThrow('ECONNREFUSED');
  });

  it('cuts a request that does not end soon after it is closed', async () => {
    const { url, server } = await serve({ routes: [(app) => void app.get('/never', () => new Promise(() => {}))] });
    const answer = ask(`${url}/never`);
    const cut = expect(answer).rejects.toThrow('socket hang up');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.close();
    await cut;
  });

  it('names the variable and the remedy where it cannot listen', async () => {
    const holder = createTcpServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    onTestFinished(() => void holder.close());
    const { port } = holder.address() as { port: number };
    const server = await createServer({
      access: { host: 'localhost', token: null },
      routes: [],
      logger: capturingLogger(),
    });
    onTestFinished(() => server.close());
    await expect(server.listen(port)).rejects.toMatchObject({
      code: 'HTTP_LISTEN',
      message: expect.stringMatching(new RegExp(`^HTTP_PORT: found ${port} of localhost in use .* set HTTP_PORT to`)),
    });
    const nowhere = { access: { host: '192.0.2.1', token: 'x' }, routes: [], logger: capturingLogger() };
    const other = await createServer(nowhere);
    onTestFinished(() => other.close());
    await expect(other.listen(0)).rejects.toThrow(
      /^HTTP_HOST: found 192\.0\.2\.1, .* expected an address of this machine/,
    );
  });

  it('tells the address of an IPv6 host as a URL', async ({ skip }) => {
    const server = await createServer({
      access: { host: '::1', token: null },
      routes: [ROUTES],
      logger: capturingLogger(),
    });
    onTestFinished(() => server.close());
    const url = await server.listen(0).catch(() => skip('this machine has no IPv6'));
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await ask(`${url}/open`)).status).toBe(200);
  });
});

describe('an allowance', () => {
  it('gives what it holds at once, then what time brings, and saves up no more than it can hold', () => {
    let now = 0;
    const allowance = new Allowance(10, 3, () => now);
    const taken = (): number => [1, 2, 3, 4, 5, 6].filter(() => allowance.take()).length;
    expect(taken()).toBe(3);
    now += 250;
    expect(taken()).toBe(2);
    now += 60_000;
    expect(taken()).toBe(3);
  });
});
