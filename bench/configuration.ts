/** What the figures were measured on. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { version } from 'node:process';
import type { BenchOptions } from './options.js';
import { ROOT } from './processes.js';
import { type BenchServer, withClient } from './server.js';

export type Configuration = Readonly<Record<string, string>>;

/** Those that decide how fast rows are written. */
const SERVER_SETTINGS = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_level',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'work_mem',
  'autovacuum',
];

export async function readConfiguration(options: BenchOptions, server: BenchServer): Promise<Configuration> {
  const { only, json: _json, check: _check, ...sizes } = options;
  const settings = Object.entries(sizes).filter(([, value]) => value !== null);
  return {
    machine: `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 1e9)} GB, ${process.platform} ${process.arch}`,
    // Above the number of cores others are at work too, and times say less than ratios and CPU do.
    load: `${(loadavg()[0] ?? 0).toFixed(1)} processes at work when it began`,
    'Node.js': version,
    PostgreSQL: await describeServer(server),
    commit: commit(),
    scenarios: only.join(', '),
    sizes: settings.map(([name, value]) => `${name} ${value}`).join(', '),
    date: new Date().toISOString(),
  };
}

async function describeServer({ adminUrl, kind }: BenchServer): Promise<string> {
  return withClient(adminUrl, async (client) => {
    const { rows } = await client.query<{ name: string; value: string }>(
      'select name, current_setting(name) as value from unnest($1::text[]) as s(name)',
      [['server_version', ...SERVER_SETTINGS]],
    );
    const [first, ...others] = rows;
    return `${first?.value} (${kind}; ${others.map(({ name, value }) => `${name} ${value}`).join(', ')})`;
  });
}

/** With a mark when files differ from it. */
function commit(): string {
  const git = (...words: string[]): string =>
    execFileSync('git', ['-c', `safe.directory=${ROOT}`, ...words], { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' and changes');
  } catch {
    return 'unknown (no git here)';
  }
}
