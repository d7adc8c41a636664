import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig, readEnvironment, secretsOf, unknownVariables } from '../../src/config.js';
import { UsageError } from '../../src/domain/errors.js';

const mistakesOf = (env: Record<string, string>, scopes = true): string => {
  try {
    parseConfig(env, { scopes });
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error('expected a UsageError');
};

describe('configuration', () => {
  it('needs nothing but the scopes and fills in the defaults of the contract', () => {
    const config = parseConfig({ PAI_SCOPES: 'cn-shanghai:15945' }, { scopes: true });
    expect(config).toMatchObject({
      databaseUrl: null,
      scopes: [{ region: 'cn-shanghai', workspaceId: '15945' }],
      pageSize: 100,
      statusBatch: 100,
      nodeDepth: 10,
      nodeTypes: ['Logical'],
      concurrency: 4,
      flowQps: 5,
      listRunsQps: 15,
      callTimeoutMs: 30_000,
      overlapSeconds: 600,
      hotWindowHours: 168,
      httpHost: '127.0.0.1',
      httpPort: 8080,
      logLevel: 'info',
    });
    expect(config.dataDir.endsWith('/.pai-mirror')).toBe(true);
  });

  it('reads several scopes, stars included, and drops repetitions', () => {
    const { scopes } = parseConfig({ PAI_SCOPES: ' cn-shanghai:1, cn-hangzhou:* ,cn-shanghai:1' }, { scopes: true });
    expect(scopes).toEqual([
      { region: 'cn-shanghai', workspaceId: '1' },
      { region: 'cn-hangzhou', workspaceId: '*' },
    ]);
  });

  it('names every wrong variable in one message, with what was found and what is expected', () => {
    const message = mistakesOf({
      PAI_SCOPES: 'shanghai',
      PAI_PAGE_SIZE: 'many',
      PAI_FLOW_QPS: '-1',
      PAI_NODE_TYPES: 'Virtual',
      POLL_CRON: 'sometimes',
      HTTP_PORT: '99999',
      LOG_LEVEL: 'loud',
      PAI_CONCURRENCY: '4.5',
    });
    expect(message.split('\n')[0]).toBe('configuration: 8 variables are wrong');
    for (const [name, found] of [
      ['PAI_SCOPES', 'shanghai'],
      ['PAI_PAGE_SIZE', 'many'],
      ['PAI_FLOW_QPS', '-1'],
      ['PAI_NODE_TYPES', 'Virtual'],
      ['POLL_CRON', 'sometimes'],
      ['HTTP_PORT', '99999'],
      ['LOG_LEVEL', 'loud'],
      ['PAI_CONCURRENCY', '4.5'],
    ]) {
      expect(message).toMatch(new RegExp(`^  ${name}: found "${found}", expected `, 'm'));
    }
  });

  it('never repeats a value that may hold a password', () => {
    const secret = 'hunter2';
    const message = mistakesOf({
      PAI_SCOPES: 'cn-shanghai:1',
      DATABASE_URL: `mysql://root:${secret}@db/pai`,
      PAI_FLOW_ENDPOINT: `https://user:${secret}@paiflow.example.com/x`,
    });
    expect(message).toContain('DATABASE_URL');
    expect(message).toContain('PAI_FLOW_ENDPOINT');
    expect(message).not.toContain(secret);
  });

  it('allows plain http for this machine only, unless told otherwise', () => {
    const remote = { PAI_SCOPES: 'cn-shanghai:1', PAI_FLOW_ENDPOINT: 'http://pai.example.com' };
    expect(mistakesOf(remote)).toContain('PAI_FLOW_ENDPOINT');
    expect(parseConfig({ ...remote, PAI_ALLOW_HTTP: 'true' }, { scopes: true }).flowEndpoint).toBe(
      'http://pai.example.com',
    );
    const local = { PAI_SCOPES: 'cn-shanghai:1', PAI_FLOW_ENDPOINT: 'http://127.0.0.1:8091' };
    expect(parseConfig(local, { scopes: true }).flowEndpoint).toBe('http://127.0.0.1:8091');
  });

  it('counts a blank variable as not set and asks for scopes only where they are needed', () => {
    expect(parseConfig({ PAI_SCOPES: ' ', PAI_PAGE_SIZE: '' }, { scopes: false })).toMatchObject({
      scopes: [],
      pageSize: 100,
    });
    expect(mistakesOf({ PAI_SCOPE: 'cn-shanghai:1' })).toContain('PAI_SCOPE is set: a misspelling?');
  });

  it('names what is wrong only together with another variable beside what is wrong by itself', () => {
    const message = mistakesOf({
      PAI_SCOPES: 'cn-a:1',
      PAI_PAGE_SIZE: 'many',
      HTTP_HOST: '0.0.0.0',
      PAI_FLOW_ENDPOINT: 'http://mirror.example',
    });
    expect(message).toMatch(/3 variables are wrong/);
    for (const name of ['PAI_PAGE_SIZE', 'HTTP_TOKEN', 'PAI_FLOW_ENDPOINT'])
      expect(message).toContain(`${name}: found`);
  });

  it('does not judge together what is wrong by itself: a token that cannot be one is not missing', () => {
    const message = mistakesOf({ PAI_SCOPES: 'cn-a:1', HTTP_HOST: '0.0.0.0', HTTP_TOKEN: 'short' });
    expect(message.match(/HTTP_TOKEN/g)).toHaveLength(1);
    const plain = { PAI_ALLOW_HTTP: 'maybe', PAI_FLOW_ENDPOINT: 'http://mirror.example' };
    expect(mistakesOf({ PAI_SCOPES: 'cn-a:1', ...plain })).not.toContain('PAI_FLOW_ENDPOINT');
  });

  it.each([
    ['HTTP_TOKN', 'HTTP_TOKEN'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['POLL_CORN', 'POLL_CRON'],
    ['pai_scopes', 'PAI_SCOPES'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['PAI_SOMETHING', null],
  ])('takes %s for a slip of the pen', (name, meant) => {
    expect(unknownVariables({ [name]: 'x' })).toEqual([{ name, meant }]);
  });

  it.each(['HTTP_PROXY', 'PATH', 'PGHOST', 'READER', 'LOG', 'HOSTNAME', 'NODE_OPTIONS', 'ALIBABA_CLOUD_ACCESS_KEY_ID'])(
    'leaves %s to whoever it belongs to',
    (name) => expect(unknownVariables({ [name]: 'x' })).toEqual([]),
  );

  it('reads a .env that an editor began with a mark of its encoding, and refuses one of another encoding', () => {
    const directory = mkdtempSync(join(tmpdir(), 'pai-mirror-test-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, '.env'), '\uFEFFFROM_FILE=1\r\nexport QUOTED="a # b" # comment\r\n');
    expect(readEnvironment(directory)).toMatchObject({ FROM_FILE: '1', QUOTED: 'a # b' });
    writeFileSync(join(directory, '.env'), 'FROM_FILE=1\n', 'utf16le');
    expect(() => readEnvironment(directory)).toThrow(/\.env: .*expected UTF-8/);
  });

  it('knows a secret wherever an environment holds it', () => {
    const DATABASE_URL = 'postgresql://me:one%2Fword@host/db?password=another+word';
    expect(secretsOf({ DATABASE_URL, PGPASSWORD: 'third', HTTP_TOKEN: ' fourth ' })).toEqual([
      'fourth',
      'third',
      'one%2Fword',
      'another word',
    ]);
    expect(secretsOf({ DATABASE_URL: 'me:word@host' })).toEqual(['me:word@host']);
  });
});
