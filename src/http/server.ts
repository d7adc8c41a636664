/**
 * The HTTP side: a small, read-only server that is given what it shows. Everything about it is bounded: connections at once
 * and a second, the time of a request, its head, its address; and no answer tells more of a failure than that there was one.
 */
import type { Socket } from 'node:net';
import helmet from '@fastify/helmet';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { describeError, MirrorError, StoreError } from '../domain/errors.js';
import type { Logger } from '../util/logger.js';
import { type Access, MOST_URL, refusalOf } from './access.js';
import { Allowance } from './allowance.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token: it tells nothing worth one. */
    open?: boolean;
  }
}

/** Adds routes of one subject. They answer GET (HEAD comes with it), throw what goes wrong, and need a token unless `open`. */
export type Routes = (app: FastifyInstance) => void;

export interface ServerOptions {
  readonly access: Access;
  readonly routes: readonly Routes[];
  readonly logger: Logger;
}

export interface Server {
  /** 0: any free port. Resolves to the address, `http://127.0.0.1:8080`. Throws MirrorError with the code HTTP_LISTEN. */
  listen(port: number): Promise<string>;
  /** Lets requests under way end, for a moment. */
  close(): Promise<void>;
}

/**
 * A browser opens six, a monitoring system one; but a script opens one a request, and a probe has to get through beside
 * whatever else asks. Each costs 30 kB or so; what is beyond is closed at once.
 */
const MOST_CONNECTIONS = 1024;
const CONNECTIONS_A_SECOND = 250;
const MOST_CONNECTIONS_IN_A_MOMENT = 1024;

const HEAD_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
/** A client that stops reading its answer. */
const SILENCE_MS = 30_000;
const MOST_HEAD_BYTES = 8 * 1024;
const CLOSE_LIMIT_MS = 2_000;

const OWN_ONLY = ["'self'"];

export async function createServer({ access, routes, logger }: ServerOptions): Promise<Server> {
  const app = fastify({
    logger: false,
    bodyLimit: 1024,
    // The router's own bound of 100 characters would make every page of a longer id one that is not there.
    routerOptions: { maxParamLength: MOST_URL, ignoreTrailingSlash: true },
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionTimeout: SILENCE_MS,
    http: { headersTimeout: HEAD_TIMEOUT_MS, maxHeaderSize: MOST_HEAD_BYTES, connectionsCheckingInterval: 1_000 },
    // Before all hooks, so before whether anybody may ask: says nothing but that.
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      void reply.code(400).header('cache-control', 'no-store').send({ error: 'this address cannot be read' });
    },
    clientErrorHandler: refuseUnread,
  });
  boundConnections(app);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: OWN_ONLY, baseUri: ["'none'"], formAction: OWN_ONLY, frameAncestors: ["'none'"] },
    },
    // Whoever puts TLS in front decides about that; over plain http browsers ignore it.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  guard(app, access);
  tellFailures(app, logger);
  for (const add of routes) await app.register(async (scope) => add(scope));
  return {
    listen: (port) => listen(app, access.host, port),
    close: () => close(app),
  };
}

const UNREAD: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', `the head has more than ${MOST_HEAD_BYTES} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to come'],
};

/** What is no request never comes to a route, nor to helmet: it is answered by hand, in the words of all other refusals. */
function refuseUnread(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, told] = UNREAD[error.code ?? ''] ?? ['400 Bad Request', 'this is no HTTP request'];
  const body = JSON.stringify({ error: told });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    "content-security-policy: default-src 'none'",
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function boundConnections(app: FastifyInstance): void {
  app.server.maxConnections = MOST_CONNECTIONS;
  const allowance = new Allowance(CONNECTIONS_A_SECOND, MOST_CONNECTIONS_IN_A_MOMENT);
  app.server.on('connection', (socket) => {
    if (!allowance.take()) socket.destroy();
  });
}

/** Runs before anything is looked up, also for what is not there: who may not ask does not learn what there is. */
function guard(app: FastifyInstance, access: Access): void {
  app.addHook('onRequest', async (request, reply) => {
    const { method, url, headers } = request;
    const { host, authorization } = headers;
    // Answers show the state of this moment; a route of files that never change says otherwise.
    reply.header('cache-control', 'no-store');
    const isOpen = request.routeOptions.config.open === true;
    const refusal = refusalOf({ method, url, host, authorization }, access, isOpen);
    if (refusal === null) return;
    await reply.code(refusal.status).headers(refusal.headers).send({ error: refusal.error });
  });
}

function tellFailures(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ error: 'there is nothing here' }));
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const status = statusOf(error);
    if (status < 500) return reply.code(status).send({ error: error.message });
    const fields = { method: request.method, path: pathOf(request), httpRequest: request.id };
    logger.warn(fields, `a request could not be answered: ${describeError(error)}`);
    const told = status === 503 ? 'the database does not answer at the moment' : 'this failed; the log tells why';
    return reply.code(status).send({ error: told, httpRequest: request.id });
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, id } = request;
    const ms = Math.round(reply.elapsedTime);
    logger.debug({ method, path: pathOf(request), status: reply.statusCode, ms, httpRequest: id }, 'request answered');
  });
}

/** Only what a client did wrong by fastify's own words is told to it; a message of ours may hold a query or a name. */
function statusOf(error: FastifyError): number {
  if (error instanceof StoreError) return 503;
  const ofClient = error.validation !== undefined || error.code?.startsWith('FST_') === true;
  return ofClient && error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500;
}

/** Without the query, which may hold names that people searched for. */
const pathOf = ({ url }: FastifyRequest): string => url.replace(/\?.*$/s, '').slice(0, 200);

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    // `localhost` would mean two servers, one for each kind of address.
    await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  } catch (error) {
    throw new MirrorError(listenMessage(error, host, port), {
      code: 'HTTP_LISTEN',
      retryable: false,
      blast: 'global',
      cause: error,
    });
  }
  const address = app.server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${actual}`;
}

function listenMessage(error: unknown, host: string, port: number): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE')
    return `HTTP_PORT: found ${port} of ${host} in use by another process; end that one, or set HTTP_PORT to another port, to 0 (any free one) or to off`;
  if (code === 'EACCES')
    return `HTTP_PORT: found ${port}, which this user may not open; expected one from 1024 up, 0 (any free one) or off`;
  return `HTTP_HOST: found ${host}, which cannot be listened on; expected an address of this machine, such as 127.0.0.1 or 0.0.0.0`;
}

/** What is not answered soon is cut: the process has seconds, and more to do in them. */
async function close(app: FastifyInstance): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), CLOSE_LIMIT_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(limit);
  }
}
