/** A round in which nothing is due, over a long history and over a short one: the same calls, the same time. */
import type { Stream } from '../../src/domain/streams.js';
import { settleHistory } from '../database.js';
import type { Lab, Loaded, Outcome } from '../lab.js';
import { callsText } from '../minimum.js';
import { settleServer } from '../server.js';
import { measureSync, type SyncMeasure } from '../service.js';
import { median, medianRatio } from '../statistics.js';

/** Reconcile reads everything, on a slow schedule of its own. */
const STREAMS: readonly Stream[] = ['pipeline-runs', 'status', 'nodes', 'details', 'experiment-runs'];

/** One page of ListPipelineRuns and one of ListRuns. */
const MINIMUM = 2;

interface Round {
  readonly small: SyncMeasure;
  readonly large: SyncMeasure;
}

export async function idleScenario(lab: Lab): Promise<Outcome> {
  const small = await lab.loaded(lab.options.smallRuns);
  const large = await lab.loaded(lab.options.runs);
  for (const { database } of [small, large]) await settleHistory(database.url);
  await settleServer(lab.server.adminUrl);
  const idle = ({ emulator, database }: Loaded) => measureSync(lab, { emulator, database, streams: STREAMS });
  const rounds: Round[] = [];
  // One more, since the first of each finds cold caches.
  for (let number = 0; number <= lab.options.rounds; number += 1) {
    lab.tell(`idle round ${number} of ${lab.options.rounds}`);
    const [first, second] = number % 2 === 0 ? [small, large] : [large, small];
    const [one, other] = [await idle(first), await idle(second)];
    if (number > 0) rounds.push(number % 2 === 0 ? { small: one, large: other } : { small: other, large: one });
  }
  return { figures: figuresOf(lab, rounds), notes: notesOf(rounds), raw: rounds };
}

function figuresOf({ options }: Lab, rounds: readonly Round[]) {
  const size = options.runs.toLocaleString('en-US');
  const floorName = `${options.smallRuns.toLocaleString('en-US')} runs`;
  const figure = (what: string, of: (sync: SyncMeasure) => number, atMost: number | null) => ({
    scenario: 'idle',
    name: `idle round over ${size} runs: ${what}`,
    measured: median(rounds.map(({ large }) => of(large))),
    floor: median(rounds.map(({ small }) => of(small))),
    floorName,
    ratio: medianRatio(rounds.map(({ large, small }) => ({ measured: of(large), floor: of(small) }))),
    goal: atMost === null ? null : ({ of: 'ratio', atMost } as const),
  });
  return [
    figure('its passes, ms', ({ passSeconds }) => passSeconds * 1_000, 1.2),
    figure('whole process, ms', ({ wallSeconds }) => wallSeconds * 1_000, null),
    figure('calls', ({ calls }) => calls.calls, 1),
  ];
}

function notesOf(rounds: readonly Round[]): string[] {
  const last = rounds.at(-1);
  const operations = Object.entries(last?.large.calls.operations ?? {});
  const made = operations.map(([name, { calls }]) => `${name} ${calls}`).join(', ');
  return [
    `idle: ${callsText(last?.large.calls.calls ?? 0, MINIMUM)}: ${made}`,
    'idle: nodes and details of the history were marked as fetched by an UPDATE of the bench, and the tables vacuumed',
  ];
}
