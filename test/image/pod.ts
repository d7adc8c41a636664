/**
 * What a service needs around it: a database of its own, and a PAI. The emulator listens on loopback only, so the containers
 * that read from it join its network, as those of a Kubernetes pod do.
 */
import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { Container, docker, dockerOutput, type Result } from './docker.js';

/** What an operator should be able to ask of any container. */
export const HARDENED = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'] as const;

/** The health check of the image, at a pace for tests. */
const QUICK_HEALTH = ['--health-interval=1s', '--health-retries=2', '--health-start-period=0s'] as const;

export interface RunOptions {
  /** Of `docker run`. Default: HARDENED. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class Pod {
  private constructor(
    private readonly emulator: Container,
    /** Of the emulator and the database. */
    readonly env: Readonly<Record<string, string>>,
    /** Where port 8080 of the pod answers on this machine. */
    readonly url: string,
  ) {}

  static async create(): Promise<Pod> {
    const name = `mirror_${randomBytes(4).toString('hex')}`;
    const [run, password] = [inject('run'), inject('databasePassword')];
    const admin = ['exec', '--env', `PGPASSWORD=${password}`, inject('database')];
    await dockerOutput(...admin, 'createdb', '--host=127.0.0.1', '--username=postgres', name);
    const network = ['--network', run, '--publish', '127.0.0.1::8080'];
    const emulator = await start([...network, '--init'], ['emulator', '--history', '60', '--active', '5']);
    const printed = await emulator.sees(/ACCESS_KEY_SECRET/);
    const exports = [...printed.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, key, value]) => [key, value] as const);
    const address = await dockerOutput('port', emulator.id, '8080/tcp');
    const databaseUrl = `postgresql://postgres:${password}@${inject('database')}:5432/${name}`;
    const env = {
      ...Object.fromEntries(exports),
      DATABASE_URL: databaseUrl,
      HTTP_HOST: '0.0.0.0',
      HTTP_PUBLIC: 'true',
    };
    return new Pod(emulator, env, `http://${address.split('\n')[0]}`);
  }

  #flags({ flags = HARDENED, env = {} }: RunOptions): string[] {
    const all = Object.entries({ ...this.env, ...env }).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    return ['--network', `container:${this.emulator.id}`, ...flags, ...all];
  }

  /** In the background; ends with the test. */
  start(command: readonly string[], options: RunOptions = {}): Promise<Container> {
    return start([...this.#flags(options), ...QUICK_HEALTH], command);
  }

  /** To its end. */
  run(command: readonly string[], options: RunOptions = {}): Promise<Result> {
    return docker('run', '--rm', '--label', inject('run'), ...this.#flags(options), inject('image'), ...command);
  }

  /** PAI takes requests and never answers, until the function that is returned is called. */
  async silencePai(): Promise<() => Promise<void>> {
    return freeze(this.emulator.id);
  }
}

async function start(flags: readonly string[], command: readonly string[]): Promise<Container> {
  const id = await dockerOutput('run', '--detach', '--label', inject('run'), ...flags, inject('image'), ...command);
  const container = new Container(id);
  onTestFinished(async () => {
    await docker('rm', '--force', '--volumes', id);
  });
  return container;
}

/** The database takes statements and never answers, until the function that is returned is called. */
export const silenceDatabase = (): Promise<() => Promise<void>> => freeze(inject('database'));

async function freeze(id: string): Promise<() => Promise<void>> {
  await dockerOutput('pause', id);
  let frozen = true;
  const thaw = async (): Promise<void> => {
    if (frozen) await dockerOutput('unpause', id);
    frozen = false;
  };
  onTestFinished(thaw);
  return thaw;
}
