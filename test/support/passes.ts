import type { Pool } from 'pg';

/** Pairs of passes of one stream in one scope that ran at the same time, by the database's clock; one sentence each. */
export async function overlappingPasses(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ overlap: string }>(
    `select format('%s in %s: pass %s (fence %s, until %s) and pass %s (fence %s, from %s)',
       a.stream, a.scope, a.id, a.fence, a.finished_at, b.id, b.fence, b.started_at) as overlap
     from pai.sync_passes a join pai.sync_passes b on b.scope = a.scope and b.stream = a.stream and b.id <> a.id
       and (b.started_at, b.id) > (a.started_at, a.id) and b.started_at < coalesce(a.finished_at, 'infinity')`,
  );
  return rows.map(({ overlap }) => overlap);
}
