/** Starts the built command as a user does, and watches it from outside. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from './cleanup.js';
import { BenchError } from './failure.js';
import { type ProcessStats, readProcess } from './process-stats.js';

export const ROOT = resolve(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'dist/main.js');

/** Peak memory is kept by the system, and CPU time grows slowly: what happens after the last look is little. */
const LOOK_EVERY_MS = 40;
const STOP_PATIENCE_MS = 10_000;
const TAIL_BYTES = 20_000;

export interface Ended {
  /** From the start of the process to its end. */
  readonly wallSeconds: number;
  readonly stats: ProcessStats;
  readonly code: number | null;
}

export interface RunningCommand {
  readonly pid: number;
  /** The last part of what it has written. */
  output(): string;
  /** Resolves when the output so far matches; rejects when the process ends before or the time is over. */
  says(pattern: RegExp, patienceMs: number): Promise<RegExpExecArray>;
  readonly ended: Promise<Ended>;
  /** SIGTERM, and SIGKILL for one that does not listen. */
  stop(): Promise<Ended>;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** For Node.js itself. */
  readonly nodeArguments?: readonly string[];
  /** Where no `.env` of the user's is read. */
  readonly directory: string;
}

/** Nothing of the bench's own environment reaches it but PATH and HOME. */
export function startCommand(
  cleanup: Cleanup,
  commandArguments: readonly string[],
  options: CommandOptions,
): RunningCommand {
  let stop: () => Promise<Ended> = () => Promise.reject(new BenchError('was never started'));
  cleanup.add(`pai-mirror ${commandArguments[0]}`, async () => void (await stop()));
  const started = performance.now();
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), MAIN, ...commandArguments], {
    cwd: options.directory,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-TAIL_BYTES);
    });
  }
  let code: number | null | undefined;
  const gone = new Promise<void>((done) => {
    child.once('error', (error) => {
      text += error.message;
      code = null;
      done();
    });
    child.once('close', (exitCode) => {
      code = exitCode;
      done();
    });
  });
  const ended = watch(pid, gone).then(
    ({ stats, at }): Ended => ({ stats, wallSeconds: (at - started) / 1_000, code: code ?? null }),
  );
  stop = async () => {
    if (code === undefined) child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
    return ended.finally(() => clearTimeout(timer));
  };
  const says = async (pattern: RegExp, patienceMs: number): Promise<RegExpExecArray> => {
    for (const deadline = Date.now() + patienceMs; ; await delay(20)) {
      const found = pattern.exec(text);
      if (found) return found;
      const why = code !== undefined ? `it ended with ${code}` : Date.now() > deadline ? 'not in time' : null;
      if (why !== null) throw new BenchError(`${commandArguments.join(' ')} did not say ${pattern}: ${why}\n${text}`);
    }
  };
  return { pid, output: () => text, says, ended, stop };
}

/** The last numbers that could be read. */
async function watch(pid: number, gone: Promise<void>): Promise<{ stats: ProcessStats; at: number }> {
  let stats: ProcessStats = { cpuSeconds: 0, peakMb: 0 };
  let isGone = false;
  let at = 0;
  const end = gone.then(() => {
    isGone = true;
    at = performance.now();
  });
  while (!isGone) {
    const now = await readProcess(pid);
    if (now !== null) stats = { cpuSeconds: now.cpuSeconds, peakMb: Math.max(stats.peakMb, now.peakMb) };
    await Promise.race([end, delay(LOOK_EVERY_MS)]);
  }
  return { stats, at };
}

/** Runs it to its end. Throws BenchError with the end of its output when it does not end with 0. */
export async function runCommand(
  cleanup: Cleanup,
  commandArguments: readonly string[],
  options: CommandOptions,
): Promise<Ended> {
  const command = startCommand(cleanup, commandArguments, options);
  const ended = await command.ended;
  if (ended.code === 0) return ended;
  throw new BenchError(`pai-mirror ${commandArguments.join(' ')} ended with ${ended.code}:\n${command.output()}`);
}
