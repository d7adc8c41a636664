/** Everything read again over a source in which nothing changed: as fast at least, and nothing is written. */
import type { Stream } from '../../src/domain/streams.js';
import { forgetCursors, rowVersions, writeCounts } from '../database.js';
import type { Figure } from '../figures.js';
import type { Lab, Loaded, Outcome } from '../lab.js';
import { callsText, pagesOf } from '../minimum.js';
import { settleServer } from '../server.js';
import { measureSync, type SyncMeasure } from '../service.js';

interface Again {
  readonly stream: Stream;
  readonly load: SyncMeasure;
  /** By the server's counters. */
  readonly written: number;
  /** Tables in which a row has another place or another writer than before. */
  readonly touched: readonly string[];
}

export async function secondLoadScenario(lab: Lab): Promise<Outcome> {
  const loaded = await lab.loaded(lab.options.runs);
  const results: Again[] = [];
  for (const stream of ['pipeline-runs', 'reconcile'] as const) results.push(await readAgain(lab, loaded, stream));
  return {
    figures: results.flatMap((again) => figuresOf(loaded, again)),
    notes: results.map(
      ({ stream, load }) =>
        `second-load: ${stream}: ${callsText(load.calls.calls, pagesOf(loaded.runs, lab.options.pageSize))}; ` +
        `CPU of the service ${load.cpuSeconds.toFixed(1)} s, of PostgreSQL ${load.serverCpuSeconds?.toFixed(1) ?? 'unknown'} s`,
    ),
    raw: results,
  };
}

async function readAgain(lab: Lab, { emulator, database, runs }: Loaded, stream: Stream): Promise<Again> {
  if (stream === 'pipeline-runs') await forgetCursors(database.url);
  // The versions first: they take a moment, in which the counts of sessions that have just ended arrive.
  const [versionsBefore, countsBefore] = [await rowVersions(database.url), await writeCounts(database.url)];
  await settleServer(lab.server.adminUrl);
  lab.tell(`${stream} over ${runs.toLocaleString('en-US')} unchanged runs`);
  const load = await measureSync(lab, { emulator, database, streams: [stream] });
  const [versionsAfter, countsAfter] = [await rowVersions(database.url), await writeCounts(database.url)];
  const written =
    countsAfter.inserted +
    countsAfter.updated +
    countsAfter.deleted -
    (countsBefore.inserted + countsBefore.updated + countsBefore.deleted);
  const touched = Object.keys(versionsAfter).filter((table) => versionsAfter[table] !== versionsBefore[table]);
  lab.tell(`  ${Math.round(runs / load.passSeconds).toLocaleString('en-US')} runs/s, ${written} rows written`);
  return { stream, load, written, touched };
}

function figuresOf({ runs, load: first }: Loaded, { stream, load, written, touched }: Again): Figure[] {
  const name = stream === 'reconcile' ? 'reconcile of an unchanged source' : 'unchanged second load';
  return [
    {
      scenario: 'second-load',
      name: `${name}, runs/s`,
      measured: runs / load.passSeconds,
      floor: runs / first.passSeconds,
      floorName: 'the first load',
      // Reconcile walks by more than one order where it must; the goal is about the load.
      goal: stream === 'reconcile' ? null : { of: 'ratio', atLeast: 1 },
    },
    {
      scenario: 'second-load',
      name: `${name}: rows written, or tables with another row version`,
      measured: written + touched.length,
      floor: null,
      floorName: '',
      goal: { of: 'measured', atMost: 0 },
    },
  ];
}
