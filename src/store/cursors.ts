import type { ClientBase, Pool } from 'pg';
import type { Cursor, CursorState } from '../domain/batch.js';
import type { Instant } from '../domain/entities.js';
import { query } from './pool.js';
import { instantSql } from './sql.js';

/** Null when the stream was never run in the scope. */
export async function readCursor(pool: Pool, scope: string, stream: string): Promise<Cursor | null> {
  const rows = await query<{ watermark: Instant | null; state: CursorState }>(
    pool,
    `reading the cursor of ${stream} in ${scope}`,
    `select ${instantSql('watermark')} as watermark, state from pai.sync_cursors where scope = $1 and stream = $2`,
    [scope, stream],
  );
  return rows[0] ?? null;
}

/** Part of the transaction that writes what the cursor passes; a cursor that stays where it is is not written. */
export async function writeCursor(client: ClientBase, scope: string, stream: string, cursor: Cursor): Promise<void> {
  await client.query(
    `insert into pai.sync_cursors as c (scope, stream, watermark, state, updated_at)
     values ($1, $2, $3::timestamptz, $4::jsonb, statement_timestamp())
     on conflict (scope, stream) do update
     set watermark = excluded.watermark, state = excluded.state, updated_at = excluded.updated_at
     where (c.watermark, c.state) is distinct from (excluded.watermark, excluded.state)`,
    [scope, stream, cursor.watermark, JSON.stringify(cursor.state)],
  );
}
