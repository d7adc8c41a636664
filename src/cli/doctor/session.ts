/** What the checks of one `doctor` find out and hand on to later ones. */
import type { Config, Environment } from '../../config.js';
import { MirrorError } from '../../domain/errors.js';
import type { Scope } from '../../domain/scope.js';
import type { EmbeddedLook } from '../../embedded/look.js';
import type { NamedKeys } from '../../pai/credentials.js';
import type { BudgetTable } from '../../store/budgets.js';
import type { RoomFacts, ServerFacts } from '../../store/inspect/server.js';
import type { Inspection } from '../../store/inspect/session.js';
import type { Source } from '../../sync/ports.js';

export class Session {
  config: Config | null = null;
  /** Null where DATABASE_URL names another server. */
  embedded: EmbeddedLook | null = null;
  inspection: Inspection | null = null;
  server: ServerFacts | null = null;
  room: RoomFacts | null = null;
  /** The schema is this version's, and may be relied on. */
  isMigrated = false;
  keys: NamedKeys | null = null;
  /** Completed by .env: what @alicloud/credentials reads is no part of the configuration. */
  environment: Environment = {};
  budgets: BudgetTable | null = null;
  source: Source | null = null;
  /** Products of a region that did not answer, `paiflow cn-shanghai`. */
  readonly unreachable = new Set<string>();
  /** What is not tried again, `paiflow cn-shanghai` or `all`, and why. */
  readonly hopeless = new Map<string, string>();
  /** Milliseconds by which PAI's clock is ahead of this machine's, one for each endpoint that told. */
  readonly paiAhead: number[] = [];
  /** Milliseconds by which the database's clock is ahead of this machine's. */
  databaseAhead: number | null = null;
  /** By region, once listed: the first hundred; null where they could not be. */
  readonly workspaces = new Map<string, readonly string[] | null>();
  /** Names of the scopes whose operations were tried. */
  readonly tried = new Set<string>();
  /** Scopes in which calls succeeded, and whether they showed any run. */
  readonly seen = new Map<string, { readonly scope: Scope; readonly runs: number }>();
  /** Account of the runs that calls have shown: ParentUserId. */
  account: { readonly id: string; readonly scope: string } | null = null;

  get settings(): Config {
    return this.config ?? missing('configuration');
  }

  get db(): Inspection['client'] {
    return (this.inspection ?? missing('database')).client;
  }

  get connectionString(): string {
    return this.settings.databaseUrl ?? this.embedded?.connectionString ?? missing('address of the database');
  }

  async close(): Promise<void> {
    await this.budgets?.close().catch(() => {});
    await this.inspection?.close();
  }
}

/** The checks name what they need, so this cannot be reached. */
function missing(what: string): never {
  throw new MirrorError(`the ${what} is not there`, { code: 'DOCTOR', retryable: false, blast: 'global' });
}
