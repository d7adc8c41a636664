import type { ServerResponse } from 'node:http';
import type { Fault } from './faults.js';
import type { Refusal } from './refusal.js';

/** An answer ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: { readonly [name: string]: string };
}

const JSON_TYPE = 'application/json;charset=utf-8';
const HTML = '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';

/** The JSON that the gateway sends for an error. */
export function refusalAnswer(refusal: Refusal, requestId: string, host: string): Answer {
  const body = { RequestId: requestId, HostId: host, Code: refusal.paiCode, Message: refusal.message };
  return { status: refusal.status, body: JSON.stringify(body) };
}

/** What a fault says instead of the true answer; null for the faults that cut, delay or deform it. */
export function faultAnswer(fault: Fault, requestId: string, host: string): Answer | null {
  const errorBody = (code: string, message: string): string =>
    JSON.stringify({ RequestId: requestId, HostId: host, Code: code, Message: fault.message ?? message });
  switch (fault.kind) {
    case 'throttle': {
      const headers =
        fault.retryAfterMillis === undefined ? {} : { 'x-acs-retry-after': String(fault.retryAfterMillis) };
      const body = errorBody(fault.code ?? 'Throttling.User', 'The request was denied because of flow control.');
      return { status: fault.status ?? 400, body, headers };
    }
    case 'error':
      return {
        status: fault.status ?? 500,
        body: errorBody(fault.code ?? 'InternalError', 'The service failed; try again later.'),
      };
    case 'html-5xx':
      return { status: fault.status ?? 502, body: fault.body ?? HTML, headers: { 'content-type': 'text/html' } };
    case 'empty-5xx':
      return { status: fault.status ?? 502, body: '', headers: { 'content-type': 'text/plain' } };
    case 'not-json':
      return { status: fault.status ?? 200, body: fault.body ?? 'upstream connect error, please try again' };
    case 'replace':
      return { status: fault.status ?? 200, body: fault.body ?? '' };
    default:
      return null;
  }
}

/** Headers and length of an answer; the caller sends `body`. */
function begin(response: ServerResponse, answer: Answer, date: string, requestId: string): Buffer {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body, 'utf8') : answer.body;
  response.writeHead(answer.status, {
    date,
    'content-type': JSON_TYPE,
    'x-acs-request-id': requestId,
    ...answer.headers,
    'content-length': body.length,
  });
  return body;
}

export interface Sending {
  readonly answer: Answer;
  /** The Date header: the world's clock. */
  readonly date: string;
  readonly requestId: string;
  /** Deforms the sending, when it is of such a kind. */
  readonly fault: Fault | null;
}

/** Sends an answer as it is, or as its fault has it. */
export function send(response: ServerResponse, sending: Sending): void {
  const { answer, fault, date, requestId } = sending;
  const body = begin(response, answer, date, requestId);
  if (fault?.kind === 'truncate') {
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.resetAndDestroy());
  } else if (fault?.kind === 'drip') drip(response, body, fault);
  else response.end(body);
}

function drip(response: ServerResponse, body: Buffer, fault: Fault): void {
  const { chunkBytes = 1, intervalMillis = 100 } = fault;
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, sent + chunkBytes));
    sent += chunkBytes;
    if (sent >= body.length) response.end();
  }, intervalMillis);
  response.flushHeaders();
  response.once('close', () => clearInterval(timer));
  response.once('finish', () => clearInterval(timer));
}
