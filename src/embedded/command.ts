import { execFile } from 'node:child_process';

/** The operating system's user that runs the server; null stands for the user of this process. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface CommandResult {
  /** Exit code; null when it was killed (a time-out) or could not be started at all. */
  readonly code: number | null;
  /** Standard output and standard error. */
  readonly output: string;
  /** `ENOENT`, `EPERM` … when the command could not be started. */
  readonly failure: string | null;
}

/**
 * The whole environment of every program started here. Nothing is inherited, so neither a PGDATA or LD_PRELOAD of the
 * shell nor a cloud credential reaches the server.
 */
export const SERVER_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

/** spawn's options for another user; libuv drops the supplementary groups of root along with the uid. */
export const asUser = (user: ServerUser | null): { uid?: number; gid?: number } =>
  user === null ? {} : { uid: user.uid, gid: user.gid };

/** Runs a short program to its end; never throws. `cwd` is `/`, because a server user may not see ours. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: { readonly user?: ServerUser | null; readonly timeoutMs: number },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const settings = {
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL' as const,
      ...asUser(options.user ?? null),
    };
    const fail = (error: unknown) => {
      const failure = (error as NodeJS.ErrnoException).code ?? String(error);
      resolve({ code: null, output: '', failure });
    };
    try {
      execFile(file, [...args], settings, (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`.trim();
        if (error === null) resolve({ code: 0, output, failure: null });
        else if (typeof error.code === 'number') resolve({ code: error.code, output, failure: null });
        else if (error.killed) resolve({ code: null, output, failure: `no end within ${options.timeoutMs} ms` });
        else resolve({ code: null, output, failure: error.code ?? error.signal ?? error.message });
      });
    } catch (error) {
      fail(error);
    }
  });
}
