/** Reading `pai.quarantine`; what writes it is in commit/. */
import type { QuarantineEntry } from '../domain/quarantine.js';
import type { ScopePattern } from '../domain/scope.js';
import type { Stream } from '../domain/streams.js';
import { type Queryable, query } from './pool.js';
import { instantSql } from './sql.js';

/** Whether items of the operation wait in the scope. */
export async function hasQuarantine(db: Queryable, scope: string, operation: string): Promise<boolean> {
  const rows = await query<{ found: boolean }>(
    db,
    `looking for quarantined items of ${operation} in ${scope}`,
    'select exists (select from pai.quarantine where scope = $1 and operation = $2 and resolved_at is null) as found',
    [scope, operation],
  );
  return rows[0]?.found ?? false;
}

export interface QuarantineQuery {
  /** Also entries that are settled. */
  readonly all: boolean;
  /** Only entries of this scope, or of this region. */
  readonly scope?: ScopePattern;
  readonly stream?: string;
  /** Only these; an id that does not exist is passed over. */
  readonly ids?: readonly string[];
  /** Entries with a greater id, `0` for all, in the order of their ids. */
  readonly after: string;
  readonly limit: number;
}

type Row = Omit<QuarantineEntry, 'scope' | 'evidence'> & {
  readonly region: string;
  readonly scopeText: string;
  readonly observedAt: string;
  readonly requestId: string | null;
};

const COLUMNS = `id::text, region, scope as "scopeText", stream, operation, entity, entity_id as "entityId",
  parent_id as "parentId", form, raw, error, request_id as "requestId", ${instantSql('observed_at')} as "observedAt",
  ${instantSql('first_seen_at')} as "firstSeenAt", ${instantSql('resolved_at')} as "resolvedAt", resolution`;

const CONDITION = `($1 or resolved_at is null) and ($2::text is null or region = $2) and ($3::text is null or scope = $3)
  and ($4::text is null or stream = $4) and ($5::bigint[] is null or id = any($5))`;

function conditionValues(filter: Omit<QuarantineQuery, 'after' | 'limit'>): unknown[] {
  const { scope } = filter;
  const name = scope === undefined || scope.workspaceId === '*' ? null : `${scope.region}:${scope.workspaceId}`;
  return [filter.all, scope?.region ?? null, name, filter.stream ?? null, filter.ids ?? null];
}

function toEntry({ region, scopeText, observedAt, requestId, ...row }: Row): QuarantineEntry {
  const workspaceId = scopeText.slice(region.length + 1);
  return { ...row, scope: { region, workspaceId }, evidence: { observedAt, requestId } };
}

export async function readQuarantine(db: Queryable, filter: QuarantineQuery): Promise<QuarantineEntry[]> {
  const rows = await query<Row>(
    db,
    'reading the quarantine',
    `select ${COLUMNS} from pai.quarantine where ${CONDITION} and id > $6::bigint order by quarantine.id limit $7`,
    [...conditionValues(filter), filter.after, filter.limit],
  );
  return rows.map(toEntry);
}

/** How many entries wait for each stream. */
export interface QuarantineGroup {
  readonly region: string;
  readonly workspaceId: string;
  readonly stream: Stream;
  readonly entries: number;
  readonly lastId: string;
}

export async function quarantineGroups(
  db: Queryable,
  filter: Omit<QuarantineQuery, 'after' | 'limit'>,
): Promise<QuarantineGroup[]> {
  return query<QuarantineGroup>(
    db,
    'counting the quarantine',
    `select region, substr(scope, length(region) + 2) as "workspaceId", stream, count(*)::float8 as entries, max(id)::text as "lastId"
     from pai.quarantine where ${CONDITION} group by 1, 2, 3 order by 1, 2, 3`,
    conditionValues(filter),
  );
}
