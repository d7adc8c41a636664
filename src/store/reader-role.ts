/** The role that reads the mirror, and what an administrator has to do where the mirror may not. Pure. */

/** Made by `pai.ensure_reader()`; the name is part of the contract. */
export const READER = 'pai_reader';

/**
 * Defaults of every session of the role. They keep a panel's mistake from hurting the mirror; they are no walls, since a
 * session may set others: what the role may read and not write is decided by its grants. The two about planning are as in
 * the mirror's own sessions (pool.ts). `pai.ensure_reader()` sets the same ones on a role that it makes.
 */
export const READER_SETTINGS: Readonly<Record<string, string>> = {
  statement_timeout: '30000',
  default_transaction_read_only: 'on',
  jit: 'off',
  work_mem: '32768',
  random_page_cost: '1.1',
  hash_mem_multiplier: '8',
  idle_in_transaction_session_timeout: '60000',
  search_path: 'analytics, pai',
};

/** `ALTER ROLE … SET` takes a list of schemas as a list; quoted as one it would be one schema of that name. */
export const settingStatement = ([name, value]: readonly [string, string]): string =>
  `ALTER ROLE ${READER} SET ${name} = ${name === 'search_path' ? value : `'${value}'`}`;

export interface Refused {
  /** The mirror's own role. */
  readonly owner: string;
  readonly roleExists: boolean;
  /** Such as 180004. */
  readonly serverVersion: number;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** What an administrator can run so that the command works, or in place of the command. `\password` hashes in psql. */
export function adviceForAdministrator({ owner, roleExists, serverVersion }: Refused): string {
  // Since PostgreSQL 16 CREATEROLE rules over the roles that its holder made, and over others that are granted so.
  const grant =
    roleExists && serverVersion >= 160_000 ? [`GRANT ${READER} TO ${quoted(owner)} WITH ADMIN OPTION;`] : [];
  const allow = [`ALTER ROLE ${quoted(owner)} CREATEROLE;`, ...grant];
  const instead = [
    ...(roleExists ? [] : [`CREATE ROLE ${READER};`]),
    ...Object.entries(READER_SETTINGS).map((setting) => `${settingStatement(setting)};`),
    `ALTER ROLE ${READER} LOGIN;`,
    `\\password ${READER}`,
  ];
  return [
    'An administrator of the server can allow it, and this command works then:',
    ...allow.map((line) => `  ${line}`),
    'or can give the login in psql, after which `pai-mirror migrate` grants what the role may read:',
    ...instead.map((line) => `  ${line}`),
  ].join('\n');
}
