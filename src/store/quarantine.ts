/** Reading `pai.quarantine`; what writes it is in commit/. */
import { type Queryable, query } from './pool.js';

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
