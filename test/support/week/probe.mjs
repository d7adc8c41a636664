/**
 * Loaded into the service in front of everything else (NODE_OPTIONS), so that its memory can be asked for from outside: at
 * SIGUSR2 it collects garbage and says on stdout what is left. What is measured without that is mostly garbage that
 * nobody had a reason to collect yet.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const countOf = (names) => {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

process.on('SIGUSR2', () => {
  // What the first one makes unreachable by finalizers and weak references goes with the second.
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.stdout.write(
    `${JSON.stringify({ probe: { heapUsed, external, rss, resources: countOf(process.getActiveResourcesInfo()) } })}\n`,
  );
});
