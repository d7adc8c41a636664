import { afterEach } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/server.js';

/** The moment at which the worlds of these tests begin. */
export const BEGIN = Date.UTC(2026, 2, 1, 8, 30);

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into JSON of any shape
  readonly json: any;
}

/** Starts an emulator that is closed after the test; unsigned calls and a clock that stands still unless told otherwise. */
export function useEmulators(): (options?: EmulatorOptions) => Promise<Emulator> {
  const open: Emulator[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((emulator) => emulator.close()));
  });
  return async (options = {}) => {
    const emulator = await startEmulator({ verifySignature: false, startAt: BEGIN, speed: 0, ...options });
    open.push(emulator);
    return emulator;
  };
}

/** `json` is undefined where the body does not parse. */
export async function call(emulator: Emulator, method: string, path: string, body?: unknown): Promise<Reply> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(emulator.url + path, init);
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

export const get = (emulator: Emulator, path: string): Promise<Reply> => call(emulator, 'GET', path);

export const query = (parameters: { readonly [name: string]: string | number | undefined }): string =>
  new URLSearchParams(
    Object.entries(parameters).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    ),
  ).toString();
