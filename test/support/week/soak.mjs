/**
 * Runs passes of the built mirror, those of a stream in all scopes at once, as fast as they go, in a process of its own:
 * `node soak.mjs DIST PASSES`. The schedules of a service have whole seconds, so that a week of its passes takes a week. After each tenth of
 * them it collects garbage and says on stdout how much is left.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
// V8 goes on compiling what runs often: half a megabyte between the 1,200th and the 3,000th pass, while objects and texts
// grew by 600 bytes. Without that what is left is the program's.
setFlagsFromString('--no-opt');
setFlagsFromString('--no-sparkplug');
const collect = runInNewContext('gc');

const [, , dist, passes] = process.argv;
const load = (file) => import(pathToFileURL(join(dist, file)).href);
const [{ createContext }, { openMirror }, { openHttpSide }, { runPass }, { STREAMS }] = await Promise.all([
  load('cli/context.js'),
  load('app.js'),
  load('cli/http-side.js'),
  load('sync/run-pass.js'),
  load('domain/streams.js'),
]);

const { config, logger } = createContext({ scopes: true });
const http = await openHttpSide(config, logger);
const onCall = (report) => http.work.called(report);
const mirror = await openMirror({ config, logger, migrate: false, onProgress: () => {}, onCall });
const { signal } = new AbortController();
const { scopes } = await mirror.resolveScopes(signal);

const leak = Number(process.env.TEST_LEAK ?? 0);
const kept = [];

async function onePass(scope, stream) {
  http.work.passBegan(stream);
  const options = { signal, followsUp: false, ignoreBackoff: false, heartbeatMs: 10_000 };
  const report = await runPass(mirror.deps, scope, stream, options);
  http.work.passEnded(report, 0);
  if (report.outcome !== 'succeeded') throw new Error(`${stream} ${report.outcome}: ${report.error}`);
  // Bytes that a test plants, to see that they are noticed; each of these numbers takes eight.
  if (leak > 0) kept.push(new Array(Math.ceil(leak / 8)).fill(number + 0.5));
  number += 1;
}

let number = 0;
for (let tenth = 1; tenth <= 10; tenth += 1) {
  while (number < (Number(passes) * tenth) / 10)
    for (const stream of STREAMS) await Promise.all(scopes.map((scope) => onePass(scope, stream)));
  collect();
  collect();
  process.stdout.write(`${JSON.stringify({ passes: number, heapUsed: process.memoryUsage().heapUsed })}\n`);
}
await http.close();
await mirror.close();
