/**
 * A hand on the HTTP requests that @alicloud/openapi-client makes. The client hides them: a call cannot be aborted, the
 * headers of an error are lost, a body may be endless. Node.js announces every outgoing request on the channel
 * `http.client.request.start`, and the nonce in the signed headers tells whose it is.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const CHANNEL = 'http.client.request.start';
export const NONCE_HEADER = 'x-acs-signature-nonce';

/** Bytes of all answers that are being received: a hundred calls may each stay below their own limit. */
export class BytesInFlight {
  private bytes = 0;

  constructor(private readonly limit: number) {}

  /** False when that is too much now. */
  add(bytes: number): boolean {
    this.bytes += bytes;
    return this.bytes <= this.limit;
  }

  remove(bytes: number): void {
    this.bytes -= bytes;
  }
}

export interface WatchOptions {
  readonly maxBytes: number;
  readonly inFlight: BytesInFlight;
  readonly onTooLarge: () => void;
  /** This answer is not too large, but all of them together are. */
  readonly onCrowded: () => void;
  /** Asked as late as can be before the request is sent; false ends the call. */
  readonly mayGo: () => boolean;
}

/** One call's request, from before it exists until its answer is read. */
export class RequestWatch {
  httpStatus: number | null = null;
  headers: IncomingHttpHeaders = {};
  private request: ClientRequest | null = null;
  /** Null when the call is over. */
  private options: WatchOptions | null;
  private readonly inFlight: BytesInFlight;
  private ended = false;
  private received = 0;

  constructor(options: WatchOptions) {
    this.options = options;
    this.inFlight = options.inFlight;
  }

  /**
   * Node.js announces a request when its last bytes are handed over. On a connection that was open before they are sent
   * within the same turn; on one that connects only then, before anybody else hears of that.
   */
  attach(request: ClientRequest): void {
    this.request = request;
    request.once('response', (response) => this.onResponse(response));
    this.holdBack();
    const onSocket = (socket: Socket): void => {
      if (socket.connecting) socket.prependOnceListener('connect', () => this.holdBack());
    };
    if (request.socket) onSocket(request.socket);
    else request.once('socket', onSocket);
    if (this.ended) this.end();
  }

  private holdBack(): void {
    if (this.options?.mayGo() !== true) this.end();
  }

  /**
   * Closes the socket, at whatever stage the call is; a request that is made later is closed at once. The error is one
   * of its own, because the client's HTTP library appends the URL to the message of what it is given.
   */
  end(): void {
    this.ended = true;
    this.request?.destroy(new Error('the call was ended'));
  }

  /**
   * The answer is read, or given up. What is over holds nothing: a map whose entries come and go keeps its old tables
   * alive for as long as the collector has not looked at all of the heap, and with them whatever their entries can reach.
   */
  release(): void {
    this.inFlight.remove(this.received);
    this.received = 0;
    this.ended = true;
    this.options = null;
    this.request = null;
  }

  private onResponse(response: IncomingMessage): void {
    this.httpStatus = response.statusCode ?? null;
    this.headers = response.headers;
    dropClientTimer(response.socket);
    const { options } = this;
    if (options === null) return;
    if (Number(response.headers['content-length'] ?? 0) > options.maxBytes) options.onTooLarge();
    else this.countBytes(response);
  }

  /** Listening for `data` would start the flow before the client listens, and lose bytes: hence the wrapped push. */
  private countBytes(response: IncomingMessage): void {
    const push = response.push.bind(response);
    response.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (!this.ended) this.count(chunk?.length ?? 0);
      return push(chunk, encoding);
    };
  }

  private count(bytes: number): void {
    if (this.options === null) return;
    const { maxBytes, onTooLarge, onCrowded } = this.options;
    this.received += bytes;
    const fits = this.inFlight.add(bytes);
    if (this.received > maxBytes) onTooLarge();
    else if (!fits) onCrowded();
  }
}

/**
 * The client's HTTP library leaves a timer on the socket which keeps every finished request in memory until it fires,
 * and then clears the timer of whichever request uses the socket by that time. The deadline of a call is kept
 * elsewhere, so the timer goes. Should a later version name it otherwise, it merely stays.
 */
function dropClientTimer(socket: Socket): void {
  const timers = socket as unknown as { [symbol: symbol]: NodeJS.Timeout | null };
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    if (symbol.description === 'TIMER::READ_TIMER') clearTimeout(timers[symbol] ?? undefined);
  }
}

/** Listens to Node.js only while calls are under way. */
export class RequestWatcher {
  private readonly watches = new Map<string, RequestWatch>();

  add(nonce: string, watch: RequestWatch): void {
    if (this.watches.size === 0) subscribe(CHANNEL, this.onStart);
    this.watches.set(nonce, watch);
  }

  remove(nonce: string): void {
    this.watches.delete(nonce);
    if (this.watches.size === 0) unsubscribe(CHANNEL, this.onStart);
  }

  private readonly onStart = (message: unknown): void => {
    const { request } = message as { request: ClientRequest };
    const nonce = request.getHeader(NONCE_HEADER);
    if (typeof nonce === 'string') this.watches.get(nonce)?.attach(request);
  };
}
