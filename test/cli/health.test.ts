import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askHealth, commandOf, healthUrl, judgeHealth } from '../../src/cli/health.js';
import { createServer as createMirrorServer } from '../../src/http/server.js';
import { silentLogger } from '../../src/util/logger.js';
import { runCommand } from '../support/command.js';

const at = (httpHost: string, httpPort: number | null) => healthUrl({ httpHost, httpPort });

describe('where health is asked', () => {
  it('is loopback when the service listens everywhere, and otherwise the address that it listens on', () => {
    expect(at('127.0.0.1', 8080)).toBe('http://127.0.0.1:8080/healthz');
    expect(at('0.0.0.0', 9090)).toBe('http://127.0.0.1:9090/healthz');
    expect(at('::', 8080)).toBe('http://127.0.0.1:8080/healthz');
    expect(at('localhost', 8080)).toBe('http://127.0.0.1:8080/healthz');
    expect(at('::1', 8080)).toBe('http://[::1]:8080/healthz');
    expect(at('fd00::2', 8080)).toBe('http://[fd00::2]:8080/healthz');
    expect(at('10.0.0.7', 8080)).toBe('http://10.0.0.7:8080/healthz');
    expect(at('mirror-0', 8080)).toBe('http://mirror-0:8080/healthz');
  });

  it('is nowhere without a port that the configuration tells', () => {
    expect(at('127.0.0.1', null)).toBeNull();
    expect(at('127.0.0.1', 0)).toBeNull();
  });
});

describe('what a process of the container runs', () => {
  it('is the command behind the program, whoever started it', () => {
    expect(commandOf(['node', '/app/dist/main.js', 'start', ''])).toBe('start');
    expect(commandOf(['node', '--max-old-space-size=256', 'dist/main.js', 'sync', '--dry-run'])).toBe('sync');
    expect(commandOf(['/sbin/docker-init', '--', 'node', '/app/dist/main.js', 'migrate'])).toBe('migrate');
    expect(commandOf(['node', '/usr/bin/pai-mirror', 'export', '--out', '/x'])).toBe('export');
  });

  it('is nothing of pai-mirror for a shell whose script names it, for another program, for a thread of the kernel', () => {
    expect(commandOf(['/bin/sh', '-euc', 'cat /x\nexec node dist/main.js', ''])).toBeNull();
    expect(commandOf(['node', '/srv/other/server.js', 'start'])).toBeNull();
    expect(commandOf(['node', '/app/dist/main.js'])).toBeNull();
    expect(commandOf([''])).toBeNull();
  });
});

describe('the verdict', () => {
  const url = 'http://127.0.0.1:8080/healthz';
  const healthy = (failure: string | null, commands: string[] = []) => judgeHealth(url, failure, commands).healthy;

  it('is that of the answer, when the service runs or nothing does', () => {
    expect(healthy(null)).toBe(true);
    expect(healthy('does not answer', ['start'])).toBe(false);
    expect(healthy('does not answer', ['demo'])).toBe(false);
    expect(healthy('does not answer')).toBe(false);
    expect(judgeHealth(url, 'answers 500', ['start']).text).toBe(`${url} answers 500`);
  });

  it('is well for a command that answers no HTTP, unless the service runs beside it', () => {
    expect(judgeHealth(url, 'does not answer', ['sync'])).toEqual({
      healthy: true,
      text: 'this is `sync`, which answers no HTTP, and it runs',
    });
    expect(healthy('does not answer', ['sync', 'start'])).toBe(false);
  });
});

/** The port of a server that treats every request so. */
async function serverThat(answers: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer({}, answers).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('pai-mirror health', () => {
  it('ends with 0 where the service answers, also when everything else there needs a token', async () => {
    const token = 'a-token-of-this-test';
    const { healthRoutes } = await import('../../src/http/routes/health.js');
    const routes = [healthRoutes({ reason: async () => 'stopping' } as never)];
    const access = { host: '127.0.0.1', token };
    const server = await createMirrorServer({ access, routes, logger: silentLogger });
    onTestFinished(() => server.close());
    const { port } = new URL(await server.listen(0));
    // The token is known to the service only.
    const env = { HTTP_PORT: port, HTTP_HOST: '0.0.0.0', PAI_SCOPES: 'no scope' };
    expect(await runCommand(['health'], { env })).toEqual({
      code: 0,
      stdout: `http://127.0.0.1:${port}/healthz answers\n`,
      stderr: '',
    });
  });

  it('ends with 1, and says why, where nothing answers, or not well', async () => {
    const closed = await runCommand(['health'], { env: { HTTP_PORT: '1' } });
    expect(closed).toMatchObject({ code: 1, stdout: expect.stringContaining('ECONNREFUSED') });
    const port = String(await serverThat((_request, response) => response.writeHead(503).end('no')));
    expect(await runCommand(['health'], { env: { HTTP_PORT: port } })).toMatchObject({
      code: 1,
      stdout: `http://127.0.0.1:${port}/healthz answers 503\n`,
    });
  });

  it('waits for an answer as long as it was told, for its head and for its body', async () => {
    const silent = await serverThat(() => {});
    expect(await askHealth(`http://127.0.0.1:${silent}/healthz`, 100)).toBe('did not answer within 100 ms');
    const endless = await serverThat((_request, response) => response.writeHead(200).write('o'));
    expect(await askHealth(`http://127.0.0.1:${endless}/healthz`, 100)).toBe('did not answer within 100 ms');
  });

  it('without a port says that it cannot know, which is no illness of a container', async () => {
    expect(await runCommand(['health'], { env: { HTTP_PORT: 'off' } })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/HTTP_PORT: found off .*expected/),
    });
    for (const HTTP_PORT of ['off', '0'])
      expect(await runCommand(['health', '--container'], { env: { HTTP_PORT } })).toMatchObject({ code: 0 });
  });
});
