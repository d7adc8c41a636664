/** All dashboards, by the name of their file in `grafana/dashboards`. */
import type { Dashboard } from './dashboard.js';
import { experiments } from './experiments.js';
import { fleet } from './fleet.js';
import { mirrorHealth } from './mirror-health.js';
import { pipeline } from './pipeline.js';
import { run } from './run.js';

export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  'fleet.json': fleet,
  'pipeline.json': pipeline,
  'run.json': run,
  'experiments.json': experiments,
  'mirror-health.json': mirrorHealth,
};
