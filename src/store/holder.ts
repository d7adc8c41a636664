import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who holds a lease: `host/pid/uuid`. */
export interface Holder {
  readonly text: string;
  /** Call when this holder will hold nothing any more. */
  end(): void;
}

/** The holders of this very process, so that two stores in one process do not take each other for dead. */
const alive = new Set<string>();

/**
 * Pids mean something only within one pid namespace: two containers on a host's network share its name, and both are
 * pid 1. Where there are no namespaces the host's name is enough.
 */
function machine(): string {
  try {
    return `${hostname()}#${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`;
  } catch {
    return hostname();
  }
}

export function newHolder(): Holder {
  const text = `${machine()}/${process.pid}/${randomUUID()}`;
  alive.add(text);
  return { text, end: () => alive.delete(text) };
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return (error as { code?: string }).code === 'EPERM';
  }
}

/**
 * True when the holder certainly is no more: a process of this machine whose pid nobody has, or whose pid is ours (pid
 * 1 of a restarted container). Anything doubtful counts as living, and its lease runs out by itself.
 */
export function isDeadHolder(text: string, exists: (pid: number) => boolean = processExists): boolean {
  if (alive.has(text)) return false;
  const parts = /^(.*)\/(\d+)\/[^/]*$/.exec(text);
  if (!parts || parts[1] !== machine()) return false;
  const pid = Number(parts[2]);
  return pid === process.pid || !exists(pid);
}
