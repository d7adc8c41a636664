import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError, MirrorError } from '../domain/errors.js';
import { type Answer, faultAnswer, refusalAnswer, send } from './answers.js';
import { CONTROL_PREFIX, control } from './control.js';
import { type Fault, Faults } from './faults.js';
import { FragmentCache, PageWriter } from './fragments.js';
import { prerenderPipelineRuns } from './operations/list-pipeline-runs.js';
import { QueryCache } from './operations/operation.js';
import { Parameters } from './operations/parameters.js';
import { Random } from './random.js';
import { Refusal } from './refusal.js';
import { checkProduct, decodePath, findRoute } from './router.js';
import { type AccessKey, SignatureCheck } from './signature.js';
import { askedBy, Stats, workspaceOfBody } from './stats.js';
import { Wire } from './wire.js';
import { Mutators } from './world/mutators.js';
import type { WorldOptions } from './world/options.js';
import { World } from './world/world.js';

export interface EmulatorOptions extends WorldOptions {
  /** Instead of a new world made from the other options. */
  readonly world?: World;
  /** Default 127.0.0.1; anything else makes the emulator reachable from outside. */
  readonly host?: string;
  /** Default 0: a free port. */
  readonly port?: number;
  /** Who may call. Default: one key, `emulator` with the secret `emulator-secret`. */
  readonly accessKeys?: readonly AccessKey[];
  /** False accepts every call, signed or not (benchmarks). Default true. */
  readonly verifySignature?: boolean;
  /**
   * Memory for the texts of pipeline runs that were served before, taken as it is filled. Default 256 MiB, about 400,000
   * runs; 4 GiB with `prerender`.
   */
  readonly fragmentCacheBytes?: number;
  /**
   * Makes the texts of all pipeline runs before the first request (benchmarks): a million take about 10 s and 650 MB, and
   * pages then are only copied together. Default false.
   */
  readonly prerender?: boolean;
  /** The real time, against which signatures are checked. */
  readonly wallClock?: () => number;
}

export interface Emulator {
  /** `http://127.0.0.1:…`, without a slash at the end: the endpoint of both products. */
  readonly url: string;
  readonly port: number;
  readonly accessKeys: readonly AccessKey[];
  readonly world: World;
  readonly mutate: Mutators;
  readonly faults: Faults;
  readonly stats: Stats;
  /** Destroys open connections at once. */
  close(): Promise<void>;
}

export const DEFAULT_ACCESS_KEY: AccessKey = { accessKeyId: 'emulator', accessKeySecret: 'emulator-secret' };

const MAX_BODY_BYTES = 16 * 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, 'RequestTooLarge', 'The request body is larger than 16 MiB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const EMPTY_BODY = Buffer.alloc(0);

/** One header value; PAI's headers are never repeated. */
function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

class EmulatorServer {
  readonly faults: Faults;
  readonly stats: Stats;
  private readonly world: World;
  private readonly wire: Wire;
  private readonly signatures: SignatureCheck | null;
  private readonly cache = new QueryCache();
  private readonly fragments: FragmentCache;
  private readonly pages = new PageWriter();
  private readonly random: Random;
  /** Aborts what waits (latency) when the server closes. */
  private readonly closing: AbortSignal;
  private dateSecond = Number.NaN;
  private dateText = '';

  constructor(world: World, options: EmulatorOptions, keys: readonly AccessKey[], closing: AbortSignal) {
    const wallClock = options.wallClock ?? Date.now;
    this.world = world;
    this.wire = new Wire(world.quirks);
    this.faults = new Faults(world.settings.seed);
    this.stats = new Stats(wallClock);
    this.random = new Random(world.settings.seed ^ 0x71e);
    this.signatures = options.verifySignature === false ? null : new SignatureCheck(keys, { wallClock });
    this.fragments = new FragmentCache(options.fragmentCacheBytes ?? (options.prerender ? 4_096 : 256) * 1024 * 1024);
    if (options.prerender) prerenderPipelineRuns(world, this.wire, this.fragments);
    this.closing = closing;
  }

  /** Never rejects: what goes wrong here is an answer, or a closed connection. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const [pathname = '', query = ''] = (request.url ?? '/').split('?', 2);
      if (pathname.startsWith(CONTROL_PREFIX)) await this.control(request, response, pathname);
      else await this.operate(request, response, pathname, query);
    } catch {
      // The connection broke while the request came in, or the server is closing: there is nobody to answer.
      request.socket.destroy();
    }
  }

  private async operate(
    request: IncomingMessage,
    response: ServerResponse,
    pathname: string,
    query: string,
  ): Promise<void> {
    const found = findRoute(request.method ?? '', pathname);
    const operation = found?.route.name ?? 'unknown';
    const record = this.stats.arrived(operation, askedBy(headerOf(request, 'authorization'), pathname, query));
    response.once('close', record.closed);
    const requestId = randomUUID().toUpperCase();
    const host = request.headers.host ?? '';
    let fault: Fault | null = null;
    let answer: Answer;
    try {
      const body = request.method === 'GET' ? EMPTY_BODY : await readBody(request);
      this.authenticate(request, pathname, query, body);
      const text = body.toString('utf8');
      if (text !== '') record.concerns(workspaceOfBody(text));
      fault = this.faults.next(operation, request.url ?? '', text);
      if (fault) record.met(fault.kind);
      if (fault?.kind === 'latency') await delay(fault.millis ?? 100, undefined, { signal: this.closing });
      if (fault?.kind === 'stall') return;
      if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
      answer = (fault && faultAnswer(fault, requestId, host)) ?? this.answer(request, found, query, text, requestId);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = refusalAnswer(error, requestId, host);
    }
    record.answered(answer.status);
    send(response, { answer, date: this.date(), requestId, fault });
  }

  private authenticate(request: IncomingMessage, path: string, query: string, body: Buffer): void {
    this.signatures?.verify({ method: request.method ?? '', path, query, headers: request.headers, body });
  }

  private answer(
    request: IncomingMessage,
    found: ReturnType<typeof findRoute>,
    query: string,
    body: string,
    requestId: string,
  ): Answer {
    if (!found) {
      const message = `There is no operation ${request.method} ${request.url?.split('?')[0]}.`;
      throw new Refusal(404, 'InvalidAction.NotFound', message);
    }
    checkProduct(found.route, headerOf(request, 'x-acs-version'), headerOf(request, 'x-acs-action'));
    if (this.world.settings.live) this.world.tick();
    const parameters = new Parameters(new URLSearchParams(query));
    const { world, wire, random, cache, fragments, pages } = this;
    const path = decodePath(found.path);
    const call = { world, wire, random, cache, fragments, pages, parameters, path, body, requestId };
    return { status: 200, body: found.route.handle(call) };
  }

  /** Not signed and not counted; only for this machine. */
  private async control(request: IncomingMessage, response: ServerResponse, pathname: string): Promise<void> {
    const body = (await readBody(request)).toString('utf8');
    const local = /^(127\.|::1$|::ffff:127\.)/.test(request.socket.remoteAddress ?? '');
    const reply = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (!local) return reply(403, { error: 'the control paths answer on the loopback interface only' });
    try {
      const parts = { world: this.world, faults: this.faults, stats: this.stats };
      reply(200, control(parts, request.method ?? '', pathname, body));
    } catch (error) {
      reply(error instanceof MirrorError ? 400 : 500, { error: describeError(error) });
    }
  }

  /** The Date header: whole seconds of the world's clock, as HTTP has it. */
  private date(): string {
    const second = Math.floor(this.world.clock.now() / 1_000);
    if (second !== this.dateSecond) {
      this.dateSecond = second;
      this.dateText = new Date(second * 1_000).toUTCString();
    }
    return this.dateText;
  }
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** Starts a PAI on this machine: one port for both products and all regions. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const world = options.world ?? new World(options);
  const accessKeys = options.accessKeys ?? [DEFAULT_ACCESS_KEY];
  const closing = new AbortController();
  // Every delayed answer listens to it; that is no leak.
  setMaxListeners(0, closing.signal);
  const emulator = new EmulatorServer(world, options, accessKeys, closing.signal);
  const server = createServer({ keepAlive: true, noDelay: true }, (request, response) => {
    response.sendDate = false;
    void emulator.handle(request, response);
  });
  server.keepAliveTimeout = 60_000;
  const host = options.host ?? '127.0.0.1';
  const { port } = await listen(server, options.port ?? 0, host);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    accessKeys,
    world,
    mutate: new Mutators(world),
    faults: emulator.faults,
    stats: emulator.stats,
    close: () =>
      new Promise((resolve) => {
        closing.abort(new Error('the emulator is closing'));
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
