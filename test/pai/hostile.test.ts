/** A source, or whoever answers in its place, that does not stop: every call ends all the same. */
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { clientOf, never, PAGE, SCOPE, startUpstream } from './support.js';

const ONCE = { attempts: 1, baseMs: 0, capMs: 0 };

/** Answers every connection with whatever `talk` writes, for as long as somebody listens. */
async function babbler(talk: (socket: Socket) => void): Promise<{ url: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => talk(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}` };
}

/** Writes the text again and again until the socket is closed by the other side. */
const forever =
  (begin: string, again: string, everyMs = 0) =>
  (socket: Socket): void => {
    socket.write(begin);
    const timer = setInterval(() => socket.write(everyMs === 0 ? again.repeat(500) : again), Math.max(1, everyMs));
    socket.on('close', () => clearInterval(timer));
  };

test.each([
  ['headers without end', forever('HTTP/1.1 200 OK\r\n', 'x-more: and more\r\n'), 'PAI_NETWORK'],
  ['one header without end', forever('HTTP/1.1 200 OK\r\nx-long: ', 'and more'), 'PAI_NETWORK'],
  ['interim answers without end', forever('', 'HTTP/1.1 100 Continue\r\n\r\n'), 'PAI_TIMEOUT'],
  ['headers that drip', forever('HTTP/1.1 200 OK\r\nx-long: ', 'x', 20), 'PAI_TIMEOUT'],
  ['a body that drips', forever('HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n', ' ', 20), 'PAI_TIMEOUT'],
  [
    'chunks without end',
    forever('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\n \r\n'),
    'PAI_TOO_LARGE',
  ],
])('invariant 9: %s end the call', async (_, talk, code) => {
  const upstream = await babbler(talk);
  const client = clientOf(upstream, { retry: ONCE, callTimeoutMs: 400, maxAnswerBytes: 20_000 });
  await expect(client.listPipelineRuns(SCOPE, PAGE, never())).rejects.toMatchObject({ code });
});

test('invariant 9: an answer of 300 MB is refused at its announcement or at its bound, whichever comes first', async () => {
  const announced = await startUpstream((response) => {
    response.writeHead(200, { 'content-length': 300 * 1024 * 1024 });
    response.write('{');
  });
  onTestFinished(() => announced.close());
  const call = clientOf(announced, { retry: ONCE }).listPipelineRuns(SCOPE, PAGE, never());
  await expect(call).rejects.toThrow(/larger than 67108864 bytes/);
});

test('invariant 9: answers that are too large together are ended and asked for again, and all arrive', async () => {
  const padding = ' '.repeat(40_000);
  let open = 0;
  let most = 0;
  const upstream = await startUpstream((response) => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(padding);
    setTimeout(() => response.end(JSON.stringify({ PipelineRuns: [], TotalCount: 0 })), 20);
  });
  onTestFinished(() => upstream.close());
  const client = clientOf(upstream, { maxBytesInFlight: 100_000, retry: { attempts: 50, baseMs: 5, capMs: 50 } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.listPipelineRuns(SCOPE, PAGE, never())));
  expect(most).toBeGreaterThan(2);
  expect(
    answers.reduce((sum, { attempts }) => sum + attempts, 0),
    'some were ended',
  ).toBeGreaterThan(8);
  // Nothing stays counted: one after the other they fit.
  for (let call = 0; call < 5; call += 1)
    expect(await client.listPipelineRuns(SCOPE, PAGE, never())).toMatchObject({ attempts: 1 });
});
