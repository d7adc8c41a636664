/** Panels by kind, with the looks that all of them share. Colours are Grafana's own names. */
import {
  DATASOURCE,
  type DataLink,
  type FieldDefaults,
  type Format,
  type Override,
  type PanelBody,
  type Property,
  type Step,
  type Target,
  type Transformation,
} from './dashboard.js';

interface Common {
  readonly title: string;
  /** What the numbers are, and what they leave out. */
  readonly description: string;
  readonly sql: string;
}

const target = (rawSql: string, format: Format, refId = 'A'): Target => ({
  refId,
  datasource: DATASOURCE,
  editorMode: 'code',
  rawQuery: true,
  rawSql,
  format,
});

const STATUS_COLORS: Readonly<Record<string, string>> = {
  succeeded: 'green',
  failed: 'red',
  terminated: 'orange',
  skipped: 'text',
  active: 'blue',
  missing: 'purple',
  deleted: 'purple',
  Succeeded: 'green',
  Succeed: 'green',
  Failed: 'red',
  Terminated: 'orange',
  Terminating: 'orange',
  Skipped: 'text',
  Running: 'blue',
  Suspended: 'yellow',
  Initialized: 'super-light-blue',
  Starting: 'light-blue',
  ReadyToSchedule: 'super-light-blue',
  WorkflowServiceStarting: 'light-blue',
};

/** Statuses of PAI and outcomes of the views get the same colours everywhere. */
export const STATUS_MAPPINGS = [
  {
    type: 'value',
    options: Object.fromEntries(
      Object.entries(STATUS_COLORS).map(([text, color], index) => [text, { text, color, index }]),
    ),
  },
];

/** From the lowest value on the first colour, from each following value on the next. */
export const steps = (first: string, ...rest: readonly (readonly [value: number, color: string])[]): Step[] => [
  { color: first, value: null },
  ...rest.map(([value, color]) => ({ color, value })),
];

const thresholds = (found: readonly Step[] | undefined): NonNullable<FieldDefaults['thresholds']> => ({
  mode: 'absolute',
  steps: found ?? steps('text'),
});

interface StatSource extends Common {
  readonly unit?: string;
  readonly steps?: readonly Step[];
  readonly noValue?: string;
  readonly links?: readonly DataLink[];
}

/** One number (the last row's, if there are several). */
export function stat({
  title,
  description,
  sql,
  unit = 'short',
  steps: colors,
  noValue,
  links,
}: StatSource): PanelBody {
  return {
    type: 'stat',
    title,
    description,
    targets: [target(sql, 'table')],
    fieldConfig: {
      defaults: {
        unit,
        noValue: noValue ?? '–',
        color: { mode: 'thresholds' },
        thresholds: thresholds(colors),
        ...(links ? { links } : {}),
      },
      overrides: [],
    },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: colors ? 'background' : 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      textMode: 'value',
      orientation: 'auto',
    },
  };
}

interface SeriesSource extends Common {
  readonly unit?: string;
  readonly max?: number;
  /** `steps`: the value holds until the next one. */
  readonly style?: 'line' | 'steps' | 'bars' | 'stackedBars' | 'stackedArea';
  /** The least `$__interval`; buckets are quarters of an hour, and 20 minutes are no whole number of them. */
  readonly interval?: string;
  /** Column or series to colour. */
  readonly colors?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
}

/** Grafana's next steps after 30 minutes are whole numbers of quarters of an hour. */
export const BUCKETS = '30m';

export function timeSeries(source: SeriesSource): PanelBody {
  const { title, description, sql, unit = 'short', max, style = 'line', interval = BUCKETS, colors = {} } = source;
  const bars = style === 'bars' || style === 'stackedBars';
  return {
    type: 'timeseries',
    title,
    description,
    interval,
    targets: [target(sql, 'time_series')],
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(max === undefined ? {} : { max }),
        color: { mode: 'palette-classic' },
        thresholds: thresholds(source.steps),
        custom: {
          drawStyle: bars ? 'bars' : 'line',
          lineWidth: bars ? 0 : 1,
          fillOpacity: bars ? 80 : style === 'stackedArea' ? 40 : 8,
          showPoints: 'auto',
          lineInterpolation: style === 'steps' ? 'stepAfter' : 'linear',
          spanNulls: style === 'steps',
          stacking: { group: 'A', mode: style.startsWith('stacked') ? 'normal' : 'none' },
          thresholdsStyle: { mode: source.steps ? 'dashed' : 'off' },
        },
      },
      overrides: Object.entries(colors).map(([name, fixedColor]) => ({
        matcher: { id: 'byName', options: name },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
      })),
    },
    options: {
      legend: { calcs: ['mean', 'max', 'lastNotNull'], displayMode: 'table', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

/** How a column of a table looks. */
export interface Column {
  readonly label?: string;
  readonly unit?: string;
  readonly width?: number;
  readonly links?: readonly DataLink[];
  readonly steps?: readonly Step[];
  readonly kind?: 'status' | 'bar' | 'json' | 'wrapped' | 'hidden';
}

const KINDS: Readonly<Record<NonNullable<Column['kind']>, readonly Property[]>> = {
  status: [
    { id: 'mappings', value: STATUS_MAPPINGS },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ],
  bar: [
    { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
    { id: 'min', value: 0 },
    { id: 'max', value: 1 },
  ],
  json: [
    { id: 'custom.cellOptions', value: { type: 'json-view' } },
    { id: 'custom.inspect', value: true },
  ],
  wrapped: [
    { id: 'custom.cellOptions', value: { type: 'auto', wrapText: true } },
    { id: 'custom.inspect', value: true },
  ],
  // The first is what Grafana 11 reads, the second what newer ones turn it into.
  hidden: [
    { id: 'custom.hidden', value: true },
    { id: 'custom.hideFrom', value: { legend: false, tooltip: false, viz: true } },
  ],
};

function overrideOf(name: string, column: Column): Override {
  const properties: Property[] = [];
  if (column.label !== undefined) properties.push({ id: 'displayName', value: column.label });
  if (column.unit !== undefined) properties.push({ id: 'unit', value: column.unit });
  if (column.width !== undefined) properties.push({ id: 'custom.width', value: column.width });
  if (column.links !== undefined) properties.push({ id: 'links', value: column.links });
  if (column.kind !== undefined) properties.push(...KINDS[column.kind]);
  if (column.steps !== undefined) {
    properties.push({ id: 'thresholds', value: { mode: 'absolute', steps: column.steps } });
    if (column.kind === undefined) properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
  }
  return { matcher: { id: 'byName', options: name }, properties };
}

interface TableSource extends Common {
  /** By the name of the query's column. */
  readonly columns: Readonly<Record<string, Column>>;
  readonly transformations?: readonly Transformation[];
  readonly unit?: string;
  readonly cellHeight?: 'sm' | 'md' | 'lg';
}

export function table(source: TableSource): PanelBody {
  const { title, description, sql, columns, transformations, unit, cellHeight = 'sm' } = source;
  return {
    type: 'table',
    title,
    description,
    targets: [target(sql, 'table')],
    fieldConfig: {
      defaults: {
        noValue: '',
        ...(unit === undefined ? {} : { unit }),
        color: { mode: 'thresholds' },
        thresholds: thresholds(undefined),
        custom: { align: 'auto', cellOptions: { type: 'auto' }, filterable: true, inspect: false },
      },
      overrides: Object.entries(columns).map(([name, column]) => overrideOf(name, column)),
    },
    options: { cellHeight, showHeader: true, footer: { show: false, reducer: ['sum'], countRows: false, fields: '' } },
    ...(transformations ? { transformations } : {}),
  };
}

/** Columns `time`, `lane` and `Value`: the lane has the value from that time on; null: it has none. */
export function stateTimeline({ title, description, sql }: Common): PanelBody {
  return {
    type: 'state-timeline',
    title,
    description,
    targets: [target(sql, 'table')],
    transformations: [{ id: 'partitionByValues', options: { fields: ['lane'], keepFields: false } }],
    fieldConfig: {
      defaults: {
        displayName: '${__field.labels.lane}',
        color: { mode: 'thresholds' },
        thresholds: thresholds(undefined),
        mappings: STATUS_MAPPINGS,
        custom: { fillOpacity: 75, lineWidth: 0, spanNulls: false },
      },
      overrides: [],
    },
    options: {
      mergeValues: false,
      showValue: 'auto',
      alignValue: 'left',
      rowHeight: 0.8,
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'single', sort: 'none' },
    },
  };
}

/** One column a value of `column`, one row a value of `row`: `row\column` is the name that Grafana gives the first one. */
export const matrix = (row: string, column: string, value: string): Transformation => ({
  id: 'groupingToMatrix',
  options: { rowField: row, columnField: column, valueField: value, emptyValue: 'null' },
});

/** Columns `step` (ascending), `run` and `value`: a line a run over the steps. */
export function stepChart({ title, description, sql }: Common): PanelBody {
  const x = 'step\\run';
  return {
    type: 'trend',
    title,
    description,
    targets: [target(sql, 'table')],
    transformations: [
      matrix('step', 'run', 'value'),
      // The matrix makes its first column text.
      { id: 'convertFieldType', options: { conversions: [{ targetField: x, destinationType: 'number' }], fields: {} } },
    ],
    fieldConfig: {
      defaults: {
        unit: 'none',
        color: { mode: 'palette-classic' },
        custom: { drawStyle: 'line', lineWidth: 1, fillOpacity: 0, showPoints: 'auto', spanNulls: true },
      },
      overrides: [],
    },
    options: {
      xField: x,
      legend: { calcs: ['lastNotNull', 'min', 'max'], displayMode: 'table', placement: 'right', showLegend: true },
      tooltip: { mode: 'multi', sort: 'none' },
    },
  };
}
