/** One unsigned request to an endpoint, told apart by how far it got: for `doctor`, before any key is used. */
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Endpoint } from '../domain/endpoint.js';
import { httpDateMillis } from './transport.js';

/** How far it got. `http`: an answer came, whatever it says; an unsigned request is refused by PAI, too. */
export type Reached = 'dns' | 'connect' | 'tls' | 'http';

export interface EndpointProbe {
  /** The last step that was tried: the one that failed, or `http`. */
  readonly reached: Reached;
  /** Null when an answer came. */
  readonly error: string | null;
  readonly httpStatus: number | null;
  /** Milliseconds by which the Date header is ahead of this machine's clock, to half a second or so; null without one. */
  readonly aheadMs: number | null;
  /** Milliseconds until the head of the answer, DNS and TLS included. */
  readonly tookMs: number;
}

/** Never throws, but for the signal's reason. */
export async function probeEndpoint(endpoint: Endpoint, signal: AbortSignal, limitMs = 8_000): Promise<EndpointProbe> {
  const began = performance.now();
  const end = (reached: Reached, rest: Partial<EndpointProbe>): EndpointProbe => ({
    reached,
    error: null,
    httpStatus: null,
    aheadMs: null,
    tookMs: Math.round(performance.now() - began),
    ...rest,
  });
  const url = new URL(`${endpoint.protocol}://${endpoint.host}/`);
  const name = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(name) === 0) {
    const problem = await within(lookup(name), limitMs, signal);
    if (problem !== null) return end('dns', { error: problem });
  }
  try {
    const { answer, aheadMs } = await ask(url, signal, limitMs);
    return end('http', { httpStatus: answer.statusCode ?? null, aheadMs });
  } catch (error) {
    signal.throwIfAborted();
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reason = withoutInnards(message);
    return end(isTls(code) ? 'tls' : 'connect', { error: code === '' ? reason : `${reason} (${code})` });
  }
}

/** OpenSSL tells in which line of which file of its own: `write EPROTO …:SSL routines:…:wrong version number:../deps/….c:350:`. */
const withoutInnards = (message: string): string =>
  (/SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message).split('\n', 1)[0] ?? '';

/** Null when it came, else why not. A look-up cannot be taken back; its answer is then dropped. */
async function within(work: Promise<unknown>, limitMs: number, signal: AbortSignal): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer of the resolver within ${limitMs / 1_000} s`), limitMs);
  });
  const done = work.then(
    () => null,
    (error: Error) => error.message,
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
    signal.throwIfAborted();
  }
}

/** OpenSSL's words for certificates, and Node's own for the rest. */
const isTls = (code: string): boolean =>
  /^(ERR_TLS_|ERR_SSL_|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code);

function ask(
  url: URL,
  signal: AbortSignal,
  limitMs: number,
): Promise<{ answer: IncomingMessage; aheadMs: number | null }> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'GET', agent: false, signal, headers: { 'user-agent': 'pai-mirror doctor' } });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${limitMs / 1_000} s`)), limitMs);
    let sentAt = Date.now();
    // With TLS the request leaves when the connection stands, and that is what the answer's date is compared with.
    request.on('socket', (socket) =>
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        sentAt = Date.now();
      }),
    );
    request.once('response', (answer) => {
      clearTimeout(timer);
      const date = httpDateMillis(answer.headers.date);
      // Whole seconds, cut off: half of one is the least wrong.
      const aheadMs = date === null ? null : Math.round(date + 500 - (sentAt + Date.now()) / 2);
      resolve({ answer, aheadMs });
      request.destroy();
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end();
  });
}
