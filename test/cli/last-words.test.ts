/** What a process says and becomes when its output breaks, or when it breaks itself. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { emptyDirectory, startCli } from '../support/cli.js';

const MAIN = resolve(import.meta.dirname, '../../dist/main.js');
const SECRET = 'the-secret/of-a+test';

/** `script`: of a shell, in which `$MAIN` is the command. */
function shell(script: string, env: Record<string, string> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  const command = `${process.execPath} ${MAIN}`;
  return spawnSync('bash', ['-o', 'pipefail', '-c', script], {
    cwd: emptyDirectory(),
    env: { PATH, HOME, MAIN: command, ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true', ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
}

describe('whoever reads along and stops reading', () => {
  it('ends no command, which goes on to its own exit code and says nothing of it', () => {
    const { status, stderr } = shell('$MAIN doctor --json | true');
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
    expect(shell('$MAIN --help | true')).toMatchObject({ status: 0, stderr: '' });
  });

  it('is told from a stdout that cannot be written: then the command has failed, in one line', () => {
    const { status, stderr } = shell('$MAIN --help > /dev/full');
    expect(stderr).toMatch(/^pai-mirror: stdout cannot be written: ENOSPC[^\n]*\n$/);
    expect(status).toBe(1);
  });
});

describe('the log of a service', () => {
  const service = { PAI_SCOPES: 'cn-test:1', HTTP_PORT: '0', DATABASE_URL: 'postgresql://me:pw@127.0.0.1:1/none' };

  it('may be on a full disk: the service goes on without', () => {
    // It waits for its database meanwhile, and says so. The interrupt ends the wait.
    const { status } = shell('timeout -s INT 3 $MAIN start 2> /dev/full', { ...service, LOG_LEVEL: 'debug' });
    expect(status).toBe(124);
  });

  it('tells in a line of JSON why the service did not come up, and only there', async () => {
    const cli = startCli(['start'], { env: { ...service, HTTP_HOST: '203.0.113.7', HTTP_PUBLIC: 'true' } });
    expect(await cli.exited).toBe(1);
    const lines = cli.stderr().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        level: 'error',
        code: 'HTTP_LISTEN',
        msg: expect.stringMatching(/HTTP_HOST: found 203/),
      }),
    ]);
  });

  it('tells of an error that nobody caught in one line, without a secret in it, and the process ends with 1', async () => {
    const cwd = emptyDirectory();
    const accident = join(cwd, 'accident.mjs');
    writeFileSync(
      accident,
      `import { existsSync } from 'node:fs';
       const fail = () => existsSync('now') && Promise.reject(new Error(process.env.HTTP_TOKEN));
       setInterval(fail, 50).unref();`,
    );
    const env = { ...service, HTTP_TOKEN: SECRET, NODE_OPTIONS: `--import=${pathToFileURL(accident)}` };
    const cli = startCli(['start'], { cwd, env });
    await cli.sees('HTTP is up');
    writeFileSync(join(cwd, 'now'), '');
    expect(await cli.exited).toBe(1);
    const last = cli.stderr().trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({
      level: 'fatal',
      time: expect.stringMatching(/Z$/),
      stack: expect.stringContaining('accident.mjs'),
      msg: 'an error that nobody caught, so this process ends: [secret]',
    });
    expect(cli.stderr()).not.toContain(SECRET);
  });

  it('has the warnings of packages as lines of its own', async () => {
    // pg warns of this word, over eight lines.
    const env = { ...service, DATABASE_URL: `${service.DATABASE_URL}?sslmode=require` };
    const cli = startCli(['start'], { env });
    await cli.sees('SECURITY WARNING');
    cli.child.kill('SIGTERM');
    await cli.exited;
    for (const line of cli.stderr().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
  });
});
