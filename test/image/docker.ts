/** The few things that the tests ask of the command `docker`. Rejected: its API, which says the same in more words. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Building an image takes minutes; everything else seconds. */
const LIMIT_MS = 900_000;

/** Runs `docker …` to its end, whatever the exit code. Throws only when there is no such command. */
export function docker(...args: readonly string[]): Promise<Result> {
  return new Promise((resolve, reject) => {
    execFile('docker', args, { timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error);
    });
  });
}

/** The same, and its stdout without the blanks around it; throws what it said when it failed. */
export async function dockerOutput(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(...args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}

/** Every quarter of a second until `look` finds something. Throws with what `otherwise` tells when the time is over. */
export async function waitFor<T>(
  what: string,
  millis: number,
  look: () => Promise<T | null | undefined | false>,
  otherwise: () => Promise<string> = async () => '',
): Promise<T> {
  for (const deadline = Date.now() + millis; Date.now() < deadline; await delay(250)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`${what}: not within ${millis / 1000} s\n${await otherwise()}`);
}

/** A container that was started in the background. */
export class Container {
  constructor(readonly id: string) {}

  /** A field of `docker inspect`, such as `.State.ExitCode`. */
  inspect(field: string): Promise<string> {
    return dockerOutput('inspect', '--format', `{{${field}}}`, this.id);
  }

  /** stdout and stderr. */
  async logs(): Promise<string> {
    const { stdout, stderr } = await docker('logs', this.id);
    return stdout + stderr;
  }

  async sees(text: string | RegExp, millis = 60_000): Promise<string> {
    const look = async (): Promise<string | false> => {
      const logs = await this.logs();
      return (typeof text === 'string' ? logs.includes(text) : text.test(logs)) && logs;
    };
    return waitFor(`${text} in the log`, millis, look, () => this.logs());
  }

  /** Until the health check says so. */
  async becomes(health: 'healthy' | 'unhealthy', millis = 120_000): Promise<void> {
    const look = async (): Promise<boolean> => (await this.inspect('.State.Health.Status')) === health;
    const tell = async (): Promise<string> => (await this.inspect('json .State.Health')) + (await this.logs());
    await waitFor(`state ${health}`, millis, look, tell);
  }

  /** Runs a program of Node.js in it. */
  node(code: string): Promise<Result> {
    return docker('exec', this.id, 'node', '-e', code);
  }

  async signal(name: string): Promise<void> {
    await dockerOutput('kill', '--signal', name, this.id);
  }

  /** Its exit code, and the seconds since now. */
  async end(millis = 60_000): Promise<{ readonly code: number; readonly seconds: number }> {
    const began = performance.now();
    await waitFor(
      'the end',
      millis,
      async () => (await this.inspect('.State.Running')) === 'false',
      () => this.logs(),
    );
    return { code: Number(await this.inspect('.State.ExitCode')), seconds: (performance.now() - began) / 1000 };
  }

  /** `docker stop`: SIGTERM, and SIGKILL (code 137) after its usual 10 seconds. */
  async stop(): Promise<{ readonly code: number; readonly seconds: number }> {
    const began = performance.now();
    await dockerOutput('stop', this.id);
    return { code: Number(await this.inspect('.State.ExitCode')), seconds: (performance.now() - began) / 1000 };
  }
}
