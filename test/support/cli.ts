/** The built command, as a user starts it. `npm test` builds it first. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Emulator } from '../../src/emulator/server.js';

/** What `npm run build` made. */
export const DIST = resolve(import.meta.dirname, '../../dist');

export interface CliProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** The exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Until stdout or stderr contains the text; throws when it ends before, or after the time. */
  sees(text: string | RegExp, millis?: number): Promise<void>;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Another program than the command. */
  readonly script?: string;
  /** Called with what ends the process. Default: at the end of the test. */
  readonly onDone?: (cleanup: () => void) => void;
}

/** What a process has written so far. */
export function outputOf(child: ChildProcessByStdio<Writable | null, Readable, Readable>): {
  stdout(): string;
  stderr(): string;
} {
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (more: string) => {
      text[stream] += more;
    });
  }
  return { stdout: () => text.stdout, stderr: () => text.stderr };
}

/** Nothing of this process's own environment but PATH and HOME, so that a test says all that matters. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...options.env };
  const child = spawn(process.execPath, [options.script ?? join(DIST, 'main.js'), ...args], {
    cwd: options.cwd ?? emptyDirectory(),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = outputOf(child);
  const exited = once(child, 'close').then(([code]) => code as number | null);
  (options.onDone ?? onTestFinished)(() => {
    child.kill('SIGKILL');
  });
  const sees = async (text: string | RegExp, millis = 120_000): Promise<void> => {
    for (const deadline = Date.now() + millis; Date.now() < deadline; await delay(50)) {
      const all = output.stdout() + output.stderr();
      if (typeof text === 'string' ? all.includes(text) : text.test(all)) return;
      if (child.exitCode !== null || child.signalCode !== null) break;
    }
    throw new Error(`did not see ${text} in:\n${output.stdout()}\n${output.stderr()}`);
  };
  return { child, ...output, exited, sees };
}

export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const cli = startCli(args, options);
  const code = await cli.exited;
  return { code, stdout: cli.stdout(), stderr: cli.stderr() };
}

/** Gone with the test. */
export function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'pai-mirror-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What a user would set to mirror an emulator. */
export function environmentFor(emulator: Emulator, databaseUrl: string): Record<string, string> {
  const key = emulator.accessKeys[0];
  return {
    DATABASE_URL: databaseUrl,
    PAI_SCOPES: 'cn-test:*',
    PAI_FLOW_ENDPOINT: emulator.url,
    PAI_AIWORKSPACE_ENDPOINT: emulator.url,
    PAI_FLOW_QPS: '0',
    PAI_LIST_RUNS_QPS: '0',
    HTTP_PORT: '0',
    ALIBABA_CLOUD_ACCESS_KEY_ID: key?.accessKeyId ?? '',
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: key?.accessKeySecret ?? '',
  };
}
