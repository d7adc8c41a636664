/** Requests as a client of any kind may send them: node:http sets no header by itself but Host. */
import { request } from 'node:http';
import type { CliProcess } from './cli.js';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Rejects when the connection ends without an answer. */
export function ask(url: string, { method = 'GET', headers = {} }: AskOptions = {}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Where a service that is being started answers. */
export async function addressOf(service: CliProcess): Promise<string> {
  await service.sees('HTTP is up');
  const line = service
    .stderr()
    .split('\n')
    .find((text) => text.includes('HTTP is up'));
  return (JSON.parse(line as string) as { url: string }).url;
}
