import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Endpoint } from '../domain/endpoint.js';
import { onAbort } from '../util/on-abort.js';
import { isOver, throwIfOver } from '../util/signal-guard.js';
import { loadOpenApi, type OpenApiClient } from './alicloud.js';
import { CallFailure, errorField } from './call-failure.js';
import type { Keys } from './credentials.js';
import { isObject, type JsonObject } from './json.js';
import type { PaiRequest } from './operations.js';
import { BytesInFlight, NONCE_HEADER, RequestWatch, RequestWatcher } from './request-watch.js';
import { utf8Text } from './utf8.js';

/** The client's own idle time-out is a second line only, so it must not come first. */
const BACKSTOP_MS = 5000;

/** Options of the client's runtime: it reads the fields that are there, and its own defaults where none are. */
type Runtime = Parameters<OpenApiClient['callApi']>[2];

/** A 2xx answer, not looked into. */
export interface RawAnswer {
  readonly text: string;
  readonly httpStatus: number;
  readonly headers: IncomingHttpHeaders;
}

export interface TransportOptions {
  /** Milliseconds for one call, from the first byte sent to the last byte of the body. */
  readonly callTimeoutMs: number;
  readonly maxAnswerBytes: number;
  /** Of all answers under way together. */
  readonly maxBytesInFlight: number;
  /** PEM certificates to trust instead of the system's, for proxies with a certificate authority of their own. */
  readonly ca?: string | undefined;
}

/**
 * One signed call, once: no retry, no rate limit. @alicloud/openapi-client signs and sends; deadline, abort, size limit
 * and the reading of the body are here. Connections are kept alive by the client's own agent.
 */
export class Transport {
  private readonly openApi = loadOpenApi();
  private readonly watcher = new RequestWatcher();
  private readonly inFlight: BytesInFlight;
  private readonly clients = new WeakMap<Endpoint, { readonly keys: Keys; readonly client: OpenApiClient }>();
  /** What is added to this machine's clock for the date that is signed; 0 while PAI takes that as it is. */
  private aheadMs = 0;

  constructor(private readonly options: TransportOptions) {
    this.inFlight = new BytesInFlight(options.maxBytesInFlight);
  }

  /**
   * `mayGo` is asked at the very last moment, and false holds the request back. Throws CallFailure, the signal's reason, or
   * what its guard throws. In all cases the socket is closed by then.
   */
  async send(
    endpoint: Endpoint,
    keys: Keys,
    request: PaiRequest,
    signal: AbortSignal,
    mayGo: () => boolean = () => true,
  ): Promise<RawAnswer> {
    // The last moment before a request goes out: whoever may not call any more (a lost lease) must not.
    await throwIfOver(signal);
    const { callTimeoutMs, maxAnswerBytes } = this.options;
    let reject: (reason: unknown) => void;
    const ended = new Promise<never>((_, rejectEnded) => {
      reject = rejectEnded;
    });
    const end = (reason: unknown): void => {
      reject(reason);
      watch.end();
    };
    const watch = new RequestWatch({
      maxBytes: maxAnswerBytes,
      inFlight: this.inFlight,
      onTooLarge: () => end(tooLarge(maxAnswerBytes, watch.httpStatus)),
      onCrowded: () => end(crowded(this.options.maxBytesInFlight, watch.httpStatus)),
      // Between the question above and the first byte lie signing and perhaps a new connection: milliseconds in which the
      // process may have been stopped. A call that is held back counts as failed, and its next attempt asks again.
      mayGo: () => !isOver(signal) && mayGo(),
    });
    const timer = setTimeout(() => end(deadlinePassed(callTimeoutMs, watch.httpStatus)), callTimeoutMs);
    const stopListening = onAbort(signal, () => end(signal.reason));
    const call = this.callClient(endpoint, keys, request, watch);
    try {
      return await Promise.race([call, ended]);
    } finally {
      clearTimeout(timer);
      watch.release();
      stopListening();
      // Whichever lost the race settles later, and nobody waits for it.
      call.catch(() => {});
      ended.catch(() => {});
    }
  }

  /** Signs with a clock that is so many milliseconds ahead of this machine's. */
  dateAhead(millis: number): void {
    this.aheadMs = millis;
  }

  private async callClient(
    endpoint: Endpoint,
    keys: Keys,
    request: PaiRequest,
    watch: RequestWatch,
  ): Promise<RawAnswer> {
    const nonce = randomUUID();
    const signedAheadMs = this.aheadMs;
    this.watcher.add(nonce, watch);
    try {
      const sent = this.signedRequest(request, { [NONCE_HEADER]: nonce, ...this.dateHeader() });
      const answer = await this.clientFor(endpoint, keys).callApi(sent.params, sent.request, {} as Runtime);
      return await readAnswer(answer as ClientAnswer);
    } catch (error) {
      throw failureOf(error, watch, signedAheadMs);
    } finally {
      this.watcher.remove(nonce);
    }
  }

  private dateHeader(): Record<string, string> {
    if (this.aheadMs === 0) return {};
    return { 'x-acs-date': `${new Date(Date.now() + this.aheadMs).toISOString().slice(0, 19)}Z` };
  }

  /** One an endpoint, until the keys change: making it took a tenth of a call. It keeps nothing between two calls. */
  private clientFor(endpoint: Endpoint, keys: Keys): OpenApiClient {
    const known = this.clients.get(endpoint);
    if (known?.keys === keys) return known.client;
    const client = this.newClient(endpoint, keys);
    this.clients.set(endpoint, { keys, client });
    return client;
  }

  /** Cheap: the client keeps no connections of its own, all share one agent. */
  private newClient(endpoint: Endpoint, keys: Keys): OpenApiClient {
    const idleMs = this.options.callTimeoutMs + BACKSTOP_MS;
    const { Config, default: Client } = this.openApi;
    return new Client(
      new Config({
        accessKeyId: keys.accessKeyId,
        accessKeySecret: keys.accessKeySecret,
        securityToken: keys.securityToken ?? undefined,
        endpoint: endpoint.host,
        protocol: endpoint.protocol,
        readTimeout: idleMs,
        connectTimeout: idleMs,
        userAgent: 'pai-mirror',
        ca: this.options.ca,
      }),
    );
  }

  /** `binary` gives the untouched stream of a 2xx answer; `string` would replace bytes that are not UTF-8 in silence. */
  private signedRequest({ operation, method, pathname, query, body }: PaiRequest, headers: Record<string, string>) {
    const { OpenApiRequest, Params } = this.openApi;
    return {
      params: new Params({
        action: operation.name,
        version: operation.version,
        protocol: 'HTTPS',
        pathname,
        method,
        authType: 'AK',
        style: 'ROA',
        reqBodyType: 'json',
        bodyType: 'binary',
      }),
      request: new OpenApiRequest({ query, headers, body }),
    };
  }
}

interface ClientAnswer {
  readonly body: Readable;
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
}

async function readAnswer({ body, statusCode: httpStatus, headers }: ClientAnswer): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  // A page of 60 kB often comes in one piece.
  const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  // The client throws for 4xx and 5xx; what else is not 2xx is a redirection, which PAI does not use.
  if (httpStatus < 200 || httpStatus > 299) throw new CallFailure('bad-answer', 'no answer of PAI', { httpStatus });
  if (!isUtf8(bytes)) throw new CallFailure('bad-answer', 'the answer is not UTF-8', { httpStatus });
  return { text: utf8Text(bytes), httpStatus, headers };
}

const tooLarge = (limit: number, httpStatus: number | null) =>
  new CallFailure('too-large', `the answer is larger than ${limit} bytes`, { httpStatus });

/** Another time it may fit: the others are done by then. */
const crowded = (limit: number, httpStatus: number | null) =>
  new CallFailure('bad-answer', `the answers under way are larger than ${limit} bytes together`, { httpStatus });

const deadlinePassed = (limit: number, httpStatus: number | null) =>
  new CallFailure('deadline', `no complete answer within ${limit} ms`, { httpStatus });

/**
 * Sorts out what the client throws. Its errors carry the parsed document in `data`; a body that is no JSON object gives
 * a bare SyntaxError, Error or TypeError, for which only the watch knows the status.
 */
function failureOf(error: unknown, watch: RequestWatch, signedAheadMs: number): CallFailure {
  if (error instanceof CallFailure) return error;
  const { headers } = watch;
  const retryAfterMs = retryAfter(headers);
  const requestId = headerText(headers['x-acs-request-id']);
  const data = error instanceof Error ? (error as { data?: unknown }).data : undefined;
  const httpStatus = watch.httpStatus ?? (isObject(data) ? Number(data.statusCode) : null);
  if (isObject(data)) {
    return answeredError(data, {
      httpStatus,
      retryAfterMs,
      requestId,
      sourceAheadMs: sourceAhead(headers, signedAheadMs),
    });
  }
  if (httpStatus === null || isNetworkError(error)) {
    const cause = withoutRequest(error);
    return new CallFailure('network', networkMessage(error), { httpStatus, requestId, retryAfterMs, cause });
  }
  return new CallFailure('bad-answer', 'the answer is not a JSON object', { httpStatus, requestId, retryAfterMs });
}

function answeredError(
  data: JsonObject,
  seen: {
    readonly httpStatus: number | null;
    readonly retryAfterMs: number | null;
    readonly requestId: string | null;
    readonly sourceAheadMs: number | null;
  },
): CallFailure {
  return new CallFailure('answer', errorField(data, 'Message') ?? 'without a message', {
    ...seen,
    paiCode: errorField(data, 'Code'),
    requestId: errorField(data, 'RequestId') ?? seen.requestId,
  });
}

/** Errors of sockets and streams have a code such as ECONNRESET; those of the client's parsing have none. */
const isNetworkError = (error: unknown): boolean =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';

const networkMessage = (error: unknown): string => {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === undefined ? 'no answer' : `no complete answer (${code})`;
};

/** The client appends the request to the message, without a blank before it: whoever reads the error knows what was tried. */
function withoutRequest(error: unknown): unknown {
  if (error instanceof Error) error.message = error.message.replace(/(?:GET|PUT) https?:\/\/\S+ failed\.$/, '');
  return error;
}

/** PAI minds only quarters of an hour. */
const CLOCKS_AGREE_MS = 60_000;

function sourceAhead(headers: IncomingHttpHeaders, signedAheadMs: number): number | null {
  const date = httpDateMillis(headers.date);
  const aheadMs = date === null ? signedAheadMs : date - Date.now();
  return Math.abs(aheadMs - signedAheadMs) < CLOCKS_AGREE_MS ? null : aheadMs;
}

/** HTTP dates are GMT and end with that word; what does not is nobody's clock. Milliseconds since 1970, whole seconds. */
export function httpDateMillis(date: string | undefined): number | null {
  const millis = date?.endsWith(' GMT') ? Date.parse(date) : Number.NaN;
  return Number.isNaN(millis) || millis < 0 ? null : millis;
}

/** `x-acs-retry-after` is in milliseconds, HTTP's own `retry-after` in seconds. */
function retryAfter(headers: IncomingHttpHeaders): number | null {
  const millis = headerText(headers['x-acs-retry-after']);
  if (millis !== null && /^\d{1,9}$/.test(millis)) return Number(millis);
  const seconds = headerText(headers['retry-after']);
  return seconds !== null && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : null;
}

const headerText = (value: string | string[] | undefined): string | null => {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined || first.trim() === '' ? null : first.trim();
};
