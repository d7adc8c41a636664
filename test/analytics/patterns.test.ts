/** What failures of one cause have in common. */

import pg from 'pg';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { failureMessage } from '../../src/emulator/world/messages.js';
import { createDatabase } from '../support/database.js';
import { patternOf } from './patterns.js';

let url = '';
beforeAll(async () => {
  ({ url } = await createDatabase());
});

async function patterns(messages: readonly (string | null)[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  const { rows } = await client.query<{ pattern: string }>(
    'select pai.error_pattern(m) as pattern from unnest($1::text[]) with ordinality as u(m, n) order by n',
    [messages],
  );
  return rows.map(({ pattern }) => pattern);
}

test('of every message of the emulator', async () => {
  const messages = Array.from({ length: 400 }, (_, slot) => failureMessage(7, slot, slot % 3, `train-${slot}`));
  expect(await patterns(messages)).toEqual(messages.map(patternOf));
});

const NASTY: readonly (readonly [string | null, string])[] = [
  [null, '(no message)'],
  ['', '(no message)'],
  [' \t\r\n', '(no message)'],
  ['ODPS-0130131: 5 rows, ODPS-0420061 next', 'ODPS-0130131: <n> rows, ODPS-0420061 next'],
  ['took 12.75 s, 3.5.1 at 10:20:30', 'took <n> s, <n>.<n> at <n>:<n>:<n>'],
  ['run flow-0hyezbo562skrh1tgu ended', 'run flow-<id> ended'],
  ['id 6D7E1F3A-0B2C-4D5E-8F90-1A2B3C4D5E6F gone', 'id <id> gone'],
  ['pod job-abcdefghijklmnop started', 'pod job-abcdefghijklmnop started'],
  ['GET https://oss.example.com/b/7?x=1&y=2 failed', 'GET <url> failed'],
  ['oss://bucket/model/42 and hdfs://nn:8020/x/1', '<url> and <url>'],
  ['a\n  b\t\tc', 'a b c'],
  ['文件 123 不存在', '文件 <n> 不存在'],
  ['no \\1 backreference \\& here $1', 'no \\<n> backreference \\& here $<n>'],
  ['-5 and +7 and 1e10', '-<n> and +<n> and <n>e<n>'],
  [`${'x'.repeat(400)} 1`, 'x'.repeat(300)],
  ['9'.repeat(1_000_000), '<n>'],
  ['a1'.repeat(500_000), '<id>'],
  ['https://'.repeat(100_000), '<url>'],
  [`${'\n'.repeat(2_000)}late`, 'late'],
  ['\u{1F600} 1 \u{1F600}', '\u{1F600} <n> \u{1F600}'],
];

test.each(NASTY.map(([message, pattern]) => [message?.slice(0, 40) ?? null, message, pattern] as const))(
  'of %j',
  async (_, message, pattern) => {
    expect(await patterns([message])).toEqual([pattern]);
  },
);

test('are no longer than 300 characters, and the same for messages that differ in numbers and ids only', async () => {
  const many = Array.from(
    { length: 50 },
    (_, n) => `worker ${n} of flow-${(n + 1e15).toString(36)}x${n}y wrote ${n / 7} MB to table_${n}`,
  );
  expect(new Set(await patterns(many)).size).toBe(1);
  for (const pattern of await patterns(NASTY.map(([message]) => message)))
    expect(pattern.length).toBeLessThanOrEqual(300);
});
