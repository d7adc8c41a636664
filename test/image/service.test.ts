import { describe, expect, inject, test } from 'vitest';
import { ask } from '../support/http.js';
import { docker, dockerOutput, waitFor } from './docker.js';
import { HARDENED, Pod } from './pod.js';

/** A user that the image has never heard of. */
const STRANGER = ['--user', '54321:54321'] as const;

describe('the service in a container', () => {
  test('runs as a stranger, without rights, on a read-only file system, and writes no file', async () => {
    const pod = await Pod.create();
    const service = await pod.start(['start'], { flags: [...HARDENED, ...STRANGER] });
    await service.becomes('healthy');
    await waitFor('readiness', 60_000, async () => (await ask(`${pod.url}/readyz`)).status === 200);

    const page = await ask(pod.url);
    expect(page.status).toBe(200);
    expect(page.text).toContain('<h1');
    expect((await ask(`${pod.url}/metrics`)).text).toContain('pai_mirror_build_info');

    const { stdout: told } = await service.node(
      'console.log(process.getuid(), fs.readFileSync("/proc/1/status", "utf8"))',
    );
    expect(told).toMatch(/^54321 /);
    expect(told).toMatch(/^CapEff:\s+0+$/m);
    expect(told).toMatch(/^NoNewPrivs:\s+1$/m);
    for (const path of ['/app/x', '/tmp/x', '/var/lib/pai-mirror/x'])
      expect((await service.node(`fs.writeFileSync(${JSON.stringify(path)}, '')`)).stderr).toMatch(/EROFS|EACCES/);
    expect(await dockerOutput('diff', service.id)).toBe('');

    const runs = async (): Promise<boolean> => /flow-/.test((await ask(`${pod.url}/runs`)).text);
    await waitFor('runs on the page', 60_000, runs, () => service.logs());
    expect(await service.logs()).not.toMatch(/"level":"(error|fatal)"/);
    expect(await service.stop()).toMatchObject({
      code: 0,
      seconds: expect.toSatisfy((seconds: number) => seconds < 10),
    });
  });

  test('is unhealthy while it hangs, and healthy when it goes on', async () => {
    const pod = await Pod.create();
    const service = await pod.start(['start']);
    await service.becomes('healthy');
    await service.signal('STOP');
    await service.becomes('unhealthy');
    await service.signal('CONT');
    await service.becomes('healthy');
  });

  test('is healthy wherever it was told to answer, with a token or without, and where nobody can ask', async () => {
    const pod = await Pod.create();
    const token = 'a-token-of-this-test';
    const places: Record<string, string>[] = [
      { HTTP_HOST: '127.0.0.1', HTTP_PUBLIC: '', HTTP_PORT: '9001' },
      { HTTP_HOST: '::', HTTP_PUBLIC: '', HTTP_TOKEN: token, HTTP_PORT: '9002' },
      { HTTP_HOST: 'localhost', HTTP_PUBLIC: '', HTTP_TOKEN: token },
      { HTTP_PORT: 'off' },
    ];
    for (const env of places) {
      const service = await pod.start(['start'], { env });
      await service.sees('pai-mirror started');
      await service.becomes('healthy');
      expect((await service.stop()).code).toBe(0);
    }
  });

  test('is healthy while it waits for a database, and not ready', async () => {
    const pod = await Pod.create();
    const service = await pod.start(['start'], { env: { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' } });
    await service.sees('the database is not there yet');
    await service.becomes('healthy');
    expect((await ask(`${pod.url}/readyz`)).status).toBe(503);
    expect(await service.stop()).toMatchObject({ code: 0 });
  });

  test('shows the demo, with a volume that remembers its clock, also as a user of the group root', async () => {
    const pod = await Pod.create();
    const volume = await dockerOutput('volume', 'create', '--label', inject('run'));
    const flags = [...HARDENED, '--user', '54321:0', '--volume', `${volume}:/var/lib/pai-mirror`];
    const first = await pod.start(['demo', '--use-database-url'], { flags });
    await first.becomes('healthy');
    await first.sees('first rows after');
    expect((await ask(pod.url)).status).toBe(200);
    expect(await first.stop()).toMatchObject({ code: 0 });
    const second = await pod.start(['demo', '--use-database-url'], { flags });
    await second.sees('goes on where it stopped');
    expect(await second.stop()).toMatchObject({ code: 0 });
    await docker('rm', '--force', first.id, second.id);
    await docker('volume', 'rm', volume);
  });
});

describe('a command in a container', () => {
  test('does its work and ends: migrate, sync, status, doctor, reader', async () => {
    const pod = await Pod.create();
    const flags = [...HARDENED, ...STRANGER];
    const run = async (...command: string[]) => {
      const result = await pod.run(command, { flags });
      expect(result, `${command.join(' ')}\n${result.stderr}`).toMatchObject({ code: 0 });
      return result.stdout;
    };
    expect(await run('migrate')).toContain('applied 0000');
    await run('sync');
    const { scopes } = JSON.parse(await run('status', '--json')) as { scopes: { pipelineRuns: number }[] };
    expect(scopes.reduce((sum, { pipelineRuns }) => sum + pipelineRuns, 0)).toBeGreaterThan(50);
    expect(await run('doctor')).toContain('database-version');
    expect(await run('reader')).toContain('pai_reader');
  });

  test('is not called unhealthy because it answers no HTTP', async () => {
    const pod = await Pod.create();
    const answer = await pod.silencePai();
    const sync = await pod.start(['sync']);
    await sync.becomes('healthy');
    const log = await sync.inspect('json .State.Health.Log');
    expect(log).toContain('this is `sync`');
    await answer();
    expect(await sync.end()).toMatchObject({ code: 0 });
  });
});
