import type { Workspace } from '../../domain/entities.js';
import { logNormal, mix, Random, unit } from '../random.js';
import { type IdMaker, KIND } from './ids.js';
import type { WorldSettings } from './options.js';
import { makeSteps, type Step } from './template.js';

/** A pipeline and how its runs behave. */
export interface Pipeline {
  readonly pipelineId: string;
  readonly name: string;
  readonly workspaceId: string;
  readonly steps: readonly Step[];
  /** Typical time of a run, in milliseconds, and how far runs scatter around it (of the logarithm). */
  readonly medianMillis: number;
  readonly sigma: number;
  /** Shares of runs that end this way; the rest succeeds. */
  readonly failed: number;
  readonly terminated: number;
  readonly skipped: number;
  readonly sourceType: string;
  /** The experiment that its runs log to. */
  readonly experimentId: string | null;
  /** No answer shows it, but runs can be sorted by it. */
  readonly workflowServiceId: string;
}

/** What does not change while the world lives. */
export interface Catalog {
  readonly workspaces: readonly Workspace[];
  readonly pipelines: readonly Pipeline[];
  readonly experiments: readonly { readonly experimentId: string; readonly workspaceId: string }[];
  /** The Alibaba Cloud account that owns everything. */
  readonly parentUserId: string;
  /** The account itself and its RAM users. */
  readonly userIds: readonly string[];
}

const NAMES = ['churn', 'recommend', 'fraud', 'ctr', 'pricing', 'ocr', 'forecast', 'ranking', 'embedding', 'anomaly'];
const GOALS = ['training', 'scoring', 'nightly', 'retrain', 'features', 'evaluation'];
const SOURCES = ['DESIGNER', 'SDK', 'DESIGNER', 'M6', 'UNKNOWN'];
const USERS = 6;
const EXPERIMENTS_PER_WORKSPACE = 3;

function makeWorkspaces(settings: WorldSettings, random: Random): Workspace[] {
  const first = random.between(10_000, 90_000);
  return Array.from({ length: settings.workspaces }, (_, index) => ({
    workspaceId: String(first + index * random.between(37, 37 + index)),
    workspaceName: `workspace_${index + 1}`,
  }));
}

/** Account ids have 16 digits; RAM user ids 18 or 19, beyond what a double holds exactly (only as a quirk). */
function makeUsers(settings: WorldSettings, random: Random): string[] {
  const digits = (length: number): string =>
    `1${Array.from({ length: length - 1 }, () => String(random.between(0, 9))).join('')}`;
  const account = digits(16);
  const ram = Array.from({ length: USERS - 1 }, (_, at) => digits(settings.quirks.bigUserIds ? 18 + (at % 2) : 16));
  return [account, ...ram];
}

function makePipeline(
  settings: WorldSettings,
  ids: IdMaker,
  index: number,
  catalog: Omit<Catalog, 'pipelines'>,
): Pipeline {
  const random = new Random(mix(settings.seed, 0x9199, index));
  const workspace = catalog.workspaces[index % catalog.workspaces.length] as Workspace;
  const experiments = catalog.experiments.filter((experiment) => experiment.workspaceId === workspace.workspaceId);
  const failed = 0.02 + 0.2 * random.next() ** 2;
  return {
    pipelineId: `pipeline-${ids.body(KIND.pipeline, index)}`,
    name: `${random.pick(NAMES)}-${random.pick(GOALS)}-${index + 1}`,
    workspaceId: workspace.workspaceId,
    steps: makeSteps(random.between(...settings.nodesPerRun), random),
    medianMillis: logNormal(settings.runMinutes * 60_000, 0.8, random.next(), random.next()),
    sigma: 0.2 + 0.4 * random.next(),
    failed,
    terminated: 0.04,
    skipped: 0.02,
    sourceType: random.pick(SOURCES),
    experimentId: random.next() < 0.4 ? random.pick(experiments).experimentId : null,
    workflowServiceId: `service-${mix(settings.seed, 0x3e7f, index % 4).toString(36)}`,
  };
}

/** Which of the catalog's users a run belongs to: some are much busier than others. */
export const userOf = (catalog: Catalog, bits: number): string =>
  catalog.userIds[Math.floor(unit(bits) ** 2 * catalog.userIds.length)] as string;

export function makeCatalog(settings: WorldSettings, ids: IdMaker): Catalog {
  const random = new Random(settings.seed);
  const workspaces = makeWorkspaces(settings, random);
  const userIds = makeUsers(settings, random);
  const experiments = workspaces.flatMap(({ workspaceId }, at) =>
    Array.from({ length: EXPERIMENTS_PER_WORKSPACE }, (_, index) => ({
      experimentId: `exp-${ids.body(KIND.experiment, at * EXPERIMENTS_PER_WORKSPACE + index)}`,
      workspaceId,
    })),
  );
  const rest = { workspaces, experiments, userIds, parentUserId: userIds[0] as string };
  const pipelines = Array.from({ length: settings.pipelines }, (_, index) => makePipeline(settings, ids, index, rest));
  return { ...rest, pipelines };
}
