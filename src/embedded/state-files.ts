import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { conceal } from '../util/secrets.js';
import { embeddedFailure, isMissing } from './failure.js';

/** Below the ports that Linux hands to outgoing connections (32768 and up), and clear of 5432. */
const FIRST_PORT = 15_432;
const PORT_RANGE = 1_000;

/** All of the text or nothing, also when the process is killed meanwhile; readable by the owner only. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

/** The password of the mirror's role: made once, then kept. Hexadecimal, so that it needs no escaping in a URL. */
export async function readOrMakePassword(home: string): Promise<string> {
  const password = await keptPassword(home);
  conceal(password);
  return password;
}

async function keptPassword(home: string): Promise<string> {
  const path = join(home, 'password');
  const kept = await readTrimmed(path);
  if (kept !== null && /^[0-9a-f]{32,}$/.test(kept)) return kept;
  const password = randomBytes(24).toString('hex');
  await writeWhole(path, `${password}\n`);
  return password;
}

/** The port of the last start, or null. */
export async function readPort(home: string): Promise<number | null> {
  const port = Number(await readTrimmed(join(home, 'port')));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}

export const writePort = (home: string, port: number): Promise<void> => writeWhole(join(home, 'port'), `${port}\n`);

/**
 * The port to start with: the wanted one, the last one, or one derived from the home's path; and from there upwards the
 * first that is free. A port that was asked for by number is never exchanged for another.
 */
export async function choosePort(home: string, wanted: number | null, taken: ReadonlySet<number>): Promise<number> {
  if (wanted !== null) {
    if (!taken.has(wanted) && (await isFree(wanted))) return wanted;
    throw embeddedFailure('EMBEDDED_PORT', `port ${wanted} of 127.0.0.1 is in use; expected a free one`);
  }
  const kept = await readPort(home);
  if (kept !== null && !taken.has(kept) && (await isFree(kept))) return kept;
  const start = createHash('sha256').update(home).digest().readUInt32BE() % PORT_RANGE;
  for (let step = 0; step < PORT_RANGE; step += 1) {
    const port = FIRST_PORT + ((start + step) % PORT_RANGE);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw embeddedFailure(
    'EMBEDDED_PORT',
    `no free port of 127.0.0.1 among ${FIRST_PORT} to ${FIRST_PORT + PORT_RANGE - 1}`,
  );
}

/** Free when we can listen there ourselves. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

async function readTrimmed(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
