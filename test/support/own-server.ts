/** A PostgreSQL of the test's own, which it may crash: the one that all tests share must never be. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import { commandLineOf } from '../../src/embedded/process-identity.js';
import { silentLogger } from '../../src/util/logger.js';
import { scratchDirectory } from './scratch.js';

export interface OwnServer {
  readonly url: string;
  readonly port: number;
  readonly dataDirectory: string;
  /** The postmaster's. */
  pid(): number;
  /**
   * `fast` ends sessions and writes a checkpoint, `immediate` is a crash of all processes at once, `postmaster` one of
   * the first process, which the others notice. Waits for its end.
   */
  down(mode: keyof typeof SIGNALS): Promise<void>;
  /** On the same port, with the same data. */
  up(): Promise<void>;
}

const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', postmaster: 'SIGKILL' } as const;

/** Gone with the test, or when whoever is given as `onDone` says so. Durable: what a crash may take is part of what is tested. */
export async function startOwnServer(
  settings: Readonly<Record<string, string>> = {},
  own: { readonly port?: number; readonly onDone?: (cleanup: () => Promise<void>) => void } = {},
): Promise<OwnServer> {
  const dataDir = await scratchDirectory('own');
  const launch = (port?: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      settings,
      mayCreateDatabases: true,
      restarts: false,
      systemPlaces: [join(dataDir, 'system')],
      ...(port === undefined ? {} : { port }),
    });
  const handles = [await launch(own.port)];
  const latest = (): EmbeddedPostgres => handles.at(-1) as EmbeddedPostgres;
  (own.onDone ?? onTestFinished)(async () => {
    for (const handle of handles) await handle.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const { connectionString: url, port, dataDirectory } = latest();
  return {
    url,
    port,
    dataDirectory,
    pid: () => latest().pid,
    down: async (mode) => {
      const { pid } = latest();
      process.kill(pid, SIGNALS[mode]);
      for (const end = Date.now() + 20_000; (await commandLineOf(pid)) !== null; await delay(20)) {
        if (Date.now() > end) throw new Error(`the server (pid ${pid}) does not end`);
      }
    },
    up: async () => {
      handles.push(await launch(port));
    },
  };
}
