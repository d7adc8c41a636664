/** `doctor`: what is wrong, and what to do about it. Looks at everything, changes nothing. */
import { type Environment, parseConfig, readEnvironment, secretsOf, unknownVariables } from '../config.js';
import { ConfigurationError, describeError, UsageError } from '../domain/errors.js';
import { scopeName } from '../domain/scope.js';
import { silentLogger } from '../util/logger.js';
import { conceal, hideSecrets } from '../util/secrets.js';
import type { ExitCode } from './context.js';
import { type Check, exitCodeOf, type Finding, failed, type Judged, ok, runChecks, warning } from './doctor/check.js';
import { databaseChecks } from './doctor/database-checks.js';
import { mirrorChecks, retentionCheck } from './doctor/mirror-checks.js';
import { paiChecks } from './doctor/pai-checks.js';
import { reportJson, reportText } from './doctor/report.js';
import { Session } from './doctor/session.js';
import { tellWarnings } from './last-words.js';
import { stdoutOutput } from './output.js';

/** What a check that took too long still waits for must not keep the process. */
const LINGER_MS = 1_000;

export async function doctorCommand(options: { readonly json: boolean }): Promise<ExitCode> {
  const output = stdoutOutput();
  const session = new Session();
  // What packages warn of says nothing that a check does not; stderr stays empty.
  tellWarnings(silentLogger);
  try {
    const { findings: found, hung } = await runChecks(checksOf(session));
    const findings = found.map(withoutSecrets);
    const code = exitCodeOf(findings);
    output.print(options.json ? reportJson(findings) : reportText(findings, { colours: output.isTerminal }));
    if (hung) setTimeout(() => process.exit(code), LINGER_MS).unref();
    return code;
  } finally {
    await session.close();
  }
}

/** The database first: calls to PAI take their turn in the budgets that it keeps, and a run to try them with. */
export const checksOf = (session: Session): readonly Check[] => [
  { name: 'configuration', run: () => configuration(session) },
  ...databaseChecks(session),
  ...paiChecks(session),
  ...mirrorChecks(session),
  retentionCheck(session),
];

/** The words of checks and verdicts stay, should a secret be one of them: programs read those. */
const withoutSecrets = ({ check, subject, verdict, found, remedy }: Finding): Finding => ({
  check,
  subject: subject === null ? null : hideSecrets(subject),
  verdict,
  found: hideSecrets(found),
  remedy: remedy === null ? null : hideSecrets(remedy),
});

function configuration(session: Session): Judged[] {
  let odd: Judged[] = [];
  try {
    const env = readEnvironment();
    for (const secret of secretsOf(env)) conceal(secret);
    odd = [...unknownVariables(env).map(unknown), ...unchecked(env)];
    const config = parseConfig(env, { scopes: true });
    session.config = config;
    session.environment = env;
    const plain = config.allowHttp
      ? [warning('PAI_ALLOW_HTTP', 'allows http to other machines: all of it can be read on the way', 'use https')]
      : [];
    return [ok(null, `mirrors ${config.scopes.map(scopeName).join(', ')}`), ...plain, ...odd];
  } catch (error) {
    if (error instanceof ConfigurationError) return [...error.mistakes.map(ofMistake), ...odd];
    if (error instanceof UsageError) return [failed(null, describeError(error), 'correct it, or remove the file')];
    throw error;
  }
}

const unknown = ({ name, meant }: ReturnType<typeof unknownVariables>[number]): Judged =>
  warning(
    name,
    'is set, and pai-mirror knows no such variable',
    meant === null
      ? 'correct its name (README.md has the table), or unset it'
      : `${meant} may be meant: correct the name, or unset it`,
  );

/** Node.js then trusts whoever answers, also with the keys. */
const unchecked = (env: Environment): Judged[] =>
  env.NODE_TLS_REJECT_UNAUTHORIZED === '0'
    ? [
        warning(
          'NODE_TLS_REJECT_UNAUTHORIZED',
          'is 0, so that no certificate is checked: who is on the way can read and change everything',
          'unset it; an authority of your own is named in NODE_EXTRA_CA_CERTS',
        ),
      ]
    : [];

/** `NAME: found …, expected …` */
function ofMistake(mistake: string): Judged {
  const [name = '', ...rest] = mistake.split(': ');
  return failed(name, rest.join(': '), `correct ${name} in the environment or in .env (README.md has the table)`);
}
