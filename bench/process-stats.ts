/** CPU time and peak memory of another process, as the operating system tells them. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessStats {
  /** User and system, of the process itself. */
  readonly cpuSeconds: number;
  /** Most resident memory so far; where the system does not keep it, what is resident now. MB of 1,000,000 bytes. */
  readonly peakMb: number;
}

/** Linux counts CPU time in these, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;

interface StatLine {
  readonly parent: number;
  readonly ownSeconds: number;
  /** Of children that have ended and were waited for. */
  readonly endedChildrenSeconds: number;
}

/** `/proc/PID/stat`; the name in parentheses may hold spaces and parentheses. Null for a text that is none. */
export function parseStat(text: string): StatLine | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const seconds = (at: number): number => (Number(fields[at]) + Number(fields[at + 1])) / TICKS_PER_SECOND;
  const line = { parent: Number(fields[1]), ownSeconds: seconds(11), endedChildrenSeconds: seconds(13) };
  return Object.values(line).some(Number.isNaN) ? null : line;
}

/** `VmHWM` of `/proc/PID/status`, in MB; null where the line is missing (a process that has just ended). */
export function parsePeak(text: string): number | null {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1];
  return kilobytes === undefined ? null : (Number(kilobytes) * 1_024) / 1_000_000;
}

/** The output of `ps -o rss=,time=`: kilobytes and `[[days-]hours:]minutes:seconds`. */
export function parsePs(text: string): ProcessStats | null {
  const found = /^\s*(\d+)\s+(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*$/.exec(text);
  if (!found) return null;
  const [rss, days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    cpuSeconds: ((days * 24 + hours) * 60 + minutes) * 60 + seconds,
    peakMb: (rss * 1_024) / 1_000_000,
  };
}

/** Null once the process is gone. */
export async function readProcess(pid: number): Promise<ProcessStats | null> {
  try {
    if (process.platform !== 'linux') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=,time=', '-p', String(pid)]);
      return parsePs(stdout);
    }
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const [line, peakMb] = [parseStat(stat), parsePeak(status)];
    return line === null || peakMb === null ? null : { cpuSeconds: line.ownSeconds, peakMb };
  } catch {
    return null;
  }
}

/**
 * CPU seconds of a server that makes a process a connection: its own, its children's, and those of the children that are
 * gone. Null where the system does not tell.
 */
export async function readTreeCpu(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const own = await statOf(pid);
  if (own === null) return null;
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(numbers.map((name) => statOf(Number(name))));
  const children = lines.filter((line) => line?.parent === pid);
  return children.reduce((sum, line) => sum + (line?.ownSeconds ?? 0), own.ownSeconds + own.endedChildrenSeconds);
}

async function statOf(pid: number): Promise<StatLine | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return text === null ? null : parseStat(text);
}
