import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { runCommand } from './command.js';
import { errorCode, isMissing } from './failure.js';

/**
 * Names a process on this machine for good: `<pid>.<start>.<nonce>`. A pid alone is used again after a while, pid and
 * start time together are not; the nonce tells two handles of one process apart.
 */
export type ProcessName = string;

export async function nameThisProcess(): Promise<ProcessName> {
  const start = await startOf(process.pid);
  return `${process.pid}.${start ?? 'unknown'}.${randomBytes(6).toString('hex')}`;
}

/** Text that is not such a name counts as dead: nobody can be behind it. */
export async function isNamedProcessAlive(name: ProcessName): Promise<boolean> {
  const match = /^(\d+)\.([^.]+)\.[0-9a-f]+$/.exec(name);
  if (match === null) return false;
  const pid = Number(match[1]);
  const start = await startOf(pid);
  // A start time that cannot be read (other users' /proc entries may be hidden) leaves only the pid to go by.
  if (start === null || match[2] === 'unknown') return isPidAlive(pid);
  return start === match[2];
}

/** True for every process that exists, also one that we may not signal; a zombie counts as gone where that is visible. */
export function isPidAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** The arguments a process was started with, separated by blanks; null when there is no such process (any more). */
export async function commandLineOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const text = await readOrNull(`/proc/${pid}/cmdline`);
    return text === null || text === '' ? null : text.replaceAll('\0', ' ').trim();
  }
  const { code, output } = await runCommand('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { timeoutMs: 5_000 });
  return code === 0 && output !== '' ? output : null;
}

/** `gone` for a process that does not exist or is a zombie, null when the system does not tell. */
async function startOf(pid: number): Promise<string | 'gone' | null> {
  if (process.platform === 'linux') return startOnLinux(pid);
  const { code, output } = await runCommand('ps', ['-o', 'lstart=', '-p', String(pid)], { timeoutMs: 5_000 });
  if (code === null) return null;
  return output === '' ? 'gone' : output.replaceAll(/[^A-Za-z0-9]+/g, '-');
}

/**
 * Field 22 of /proc/<pid>/stat counts clock ticks since boot, so the boot's id is part of the answer. The fields are
 * counted behind the last parenthesis: field 2, the command, may itself hold blanks and parentheses.
 */
async function startOnLinux(pid: number): Promise<string | 'gone' | null> {
  const stat = await readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return isPidAlive(pid) ? null : 'gone';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return 'gone';
  const boot = (await readOrNull('/proc/sys/kernel/random/boot_id')) ?? '';
  return `${boot.slice(0, 8)}-${fields[19]}`;
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // ESRCH: the process ended between open and read.
    if (isMissing(error) || ['ESRCH', 'EACCES', 'EPERM'].includes(errorCode(error))) return null;
    throw error;
  }
}
