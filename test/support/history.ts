/**
 * Whether the history tells the whole life of every row: nothing twice, nothing left out. The events of one entity are
 * folded in the order of their ids; each has to begin where the one before it ended, and the last has to end at the row.
 */
import type { Pool } from 'pg';

type Json = unknown;

export interface HistoryEvent {
  readonly eventId: string;
  readonly kind: string;
  readonly fromStatus: string | null;
  readonly toStatus: string | null;
  /** Field → [old, new]. */
  readonly changes: { readonly [field: string]: readonly [Json, Json] } | null;
  /** Milliseconds as text with microseconds, or an Instant: only compared. */
  readonly observedAt: string | null;
  readonly requestId: string | null;
}

/** A row as it is now. */
export interface HistoryRow {
  readonly entity: 'pipeline_run' | 'node' | 'run';
  /** Null for entities without one. */
  readonly status: string | null;
  readonly isDeleted: boolean;
  readonly isMissing: boolean;
  readonly revision: number;
  readonly observedAt: string;
  readonly requestId: string | null;
  /** Columns by name; params and labels as `params.KEY`, `labels.KEY`. */
  readonly values: { readonly [field: string]: Json };
}

type Presence = 'nowhere' | 'present' | 'missing' | 'deleted';

/** What may follow what. Only a run that is present can be missed, and only one that is not can come back. */
const FOLLOWS: { readonly [kind: string]: { readonly after: readonly Presence[]; readonly to: Presence | null } } = {
  discovered: { after: ['nowhere'], to: 'present' },
  changed: { after: ['present', 'missing', 'deleted'], to: null },
  missing: { after: ['present'], to: 'missing' },
  deleted: { after: ['present', 'missing'], to: 'deleted' },
  restored: { after: ['missing', 'deleted'], to: 'present' },
};

/**
 * Updates of a node that are no news for its history: an answer completes the two archive flags, which only the poll
 * tells, once each.
 */
const SILENT_NODE_UPDATES = 2;

const same = (a: Json, b: Json): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** What is wrong with the life of one entity, in words; empty when every event leads to the next and the last to the row. */
export function faultsOfLife(events: readonly HistoryEvent[], row: HistoryRow | null): string[] {
  if (row === null) return ['has events and no row'];
  const faults: string[] = [];
  const values = new Map<string, Json>();
  let presence: Presence = 'nowhere';
  let before: HistoryEvent | null = null;
  let newest = '';
  for (const event of events) {
    const at = `event ${event.eventId} (${event.kind})`;
    faults.push(...proofFaults(event, before, newest).map((fault) => `${at} ${fault}`));
    const rule = FOLLOWS[event.kind];
    if (!rule?.after.includes(presence)) faults.push(`${at} follows ${presence}`);
    presence = rule?.to ?? presence;
    faults.push(...statusFaults(event, before).map((fault) => `${at} ${fault}`));
    faults.push(...chainFaults(event, values).map((fault) => `${at} ${fault}`));
    before = event;
    newest = (event.observedAt ?? '') > newest ? (event.observedAt ?? '') : newest;
  }
  return [...faults, ...endFaults(row, presence, before, values), ...revisionFaults(events, row)];
}

/**
 * A list whose answer came late, and with a newer version than the stored one, is believed all the same, but for what
 * moves without a version: the status, and whether the run is there.
 */
function isLateVersion({ kind, fromStatus, toStatus, changes }: HistoryEvent): boolean {
  const [old, now] = changes?.gmt_modified_time ?? [];
  return (
    kind === 'changed' && fromStatus === toStatus && typeof now === 'string' && (old === null || String(old) < now)
  );
}

/** `newest`: of the observations before this event. */
function proofFaults(event: HistoryEvent, before: HistoryEvent | null, newest: string): string[] {
  const faults: string[] = [];
  if (event.requestId === null) faults.push('has no request_id');
  if (event.observedAt === null) faults.push('has no observed_at');
  if (before !== null && BigInt(event.eventId) <= BigInt(before.eventId)) faults.push(`comes after ${before.eventId}`);
  if ((event.observedAt ?? '') < newest && !isLateVersion(event)) faults.push(`was observed before ${newest}`);
  return faults;
}

/** A run that is deleted when it is met has two events of one observation: neither knows a status before. */
const isDoubled = (event: HistoryEvent, before: HistoryEvent | null): boolean =>
  event.kind === 'deleted' &&
  before?.kind === 'discovered' &&
  event.requestId === before.requestId &&
  event.fromStatus === null;

function statusFaults(event: HistoryEvent, before: HistoryEvent | null): string[] {
  const faults: string[] = [];
  const led = isDoubled(event, before) ? null : (before?.toStatus ?? null);
  if (event.fromStatus !== led) faults.push(`comes from status ${event.fromStatus} after ${led}`);
  const told = event.changes?.status;
  if (told && !same(told, [event.fromStatus, event.toStatus]))
    faults.push(`tells two stories of the status: ${JSON.stringify(told)}`);
  if (!told && event.kind !== 'discovered' && !isDoubled(event, before) && event.fromStatus !== event.toStatus) {
    faults.push('moves the status and does not list it');
  }
  return faults;
}

function chainFaults(event: HistoryEvent, values: Map<string, Json>): string[] {
  const faults: string[] = [];
  if (event.kind === 'changed' && Object.keys(event.changes ?? {}).length === 0) faults.push('lists no change');
  if (event.kind === 'discovered' && event.changes !== null) faults.push('lists changes of what was not there');
  for (const [field, [old, now]] of Object.entries(event.changes ?? {})) {
    if (values.has(field) && !same(values.get(field), old)) {
      faults.push(`${field} comes from ${JSON.stringify(old)} after ${JSON.stringify(values.get(field))}`);
    }
    values.set(field, now);
  }
  return faults;
}

function endFaults(
  row: HistoryRow,
  presence: Presence,
  last: HistoryEvent | null,
  values: Map<string, Json>,
): string[] {
  if (last === null) return ['has a row and no events'];
  const faults: string[] = [];
  const now: Presence = row.isDeleted ? 'deleted' : row.isMissing ? 'missing' : 'present';
  if (presence !== now) faults.push(`is ${now}, its history says ${presence}`);
  if (row.entity !== 'run' && last.toStatus !== row.status)
    faults.push(`has status ${row.status}, its history says ${last.toStatus}`);
  for (const [field, value] of values) {
    if (!same(value, row.values[field])) {
      faults.push(`has ${field} ${JSON.stringify(row.values[field])}, its history says ${JSON.stringify(value)}`);
    }
  }
  if ((last.observedAt ?? '') > row.observedAt) faults.push('was observed before its last event');
  if (row.entity === 'pipeline_run' && last.requestId !== row.requestId) {
    faults.push('was last written by another answer than its last event names');
  }
  return faults;
}

/** Every update raises the revision by one, and every update but a few is an event. */
function revisionFaults(events: readonly HistoryEvent[], row: HistoryRow): string[] {
  const [least, most] = revisionRange(events, row.entity);
  return row.revision >= least && row.revision <= most
    ? []
    : [`has revision ${row.revision}, its ${events.length} events make ${least}${most > least ? ` to ${most}` : ''}`];
}

function revisionRange(events: readonly HistoryEvent[], entity: HistoryRow['entity']): [least: number, most: number] {
  // Row, params and labels of an experiment run are three events of one update.
  if (entity === 'run') {
    const updates = new Set(events.slice(1).map((event) => `${event.observedAt} ${event.requestId}`)).size;
    return [1 + updates, 1 + updates];
  }
  const doubled = events[1] && isDoubled(events[1], events[0] ?? null) ? 1 : 0;
  const updates = events.length - doubled;
  return [updates, updates + (entity === 'node' ? SILENT_NODE_UPDATES : 0)];
}

const EVENTS = `select concat_ws(' ', entity, entity_id, node_id, node_type) as subject, event_id::text as "eventId", kind,
    from_status as "fromStatus", to_status as "toStatus", changes, to_char(observed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as "observedAt",
    request_id as "requestId"
  from pai.change_events order by event_id`;

const OBSERVED = `to_char(observed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as "observedAt", answer_request_id as "requestId",
    deleted_at is not null as "isDeleted", missing_since is not null as "isMissing", revision::float8 as revision`;

const FIELDS_OF_RUN = `(select coalesce(jsonb_object_agg(f.name, f.value), '{}') from (
    select 'params.' || key as name, case when p.deleted_at is null then to_jsonb(p.value) end as value from pai.run_params p where p.run_id = r.run_id
    union all
    select 'labels.' || key, case when l.deleted_at is null then to_jsonb(l.value) end from pai.run_labels l where l.run_id = r.run_id) f)`;

/** One statement, so that rows and events are of one moment; its session shows times as the mirror's own does. */
const ROWS = [
  `select 'pipeline_run ' || pipeline_run_id as subject, 'pipeline_run' as entity, status, ${OBSERVED}, to_jsonb(r) as values from pai.pipeline_runs r`,
  `select concat_ws(' ', 'node', pipeline_run_id, node_id, node_type), 'node', status, ${OBSERVED}, to_jsonb(r) from pai.pipeline_run_nodes r`,
  `select 'run ' || run_id, 'run', null, ${OBSERVED}, to_jsonb(r) || ${FIELDS_OF_RUN} from pai.runs r`,
].join(' union all ');

const SHOWN = 24;

/**
 * What is wrong with the history of the whole mirror: at most some dozen faults in words, empty when nothing is. `except`:
 * runs that are left out with their nodes, such as those that retention took away.
 */
export async function historyFaults(pool: Pool, except: ReadonlySet<string> = new Set()): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query(`begin isolation level repeatable read; set local timezone = 'UTC'`);
    const isAsked = ({ subject }: { subject: string }): boolean => !except.has(subject.split(' ')[1] ?? '');
    const events = (await client.query<HistoryEvent & { subject: string }>(EVENTS)).rows.filter(isAsked);
    const rows = (await client.query<HistoryRow & { subject: string }>(ROWS)).rows.filter(isAsked);
    await client.query('commit');
    return [...duplicateIds(events), ...lifeFaults(events, rows)].slice(0, SHOWN);
  } finally {
    client.release();
  }
}

function duplicateIds(events: readonly HistoryEvent[]): string[] {
  const times = new Map<string, number>();
  for (const { eventId } of events) times.set(eventId, (times.get(eventId) ?? 0) + 1);
  return [...times]
    .filter(([, count]) => count > 1)
    .map(([eventId, count]) => `event id ${eventId} is there ${count} times`);
}

function lifeFaults(
  events: readonly (HistoryEvent & { subject: string })[],
  rows: readonly (HistoryRow & { subject: string })[],
): string[] {
  const lives = new Map<string, { events: HistoryEvent[]; row: HistoryRow | null }>();
  const lifeOf = (subject: string) => {
    const life = lives.get(subject) ?? { events: [], row: null };
    lives.set(subject, life);
    return life;
  };
  for (const event of events) lifeOf(event.subject).events.push(event);
  for (const row of rows) lifeOf(row.subject).row = row;
  return [...lives].flatMap(([subject, life]) =>
    faultsOfLife(life.events, life.row).map((fault) => `${subject} ${fault}`),
  );
}
