import { open, stat, truncate } from 'node:fs/promises';
import { isMissing } from './failure.js';
import { writeWhole } from './state-files.js';

/** Bytes at which the log is cut, and how many of its last ones are then kept in `<log>.1`. */
const LOG_LIMIT = 10_000_000;
const LOG_KEPT = 1_000_000;
const CHECK_EVERY_MS = 60_000;

/** Bytes of the log so far; 0 when there is none. */
export async function logSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** What was logged since `offset`, its last `limit` bytes at most. */
export async function readTail(path: string, offset: number, limit: number): Promise<string> {
  const size = await logSize(path);
  const start = Math.max(Math.min(offset, size), size - limit, 0);
  if (size === start) return '';
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}

/** Cuts a log that has grown too long. The server appends (O_APPEND), so it goes on at the new end of the file. */
export async function boundLog(path: string, limit = LOG_LIMIT, kept = LOG_KEPT): Promise<void> {
  if ((await logSize(path)) <= limit) return;
  await writeWhole(`${path}.1`, `${await readTail(path, 0, kept)}\n`);
  await truncate(path, 0);
}

/**
 * Watches the log as long as this process uses the server. PostgreSQL's own collector cannot do it: it starts a new
 * file at a size, but it never deletes one.
 */
export function keepLogBounded(path: string): { stop(): void } {
  const timer = setInterval(() => void boundLog(path).catch(() => {}), CHECK_EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
