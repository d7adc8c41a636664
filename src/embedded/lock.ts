import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { embeddedFailure, isMissing } from './failure.js';
import { isNamedProcessAlive, nameThisProcess, type ProcessName } from './process-identity.js';

const POLL_MS = 25;

interface Ticket {
  readonly file: string;
  readonly number: number;
  readonly owner: ProcessName;
}

/**
 * Runs `work` while no other process (and no other caller in this one) runs under the same directory's lock.
 *
 * Node.js has no flock(2), and a lock file that is removed when its owner seems dead can be removed under the feet of a
 * third process that has just taken it over. Lamport's bakery needs no such removal: everyone draws a ticket, the lowest
 * ticket of a living process is served, and a file carries its owner's name, so that sweeping up after the dead can
 * never hit the living.
 */
export async function withLock<T>(directory: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + timeoutMs;
  const owner = await nameThisProcess();
  const mine = await drawTicket(directory, owner);
  try {
    await waitForChoosers(directory, owner, deadline);
    await waitForLowerTickets(directory, mine, deadline);
    return await work();
  } finally {
    await rm(join(directory, mine.file), { force: true });
  }
}

/** The `choosing` file is there while the number is being chosen: two processes may choose the same one meanwhile. */
async function drawTicket(directory: string, owner: ProcessName): Promise<Ticket> {
  const choosing = join(directory, `choosing.${owner}`);
  await writeFile(choosing, '', { mode: 0o600 });
  try {
    const number = 1 + Math.max(0, ...(await tickets(directory)).map((ticket) => ticket.number));
    const ticket = { file: `ticket.${number}.${owner}`, number, owner };
    await writeFile(join(directory, ticket.file), '', { mode: 0o600 });
    return ticket;
  } finally {
    await rm(choosing, { force: true });
  }
}

/** Only those who were choosing at the first look matter: whoever comes later sees our ticket and draws a higher one. */
async function waitForChoosers(directory: string, self: ProcessName, deadline: number): Promise<void> {
  let choosing = (await readdir(directory)).filter((file) => file.startsWith('choosing.') && !file.endsWith(self));
  while (choosing.length > 0) {
    const left = new Set(await readdir(directory));
    choosing = choosing.filter((file) => left.has(file));
    choosing = await sweep(directory, choosing, (file) => file.slice('choosing.'.length));
    if (choosing.length > 0) await pause(directory, choosing[0] as string, deadline);
  }
}

async function waitForLowerTickets(directory: string, mine: Ticket, deadline: number): Promise<void> {
  for (;;) {
    const lower = (await tickets(directory)).filter((ticket) => isLower(ticket, mine));
    const alive = await sweep(directory, lower, (ticket) => ticket.owner);
    if (alive.length === 0) return;
    await pause(directory, (alive[0] as Ticket).file, deadline);
  }
}

/** Equal numbers are possible (chosen at the same moment); then the name decides, the same way for everyone. */
export function isLower(one: { number: number; owner: string }, other: { number: number; owner: string }): boolean {
  return one.number === other.number ? one.owner < other.owner : one.number < other.number;
}

async function tickets(directory: string): Promise<Ticket[]> {
  const found: Ticket[] = [];
  for (const file of await readdir(directory)) {
    const match = /^ticket\.(\d+)\.(.+)$/.exec(file);
    if (match !== null) found.push({ file, number: Number(match[1]), owner: match[2] as string });
  }
  return found;
}

/** Returns the entries of living processes and removes the files of dead ones. */
async function sweep<T extends string | Ticket>(
  directory: string,
  entries: readonly T[],
  ownerOf: (entry: T) => ProcessName,
): Promise<T[]> {
  const alive: T[] = [];
  for (const entry of entries) {
    if (await isNamedProcessAlive(ownerOf(entry))) alive.push(entry);
    else await rm(join(directory, typeof entry === 'string' ? entry : entry.file), { force: true });
  }
  return alive;
}

async function pause(directory: string, holder: string, deadline: number): Promise<void> {
  if (Date.now() > deadline) {
    throw embeddedFailure(
      'EMBEDDED_BUSY',
      `another process is still starting or stopping the server; it holds ${join(directory, holder)}`,
    );
  }
  await delay(POLL_MS);
}

/** The living among the processes that left a file named after themselves; the files of the dead are removed. */
export async function livingOwners(directory: string): Promise<ProcessName[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return sweep(directory, names, (name) => name);
}
