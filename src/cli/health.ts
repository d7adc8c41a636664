/**
 * `health`: whether the service beside it answers. It is what the health check of a container asks: an image has neither curl
 * nor wget, and only the configuration knows where to ask.
 *
 * The commands of an image share one health check, and only two of them answer HTTP. A first `sync` of some hours must not be
 * called ill for that, so with `--container` silence is well while another command of pai-mirror runs there.
 */
import { readdir, readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { type Config, parseConfig, readEnvironment } from '../config.js';
import { UsageError } from '../domain/errors.js';
import type { ExitCode } from './context.js';
import { type Output, stdoutOutput } from './output.js';

export interface HealthOptions {
  /** Asked from within a container, of whatever runs there. */
  readonly container: boolean;
}

/** The whole answer of `/healthz`; less than the time that Docker gives the check. */
const ANSWER_LIMIT_MS = 5_000;

/** The commands that answer HTTP. */
const SERVICES: readonly string[] = ['start', 'demo'];

export async function healthCommand({ container }: HealthOptions): Promise<ExitCode> {
  const output = stdoutOutput();
  // Nothing else matters here, and may be known only to the service: a shell that started it may have read a token from a file.
  const { HTTP_HOST, HTTP_PORT } = readEnvironment();
  const url = healthUrl(parseConfig({ HTTP_HOST, HTTP_PORT, HTTP_PUBLIC: 'true' }, { scopes: false }));
  if (url === null) return tellUnknown(output, container);
  const failure = await askHealth(url, ANSWER_LIMIT_MS);
  const others = failure === null || !container ? [] : await runningCommands();
  const { healthy, text } = judgeHealth(url, failure, others);
  output.print(text);
  return healthy ? 0 : 1;
}

/** Docker has no third answer, and a port that is off is nobody's illness. */
function tellUnknown(output: Output, container: boolean): ExitCode {
  const found = 'HTTP_PORT: found off or 0 (any free one)';
  if (!container) throw new UsageError(`${found}, expected the port on which the service answers`);
  output.print(`${found}: nobody can ask how the service is`);
  return 0;
}

/** Where the service answers this machine; null where that cannot be known from its configuration. */
export function healthUrl({ httpHost, httpPort }: Pick<Config, 'httpHost' | 'httpPort'>): string | null {
  if (httpPort === null || httpPort === 0) return null;
  // Whoever listens everywhere listens on loopback, too; many a container has no ::1, and `::` takes IPv4 as well.
  const host = ['0.0.0.0', '::', 'localhost'].includes(httpHost) ? '127.0.0.1' : httpHost;
  return `http://${host.includes(':') ? `[${host}]` : host}:${httpPort}/healthz`;
}

export interface Health {
  readonly healthy: boolean;
  readonly text: string;
}

/** `failure`: why there was no good answer, null when there was one. `commands`: of pai-mirror, that run beside the check. */
export function judgeHealth(url: string, failure: string | null, commands: readonly string[]): Health {
  if (failure === null) return { healthy: true, text: `${url} answers` };
  const other = commands.some((command) => SERVICES.includes(command)) ? undefined : commands[0];
  if (other !== undefined) return { healthy: true, text: `this is \`${other}\`, which answers no HTTP, and it runs` };
  return { healthy: false, text: `${url} ${failure}` };
}

/** Null when it answered well within the time; otherwise why not, as the rest of a sentence. Never throws. */
export function askHealth(url: string, limitMs: number): Promise<string | null> {
  const signal = AbortSignal.timeout(limitMs);
  return new Promise((resolve) => {
    // No agent: a connection that is kept open would keep this process.
    const request = get(url, { agent: false, signal }, (response) => {
      response.resume();
      response.on('error', fail);
      response.on('end', () => resolve(response.statusCode === 200 ? null : `answers ${response.statusCode}`));
    });
    const fail = (error: Error): void =>
      resolve(signal.aborted ? `did not answer within ${limitMs} ms` : `does not answer: ${error.message}`);
    request.on('error', fail);
  });
}

/** What of pai-mirror runs in this container, health checks aside, by the list of processes that Linux keeps. */
async function runningCommands(): Promise<string[]> {
  const entries = await readdir('/proc').catch(() => []);
  const lines = await Promise.all(
    entries
      .filter((name) => /^\d+$/.test(name))
      // A process may end before it is read.
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.flatMap((line) => commandOf(line.split('\0')) ?? []).filter((command) => command !== 'health');
}

/** `node --option dist/main.js sync --dry-run` → `sync`; null: not pai-mirror. */
export function commandOf(argv: readonly string[]): string | null {
  const main = argv.findIndex((word, index) => index > 0 && /^(\S*\/)?(main\.js|pai-mirror)$/.test(word));
  return (main === -1 ? '' : argv[main + 1]) || null;
}
