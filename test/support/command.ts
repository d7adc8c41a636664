/**
 * A command run in the process of the test: for what it prints and which exit code it means. A real process takes a second
 * to start; those of test/support/cli.ts are for signals, logs, and what becomes of a process.
 */
import { run } from '../../src/cli/program.js';
import { emptyDirectory } from './cli.js';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Sees nothing of this process's own environment but PATH and HOME, as the commands of `runCli`. One at a time. */
export async function runCommand(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<CommandResult> {
  const { PATH = '', HOME = '' } = process.env;
  const restore = [
    replaceEnvironment({ PATH, HOME, ...options.env }),
    moveTo(options.cwd ?? emptyDirectory()),
    capture(process.stdout),
    capture(process.stderr),
  ] as const;
  const never = { signal: new AbortController().signal, interrupted: new Promise<void>(() => {}), dispose: () => {} };
  let code: number;
  let output: readonly string[];
  try {
    code = await run([process.execPath, 'pai-mirror', ...args], never);
  } finally {
    output = restore.map((undo) => undo() ?? '');
  }
  return { code, stdout: output[2] ?? '', stderr: output[3] ?? '' };
}

function replaceEnvironment(env: Readonly<Record<string, string>>): () => void {
  const before = { ...process.env };
  const set = (to: Readonly<Record<string, string | undefined>>): void => {
    for (const name of Object.keys(process.env)) if (to[name] === undefined) delete process.env[name];
    Object.assign(process.env, to);
  };
  set(env);
  return () => set(before);
}

function moveTo(directory: string): () => void {
  const before = process.cwd();
  process.chdir(directory);
  return () => process.chdir(before);
}

/** What is written to a stream, instead of writing it, until the function that is returned is called. */
function capture(stream: NodeJS.WriteStream): () => string {
  const write = stream.write;
  let text = '';
  stream.write = ((chunk: string | Uint8Array) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return true;
  }) as typeof stream.write;
  return () => {
    stream.write = write;
    return text;
  };
}
