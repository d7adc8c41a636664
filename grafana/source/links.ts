/** Links from cells to other dashboards. A value of the clicked row is `${__data.fields.column}`. */
import type { DataLink } from './dashboard.js';

const SCOPE = '${scope:queryparam}';
const SAME_TIME = '${__url_time_range}';
const field = (column: string): string => `\${__data.fields.${column}}`;

/** Expects the columns pipeline_run_id, from_ms and to_ms (`runRange`). */
export const toRun: DataLink = {
  title: 'Look at this run',
  url: `/d/pai-run?var-run=${field('pipeline_run_id')}&from=${field('from_ms')}&to=${field('to_ms')}`,
};

/** Expects the column pipeline_id; only from dashboards with the variable `scope`. */
export const toPipeline: DataLink = {
  title: 'Look at this pipeline',
  url: `/d/pai-pipeline?var-pipeline=${field('pipeline_id')}&${SCOPE}&${SAME_TIME}`,
};

/** Expects the column experiment_id. */
export const toExperiment: DataLink = {
  title: 'Look at this experiment',
  url: `/d/pai-experiments?var-experiment=${field('experiment_id')}`,
};

export const toMirrorHealth: DataLink = { title: 'Look at the mirror', url: `/d/pai-mirror-health?${SAME_TIME}` };

/** Expects the column url. */
export const toConsole: DataLink = {
  title: 'Open in the console of PAI',
  url: '${__data.fields.url}',
  targetBlank: true,
};
