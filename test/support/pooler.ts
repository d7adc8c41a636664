/** A pooler in front of a server, as PgBouncer is one: it takes whoever comes, and shares out a few sessions of the server. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { message } from './postgres-wire.js';

/** `session`: a client keeps what it was given until it leaves; `transaction`: only until the end of a transaction. */
export type PoolMode = 'session' | 'transaction';

/** A session of the server, and who has it now. */
interface Upstream {
  readonly stream: Socket;
  /** `gone`: whoever asked has left, and the answer that is still to come is nobody's. */
  taker: Socket | 'gone' | null;
}

const AUTHENTICATED = message('R', Buffer.alloc(4));
const VERSION = message('S', Buffer.from('server_version\0' + '15.0\0'));
const READY = message('Z', Buffer.from('I'));
/** No process of the server has this number. */
const OWN_KEY = message('K', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]));

/** The URL of a pooler with so many sessions; gone with the test. */
export async function startPooler(target: string, mode: PoolMode, sessions: number): Promise<string> {
  const pool = await Promise.all(Array.from({ length: sessions }, () => openUpstream(target)));
  const waiting: { readonly client: Socket; readonly bytes: Buffer }[] = [];
  const give = (client: Socket, bytes: Buffer): void => {
    // Whoever was given back last comes first, as PgBouncer has it.
    const own = pool.find(({ taker }) => taker === client) ?? pool.find(({ taker }) => taker === null);
    if (own === undefined) return void waiting.push({ client, bytes });
    own.taker = client;
    own.stream.write(bytes);
  };
  const giveBack = (upstream: Upstream): void => {
    upstream.taker = null;
    const next = waiting.shift();
    if (next !== undefined) give(next.client, next.bytes);
  };
  for (const upstream of pool) {
    let end = Buffer.alloc(0);
    upstream.stream.on('data', (bytes: Buffer) => {
      if (upstream.taker !== 'gone') upstream.taker?.write(bytes);
      // An answer ends with the state of the transaction: idle.
      end = Buffer.concat([end, bytes.subarray(-READY.length)]).subarray(-READY.length);
      if (mode === 'transaction' && end.equals(READY)) giveBack(upstream);
    });
  }
  const server = createServer((client) => {
    client
      .on('error', () => {})
      .once('data', () => {
        client.write(Buffer.concat([AUTHENTICATED, VERSION, OWN_KEY, READY]));
        client.on('data', (bytes: Buffer) => {
          if (bytes[0] !== 'X'.charCodeAt(0)) give(client, bytes);
        });
      });
    client.on('close', () => {
      waiting.splice(0, waiting.length, ...waiting.filter((turn) => turn.client !== client));
      for (const upstream of pool.filter(({ taker }) => taker === client)) {
        if (mode === 'session') giveBack(upstream);
        else upstream.taker = 'gone';
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { stream } of pool) stream.destroy();
    server.close();
  });
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return url.href;
}

/** pg does the login; then its socket is the pooler's. */
async function openUpstream(target: string): Promise<Upstream> {
  const client = new pg.Client({ connectionString: target });
  client.on('error', () => {});
  await client.connect();
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.removeAllListeners('data');
  return { stream, taker: null };
}
