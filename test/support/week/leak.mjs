/**
 * Loaded into the service as well where a test wants to see that a leak is noticed: with every so many calls to PAI
 * something is kept that never goes. TEST_LEAK says what, DATABASE_URL where to.
 */
import { subscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';
import { createRequire } from 'node:module';

const { Client } = createRequire(process.argv[1])('pg');
const kept = [];

const LEAKS = {
  heap: { every: 1, leak: () => kept.push(Array.from({ length: 250 }, (_, n) => ({ n }))) },
  descriptor: { every: 25, leak: () => kept.push(openSync('/dev/null', 'r')) },
  timer: { every: 50, leak: () => kept.push(setInterval(() => {}, 3_600_000)) },
  connection: {
    every: 200,
    leak: () => {
      const client = new Client({ connectionString: process.env.DATABASE_URL, application_name: 'pai-mirror leak' });
      client.on('error', () => {});
      kept.push(client);
      client.connect().catch(() => {});
    },
  },
};

const { every, leak } = LEAKS[process.env.TEST_LEAK];
let calls = 0;
subscribe('http.client.response.finish', () => {
  calls += 1;
  if (calls % every === 0) leak();
});
