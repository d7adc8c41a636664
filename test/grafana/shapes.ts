/** What Grafana makes of an answer: which columns a panel needs, and of what type. */
import type { QueryResult } from 'pg';
import type { Override, Panel } from '../../grafana/source/dashboard.js';

type Answer = QueryResult<Record<string, unknown>>;

type Type = 'number' | 'time' | 'text' | 'json' | 'boolean';

/** Types of PostgreSQL by their oid; what is not here (arrays and the like) would be text to Grafana, and a mistake. */
const TYPES: Readonly<Record<number, Type>> = {
  20: 'number',
  21: 'number',
  23: 'number',
  700: 'number',
  701: 'number',
  1700: 'number',
  16: 'boolean',
  25: 'text',
  1043: 'text',
  114: 'json',
  3802: 'json',
  1184: 'time',
};

const columnsOf = (answer: Answer): Map<string, Type | undefined> =>
  new Map(answer.fields.map(({ name, dataTypeID }) => [name, TYPES[dataTypeID]]));

const valuesOf = (answer: Answer, column: string): unknown[] => answer.rows.map((row) => row[column]);

/** Everything that is wrong with the answer, one sentence each. An answer without rows has columns all the same. */
export function faultsOfAnswer(panel: Panel, answer: Answer): string[] {
  const names = answer.fields.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const unknown = answer.fields.filter(({ dataTypeID }) => TYPES[dataTypeID] === undefined);
  return [
    ...twice.map((name) => `column ${name} is there twice`),
    ...unknown.map(({ name, dataTypeID }) => `column ${name} has type ${dataTypeID}, which Grafana shows as text`),
    ...faultsOfKind(panel, answer),
    ...faultsOfNames(panel, answer),
  ];
}

function faultsOfKind(panel: Panel, answer: Answer): string[] {
  switch (panel.type) {
    case 'stat':
      return faultsOfNumber(answer);
    case 'timeseries':
      return faultsOfSeries(answer);
    case 'state-timeline':
      return [...expectTypes(answer, { time: 'time', lane: 'text', Value: 'text' }), ...faultsOfLanes(answer)];
    case 'trend':
      return [...expectTypes(answer, { step: 'number', run: 'text', value: 'number' }), ...faultsOfSteps(answer)];
    default:
      return [];
  }
}

const expectTypes = (answer: Answer, types: Readonly<Record<string, Type>>): string[] => {
  const found = columnsOf(answer);
  return Object.entries(types)
    .filter(([name, type]) => found.get(name) !== type)
    .map(([name, type]) => `column ${name} is ${found.get(name) ?? 'not there'}, expected ${type}`);
};

/** One number, which may be null: nothing to count. */
function faultsOfNumber(answer: Answer): string[] {
  const types = [...columnsOf(answer).values()];
  return [
    ...(types.length === 1 && types[0] === 'number' ? [] : [`has columns ${types.join(', ')}, expected one number`]),
    ...(answer.rows.length > 1 ? [`has ${answer.rows.length} rows, expected one`] : []),
  ];
}

/** `time` ascending, numbers beside it; with a text column `metric` exactly one number, a row a time and metric. */
function faultsOfSeries(answer: Answer): string[] {
  const columns = columnsOf(answer);
  const others = [...columns].filter(([name]) => name !== 'time' && name !== 'metric');
  const faults = others.filter(([, type]) => type !== 'number').map(([name]) => `column ${name} is no number`);
  const time = columns.get('time');
  if (time !== 'time' && time !== 'number') faults.push('has no column time');
  if (others.length === 0) faults.push('has no value');
  if (columns.has('metric') && others.length !== 1) faults.push('has a metric and more than one value');
  if (columns.has('metric') && columns.get('metric') !== 'text') faults.push('has a metric that is no text');
  if (!ascends(valuesOf(answer, 'time').map(Number))) faults.push('is not in the order of time, or has no time');
  const keys = answer.rows.map(({ time: at, metric }) => JSON.stringify([Number(at), metric]));
  if (new Set(keys).size !== keys.length) faults.push('has two rows of one time and metric');
  return faults;
}

const ascends = (numbers: readonly number[]): boolean =>
  numbers.every(
    (number, index) => Number.isFinite(number) && (index === 0 || number >= (numbers[index - 1] as number)),
  );

/** Within a lane times ascend: the frames are joined by them. */
function faultsOfLanes(answer: Answer): string[] {
  const lanes = new Set(valuesOf(answer, 'lane'));
  return [...lanes].flatMap((lane) => {
    const times = answer.rows.filter((row) => row.lane === lane).map(({ time }) => (time as Date).getTime());
    return ascends(times) ? [] : [`lane ${lane} is not in the order of time`];
  });
}

function faultsOfSteps(answer: Answer): string[] {
  const keys = answer.rows.map(({ step, run }) => JSON.stringify([step, run]));
  return [
    ...(ascends(valuesOf(answer, 'step').map(Number)) ? [] : ['is not in the order of steps']),
    ...(new Set(keys).size === keys.length ? [] : ['has two values of one run and step']),
  ];
}

/** Columns that the panel speaks of: in overrides, in links, in transformations. */
function faultsOfNames(panel: Panel, answer: Answer): string[] {
  const columns = columnsOf(answer);
  const matrix = panel.transformations?.find(({ id }) => id === 'groupingToMatrix')?.options;
  const made = matrix ? [`${matrix.rowField}\\${matrix.columnField}`] : [];
  const needed = [
    ...panel.fieldConfig.overrides.map(({ matcher }) => matcher.options).filter((name) => !made.includes(name)),
    ...(matrix ? [matrix.rowField, matrix.columnField, matrix.valueField].map(String) : []),
    ...[...JSON.stringify(panel).matchAll(/__data\.fields\.(\w+)/g)].map(([, name]) => name as string),
  ];
  const gone = new Set(needed.filter((name) => !columns.has(name)));
  return [
    ...[...gone].map((name) => `needs column ${name}, which is not there`),
    ...(panel.type === 'table' ? faultsOfCells(panel.fieldConfig.overrides, columns, made) : []),
  ];
}

/** A unit of seconds on a text, a column that nobody gave a name. */
function faultsOfCells(
  overrides: readonly Override[],
  columns: ReadonlyMap<string, Type | undefined>,
  made: readonly string[],
): string[] {
  const UNITS: Readonly<Record<string, Type>> = {
    s: 'number',
    percentunit: 'number',
    bytes: 'number',
    dateTimeAsLocal: 'time',
    bool_yes_no: 'boolean',
  };
  const named = overrides.map(({ matcher }) => matcher.options);
  const wrong = overrides.flatMap(({ matcher, properties }) => {
    const unit = properties.find(({ id }) => id === 'unit')?.value;
    const expected = UNITS[String(unit)];
    const found = columns.get(matcher.options);
    return expected === undefined || found === undefined || found === expected
      ? []
      : [`column ${matcher.options} is ${found}, and has the unit ${unit}`];
  });
  const nameless = made.length > 0 ? [] : [...columns.keys()].filter((name) => !named.includes(name));
  return [...wrong, ...nameless.map((name) => `column ${name} has no heading`)];
}

/** An alert's query: one number, and texts that tell its rows apart. */
export function faultsOfAlert(answer: Answer): string[] {
  const columns = [...columnsOf(answer)];
  const labels = columns.filter(([, type]) => type === 'text').map(([name]) => name);
  const numbers = columns.filter(([, type]) => type === 'number').map(([name]) => name);
  const keys = answer.rows.map((row) => JSON.stringify(labels.map((name) => row[name])));
  const faults = [];
  if (numbers.length !== 1 || labels.length + 1 !== columns.length) faults.push('is not one number and texts');
  if (new Set(keys).size !== keys.length) faults.push('has two rows of one label set');
  if (answer.rows.some((row) => Object.values(row).some((value) => value === null))) faults.push('has a null');
  return faults;
}
