import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { scratchDirectory } from '../support/scratch.js';

const ROOT = resolve(import.meta.dirname, '../..');
export const isRoot = process.getuid?.() === 0;

/** The embedded server as compiled JavaScript with the packages it needs, as a process of its own can run it. */
export interface Checkout {
  readonly directory: string;
  /** Starts a process that starts the server, and waits for what becomes of that. */
  start(options: object, user?: { uid: number; gid: number }): Promise<ServiceProcess>;
  /** Starts the process only. */
  launch(options: object, user?: { uid: number; gid: number }): ChildProcess;
  remove(): Promise<void>;
}

export interface Started {
  readonly connectionString: string;
  readonly port: number;
  readonly pid: number;
  readonly started: boolean;
  readonly dataDirectory: string;
}

export interface ServiceProcess {
  readonly child: ChildProcess;
  readonly answer: Started;
  /** An orderly end: stops its server handle and exits. */
  end(): Promise<void>;
  /** SIGKILL, and then it is really gone. */
  kill(): Promise<void>;
}

const CLIENT = `
import { startEmbeddedPostgres } from './embedded/embedded-postgres.js';
import { silentLogger } from './util/logger.js';
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
try {
  const server = await startEmbeddedPostgres({ ...JSON.parse(process.argv[2]), logger: silentLogger });
  say({ ...server, stop: undefined });
  process.on('SIGINT', () => {});
  process.stdin.once('data', async () => {
    await server.stop();
    process.exit(0);
  });
} catch (error) {
  say({ error: { code: error.code, message: error.message } });
  process.exit(1);
}
`;

/** Compiles only this part, so that a mistake elsewhere in src cannot fail these tests. */
export async function makeCheckout(): Promise<Checkout> {
  const directory = await scratchDirectory('checkout');
  const config = {
    extends: join(ROOT, 'tsconfig.build.json'),
    compilerOptions: {
      rootDir: join(ROOT, 'src'),
      outDir: directory,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    files: [join(ROOT, 'src/embedded/embedded-postgres.ts')],
    include: [],
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
  await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', directory]);
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await writeFile(join(directory, 'client.js'), CLIENT);
  await copyPackages(directory);
  const launch: Checkout['launch'] = (options, user) =>
    spawn(process.execPath, [join(directory, 'client.js'), JSON.stringify(options)], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      ...user,
    });
  return {
    directory,
    launch,
    start: async (options, user) => waitForAnswer(launch(options, user)),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** pg, embedded-postgres and this platform's binaries, with all they depend on. */
async function copyPackages(directory: string): Promise<void> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const todo = ['pg', 'embedded-postgres', platform];
  const done = new Set<string>();
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (done.has(name)) continue;
    done.add(name);
    const from = join(ROOT, 'node_modules', name);
    const to = join(directory, 'node_modules', name);
    await mkdir(dirname(to), { recursive: true });
    await cp(from, to, { recursive: true });
    const { dependencies = {} } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'));
    todo.push(...Object.keys(dependencies));
  }
}

async function waitForAnswer(child: ChildProcess): Promise<ServiceProcess> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => ['{}'])])) as [string];
  const answer = JSON.parse(line) as Started & { error?: { code: string; message: string } };
  if (answer.pid === undefined) {
    throw Object.assign(new Error(answer.error?.message ?? 'the process ended without a word'), answer.error);
  }
  const exited = once(child, 'exit');
  return {
    child,
    answer,
    end: async () => {
      child.stdin?.write('stop\n');
      const [code] = await exited;
      if (code !== 0) throw new Error(`the process ended with ${code}`);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
