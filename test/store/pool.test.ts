import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createPool, transaction } from '../../src/store/pool.js';
import { silentLogger } from '../../src/util/logger.js';
import { message } from '../support/postgres-wire.js';

const AUTHENTICATED = message('R', Buffer.from([0, 0, 0, 0]));
const READY = message('Z', Buffer.from('I'));
const DONE = message('C', Buffer.from('SELECT 0\0'));
const EMPTY_ANSWER = [message('1'), message('2'), message('n'), DONE];
const LAST_WORDS = message('E', Buffer.from('SFATAL\0C57P02\0Mthe server is going down\0\0'));

/**
 * A server that says everything a dying PostgreSQL says, in the packets in which a busy process reads it: the end of one
 * answer and the end of the session at once. A real server does so now and then; this one each time.
 */
async function dyingServer(): Promise<string> {
  const answer = (socket: Socket, type: string): void => {
    // Simple queries set the session up, a Sync ends the first real one.
    if (type === 'Q') socket.write(Buffer.concat([DONE, READY]));
    if (type === 'S') socket.end(Buffer.concat([...EMPTY_ANSWER, READY, LAST_WORDS]));
  };
  const server = createServer((socket) => {
    let begun = false;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (!begun) {
        begun = true;
        socket.write(Buffer.concat([AUTHENTICATED, READY]));
        return;
      }
      for (let at = 0; at < data.length; at += 1 + data.readInt32BE(at + 1))
        answer(socket, String.fromCharCode(data[at] as number));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `postgresql://user@127.0.0.1:${(server.address() as { port: number }).port}/database`;
}

it('a connection that breaks while it is handed from one to the next fails the next, and not the process', async () => {
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', onUncaught);
  onTestFinished(() => void process.off('uncaughtException', onUncaught));

  const pool = createPool({ connectionString: await dyingServer(), max: 1, logger: silentLogger });
  onTestFinished(() => pool.end());
  const first = pool.query('select $1::text', ['one']);
  const next = transaction(pool, (client) => client.query('select $1::text', ['two']));
  await expect(first).resolves.toMatchObject({ rows: [] });
  await expect(next).rejects.toThrow(/not queryable|terminated|going down/);
  expect(uncaught).toEqual([]);
});
