import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { docker, dockerOutput, waitFor } from './docker.js';

declare module 'vitest' {
  interface ProvidedContext {
    image: string;
    /** On every container and network of this run, and their network's name. */
    run: string;
    /** The container of the database, by this name also in the network. */
    database: string;
    databasePassword: string;
  }
}

const ROOT = resolve(import.meta.dirname, '../..');

/** Builds the image (or takes TEST_IMAGE), starts one PostgreSQL, and removes everything at the end. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  await requireDocker();
  const run = `pai-mirror-test-${randomBytes(4).toString('hex')}`;
  const tearDown = (): Promise<void> => removeAll(run);
  try {
    project.provide('run', run);
    project.provide('image', process.env.TEST_IMAGE || (await build(run)));
    await dockerOutput('network', 'create', '--label', run, run);
    const password = randomBytes(12).toString('hex');
    project.provide('database', await startDatabase(run, password));
    project.provide('databasePassword', password);
    return tearDown;
  } catch (error) {
    await tearDown();
    throw error;
  }
}

/** A test that was skipped looks just like one that passed, and this one was asked for. */
async function requireDocker(): Promise<void> {
  const { code, stderr } = await docker('version', '--format', '{{.Server.Version}}').catch((error: Error) => ({
    code: -1,
    stderr: error.message,
  }));
  if (code !== 0)
    throw new Error(`npm run test:image needs a Docker engine that answers, and there is none: ${stderr}`);
}

async function build(tag: string): Promise<string> {
  const base = process.env.NODE_IMAGE ? ['--build-arg', `NODE_IMAGE=${process.env.NODE_IMAGE}`] : [];
  // The network of this machine: where packages come from by a proxy, that one may be on it.
  await dockerOutput('build', '--quiet', '--network=host', '--tag', tag, ...base, ROOT);
  return tag;
}

async function startDatabase(run: string, password: string): Promise<string> {
  const image = process.env.TEST_POSTGRES_IMAGE || 'postgres:16-alpine';
  const name = `${run}-database`;
  const secret = ['--env', `POSTGRES_PASSWORD=${password}`];
  await dockerOutput('run', '--detach', '--label', run, '--network', run, '--name', name, ...secret, image);
  // By TCP: while it is set up for the first time the server answers on its socket only, and then stops once more.
  const isReady = async (): Promise<boolean> =>
    (await docker('exec', name, 'pg_isready', '--host=127.0.0.1', '--username=postgres')).code === 0;
  await waitFor('the database', 120_000, isReady, () => dockerOutput('logs', name));
  return name;
}

async function removeAll(run: string): Promise<void> {
  const filter = `label=${run}`;
  const list = async (...args: string[]): Promise<string[]> =>
    (await docker(...args, '--quiet', '--filter', filter)).stdout.split('\n').filter((id) => id !== '');
  const containers = await list('ps', '--all');
  if (containers.length > 0) await docker('rm', '--force', '--volumes', ...containers);
  const networks = await list('network', 'ls');
  if (networks.length > 0) await docker('network', 'rm', ...networks);
  await docker('image', 'rm', run);
}
