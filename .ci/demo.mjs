/**
 * Runs `npm run demo` the way a newcomer does: waits for the connection string that it prints, reads mirrored rows through
 * it, presses Ctrl-C, and checks that everything is gone then. Exit code 1 and the demo's output when that takes too long.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const FIRST_ROWS_MS = 90_000;
const SHUTDOWN_MS = 30_000;

/** Rows of the mirror's first table; null as long as it cannot be read. */
async function countRows(connectionString) {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return Number((await client.query('SELECT count(*) AS n FROM pai.pipeline_runs')).rows[0].n);
  } catch {
    return null;
  } finally {
    await client.end().catch(() => {});
  }
}

async function waitFor(what, millis, check) {
  for (const deadline = Date.now() + millis; Date.now() < deadline; await delay(250)) {
    const found = await check();
    if (found) return found;
  }
  throw new Error(`${what}: not within ${millis / 1_000} seconds`);
}

async function tryDemo(demo, read) {
  const started = Date.now();
  const url = await waitFor('a connection string in the output', FIRST_ROWS_MS, () => {
    if (demo.exitCode !== null) throw new Error(`the demo ended with exit code ${demo.exitCode}`);
    return /postgres(?:ql)?:\/\/[^\s'"]+/.exec(read())?.[0];
  });
  const rows = await waitFor('mirrored rows', FIRST_ROWS_MS - (Date.now() - started), () => countRows(url));
  process.stdout.write(`${rows} pipeline runs after ${Math.round((Date.now() - started) / 1_000)} seconds\n`);
  process.kill(-demo.pid, 'SIGINT');
  await waitFor('the end after Ctrl-C', SHUTDOWN_MS, () => demo.exitCode !== null || demo.signalCode !== null);
  await waitFor('the end of the database', SHUTDOWN_MS, async () => (await countRows(url)) === null);
}

const dataDir = await mkdtemp(join(tmpdir(), 'pai-mirror-demo-'));
// As root the server is another user, who is to find its data here: then all of it goes away with the directory.
await chmod(dataDir, 0o755);
// A group of its own, which gets the signal as a whole: that is what a terminal does on Ctrl-C.
const demo = spawn('npm', ['run', 'demo'], {
  detached: true,
  stdio: ['ignore', 'pipe', 'pipe'],
  env: { ...process.env, PAI_MIRROR_DATA_DIR: join(dataDir, 'data') },
});
let output = '';
for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (chunk) => (output += chunk));
try {
  await tryDemo(demo, () => output);
} catch (error) {
  process.stdout.write(`${output}\n${error.message}\n`);
  process.exitCode = 1;
} finally {
  if (demo.exitCode === null && demo.signalCode === null) process.kill(-demo.pid, 'SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
}
