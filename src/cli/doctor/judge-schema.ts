/** How far the schema is from what the migrations make, and what to do about it. Pure. */
import type { Inert } from '../../store/inspect/schema.js';
import type { Drift } from '../../store/inspect/schema-diff.js';
import { failed, type Judged, ok, warning } from './check.js';

const MOST_LINES_SHOWN = 3;

const shown = (lines: readonly string[]): string => {
  const cut = lines.slice(0, MOST_LINES_SHOWN).map((line) => (line.length > 160 ? `${line.slice(0, 157)}...` : line));
  return `${cut.join(' | ')}${lines.length > cut.length ? ` | and ${lines.length - cut.length} more lines` : ''}`;
};

/** Views are shown in schema.sql, not made there: no two versions of PostgreSQL print them alike. */
const sourceOf = (object: string): string =>
  object.startsWith('view ')
    ? 'its CREATE VIEW is in the last file of migrations/ that has one; migrations/schema.sql shows its columns'
    : 'its statement is in migrations/schema.sql';

/** Lines of the dump that are whole statements. */
const STATEMENT = /^CREATE (UNIQUE |CONSTRAINT )?(INDEX|TRIGGER) /;
const UNLOGGED = /^create unlogged table (\S+)/;

/** What is missing or different breaks something; what is there beside it only may, at the next upgrade. */
function judgeObject(drift: Drift): Judged {
  const { object, whole, missing, extra, comments } = drift;
  const source = sourceOf(object);
  if (whole === 'missing') return failed(object, 'is missing', `make it again (${source}), or restore the database`);
  if (whole === 'extra') {
    const remedy = 'keep things of your own in another schema: an upgrade may need the name';
    return warning(object, 'is not of pai-mirror', remedy);
  }
  const unlogged = extra.map((line) => UNLOGGED.exec(line)?.[1]).find((name) => name !== undefined);
  if (unlogged !== undefined)
    return failed(object, 'is unlogged: a crash of the server empties it', `ALTER TABLE ${unlogged} SET LOGGED`);
  if (missing.length > 0) return lacking(drift);
  if (extra.length > 0) {
    const remedy = 'drop it, or know that an upgrade may need the name';
    return warning(object, `has ${shown(extra)}, which pai-mirror did not make`, remedy);
  }
  const found = comments === 1 ? 'a comment differs' : `${comments} comments differ`;
  return warning(object, found, `nothing depends on them; ${source}`);
}

function lacking({ object, missing, extra }: Drift): Judged {
  const also = extra.length > 0 ? `; has ${shown(extra)}` : '';
  const isComplete = missing.every((line) => STATEMENT.test(line));
  const remedy = isComplete ? missing.join('\n') : `bring it back to what it was: ${sourceOf(object)}`;
  return failed(object, `lacks ${shown(missing)}${also}`, remedy);
}

/** Sums of the views and the history depend on triggers, so what happened while they were off is not made up for. */
export function judgeInert(inert: readonly Inert[]): Judged[] {
  const triggers = inert.filter(({ kind }) => kind === 'trigger');
  const tables = [...new Set(triggers.map(({ object }) => object))];
  return [
    ...tables.map((table) =>
      disabled(
        table,
        triggers.flatMap(({ object, name }) => (object === table ? [name] : [])),
      ),
    ),
    ...inert
      .filter(({ kind }) => kind === 'index')
      .map(({ object }) =>
        failed(`index ${object}`, 'is not valid: nothing is found by it', `REINDEX INDEX ${object}`),
      ),
  ];
}

function disabled(table: string, names: readonly string[]): Judged {
  const found = `${names.length === 1 ? 'a trigger is' : 'triggers are'} disabled: ${names.join(', ')}`;
  const sums = names.some((name) => name.startsWith('note_'))
    ? '; then SELECT pai.rebuild_rollups(): the sums of the views lack what changed meanwhile'
    : '';
  return failed(`table ${table}`, found, `ALTER TABLE ${table} ENABLE TRIGGER USER${sums}`);
}

/** So many objects are not dropped one by one. */
const MANY_MISSING = 10;

/** A schema of which a large part is missing is one thing, to be told in one line. */
function wholeSchemas(drifts: readonly Drift[]): { readonly whole: Judged[]; readonly single: readonly Drift[] } {
  const whole: Judged[] = [];
  let single = drifts;
  for (const schema of ['pai', 'analytics']) {
    const gone = single.filter(({ object, whole: of }) => of === 'missing' && object.includes(` ${schema}.`));
    if (gone.length < MANY_MISSING) continue;
    single = single.filter((drift) => !gone.includes(drift));
    const some = gone.slice(-3).map(({ object }) => object);
    const found = `${gone.length} of its objects are missing, among them ${some.join(', ')}`;
    const remedy = `restore the database from a backup, or name an empty one in DATABASE_URL and mirror anew`;
    whole.push(failed(`schema ${schema}`, found, remedy));
  }
  return { whole, single };
}

/** More would bury the rest of the report. */
const MOST_OBJECTS = 20;

export function judgeDrift(drifts: readonly Drift[], inert: readonly Inert[]): Judged[] {
  if (drifts.length + inert.length === 0) return [ok(null, 'as migrations/schema.sql has it')];
  const { whole, single } = wholeSchemas(drifts);
  const judged = [...whole, ...judgeInert(inert), ...single.map(judgeObject)].sort(
    (a, b) => Number(b.verdict === 'failed') - Number(a.verdict === 'failed'),
  );
  if (judged.length <= MOST_OBJECTS) return judged;
  const rest = judged.length - MOST_OBJECTS;
  return [...judged.slice(0, MOST_OBJECTS), warning(null, `${rest} more objects differ`, 'see those above first')];
}
