import { describeError, StoreError } from '../domain/errors.js';

/** Stable codes of everything that can go wrong with the embedded PostgreSQL. */
export type EmbeddedCode =
  | 'EMBEDDED_UNSUPPORTED_PLATFORM'
  | 'EMBEDDED_DIRECTORY'
  | 'EMBEDDED_USER'
  | 'EMBEDDED_INITDB'
  | 'EMBEDDED_VERSION'
  | 'EMBEDDED_PORT'
  | 'EMBEDDED_START'
  | 'EMBEDDED_STOP'
  | 'EMBEDDED_BUSY';

/** No retry helps: someone has to change something on the machine first. Hence global, and not retryable. */
export function embeddedFailure(code: EmbeddedCode, message: string, cause?: unknown): StoreError {
  return new StoreError(`embedded PostgreSQL: ${message}`, { code, retryable: false, blast: 'global', cause });
}

/** Runs a file operation; what it throws is told together with the purpose and the directory. */
export async function inDirectory<T>(purpose: string, directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const who = process.getuid === undefined ? 'this user' : `uid ${process.getuid()}`;
    throw embeddedFailure(
      'EMBEDDED_DIRECTORY',
      `cannot ${purpose} in ${directory} as ${who} (${errorCode(error)})`,
      error,
    );
  }
}

/** `ENOSPC`, `EACCES`, `57P03` …, or the message when there is no code. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code !== '' ? code : describeError(error);
}

export const isMissing = (error: unknown): boolean => errorCode(error) === 'ENOENT';
