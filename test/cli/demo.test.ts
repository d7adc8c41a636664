import { once } from 'node:events';
import { createServer } from 'node:net';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { emptyDirectory, runCli, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { ask } from '../support/http.js';
import { parseScrape, total } from '../support/scrape.js';

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

const environment = (url: string): Record<string, string> => ({
  DATABASE_URL: url,
  PAI_MIRROR_DATA_DIR: emptyDirectory(),
});

describe('demo --use-database-url', () => {
  it('answers HTTP, on any free port where the usual one is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    onTestFinished(() => void holder.close());
    const { port } = holder.address() as { port: number };
    const { url } = await createDatabase();
    const env = { ...environment(url), HTTP_PORT: String(port) };
    const cli = startCli(['demo', '--use-database-url'], { env });
    await cli.sees('first rows after');
    expect(cli.stdout()).toContain(`HTTP_PORT: found ${port} of 127.0.0.1 in use`);
    const [, address] = /^ {2}HTTP {8}(\S+)$/m.exec(cli.stdout()) ?? [];
    expect((await ask(`${address}/readyz`)).text).toBe('{"ready":true}');
    const samples = parseScrape((await ask(`${address}/metrics`)).text);
    expect(total(samples, 'pai_mirror_calls_total', { outcome: 'ok' })).toBeGreaterThan(5);
    expect(total(samples, 'pai_mirror_active_runs')).toBeGreaterThan(0);
    cli.child.kill('SIGTERM');
    expect(await cli.exited).toBe(0);
  });

  it('mirrors into that database, shows no password of it, and stops on SIGTERM', async () => {
    const { url } = await createDatabase();
    const cli = startCli(['demo', '--use-database-url'], { env: environment(url) });
    await cli.sees('first rows after');
    cli.child.kill('SIGTERM');
    expect(await cli.exited).toBe(0);
    const client = await connect(url);
    const { rows } = await client.query('select distinct region from analytics.pipeline_runs');
    expect(rows).toEqual([{ region: 'cn-demo' }]);
    expect(cli.stdout()).toContain('user pai_reader');
    expect(cli.stdout() + cli.stderr()).not.toContain(new URL(url).password);
  });

  it('refuses a database that mirrors anything else, and writes nothing there', async () => {
    const { url } = await createDatabase();
    const client = await connect(url);
    await client.query(`insert into pai.sync_leases values ('cn-shanghai:1', 'details', 'me', 1, now(), now())`);
    const { code, stderr } = await runCli(['demo', '--use-database-url'], { env: environment(url) });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('a mirror of cn-shanghai:1') });
    expect((await client.query('select count(*)::int as n from pai.pipeline_runs')).rows).toEqual([{ n: 0 }]);
  });

  it('needs DATABASE_URL', async () => {
    const env = { PAI_MIRROR_DATA_DIR: emptyDirectory() };
    const { code, stderr } = await runCli(['demo', '--use-database-url'], { env });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('DATABASE_URL is not set') });
  });
});
