/** The way to a server, which a test may cut and mend. */
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Cable {
  /** The URL with this way's address in it. */
  readonly url: string;
  /** Ends every connection, and refuses new ones. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** Mended at first. Gone with the test. */
export async function layCable(target: string): Promise<Cable> {
  const { hostname, port: targetPort } = new URL(target);
  const open = new Set<Socket>();
  let server: Server | null = null;
  let port = 0;
  const mend = async (): Promise<void> => {
    server = createServer((near) => {
      const far = dial({ host: hostname, port: Number(targetPort) });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        open.add(one);
        one
          .on('error', () => {})
          .on('close', () => {
            open.delete(one);
            other.destroy();
          });
        one.pipe(other);
      }
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
  };
  const cut = async (): Promise<void> => {
    const closed = server === null ? null : once(server, 'close');
    server?.close();
    server = null;
    for (const socket of open) socket.destroy();
    await closed;
  };
  await mend();
  onTestFinished(cut);
  const url = new URL(target);
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, cut, mend };
}
