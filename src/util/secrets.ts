/**
 * The secrets of this process, so that no log line shows one, wherever it turns up: in an answer that repeats what was sent,
 * in the message of a driver, in a field that nobody thought of. Known to the whole process, as the secrets are: whoever
 * comes by one names it here, and every line passes `hideSecrets` on its way out. Names of fields alone would not do: most
 * of what is logged is text that others wrote.
 */

/** Shorter ones would hide words of every day; what is that short is no secret. */
const SHORTEST = 6;
/** Forms of keys that run out: sessions are renewed once an hour, so those of some days. */
const MOST_PASSING = 1_000;

/** Of 9 bytes: what is shorter may be a word. */
const SHORTEST_BASE64 = 12;

const HIDDEN = '[secret]';
/** A password in a URL, whoever's it is. */
const IN_URL = /(:\/\/[^\s:/@"]*:)[^\s@/"]+@/g;

const lasting = new Set<string>();
/** The oldest is forgotten first, long after it has run out. */
const passing = new Set<string>();
/** All of them, longest first: what is a part of another must not be taken out of that before. */
let known: readonly string[] = [];
/** Any of them. One look for all, so that what stands for one secret is not searched for another. */
let anyKnown: RegExp | null = null;

/** From now on no line shows this text, nor the forms that it has inside a URL or a JSON text. */
export const conceal = (secret: string | null | undefined): void => remember(secret, lasting);

/** The same for what others take the place of after a while: the last few hundred of them. */
export const concealPassing = (secret: string | null | undefined): void => remember(secret, passing);

function remember(secret: string | null | undefined, among: Set<string>): void {
  if (secret == null || secret.length < SHORTEST || among.has(secret)) return;
  for (const form of formsOf(secret)) among.add(form);
  for (const oldest of passing) {
    if (passing.size <= MOST_PASSING) break;
    passing.delete(oldest);
  }
  known = [...new Set([...lasting, ...passing])].sort((one, other) => other.length - one.length);
  anyKnown = null;
}

/** A number of a line of JSON may have the same digits: what stands for it must be a number, too. */
const standInFor = (form: string): string => (/^\d+$/.test(form) ? '0' : HIDDEN);

/** Also of a password that stands in a URL as it is and is used unescaped; base64 is how headers and Kubernetes write it. */
function formsOf(secret: string): Set<string> {
  const texts = [secret, unescaped(secret)];
  return new Set(
    texts.flatMap((text) => [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1), ...base64Forms(text)]),
  );
}

/**
 * With and without the padding, in both alphabets. The letters that depend on what stands beside are left out at the end,
 * and other places of the secret in a longer text are not looked for: nobody here writes such a text.
 */
function base64Forms(text: string): string[] {
  const whole = Buffer.from(text).toString('base64');
  const settled = whole.slice(0, Math.floor((Buffer.byteLength(text) * 4) / 3));
  return [settled, settled.replaceAll('+', '-').replaceAll('/', '_')].filter(({ length }) => length >= SHORTEST_BASE64);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Made when a line needs it: most never do. What stands for a secret comes first: a line may pass here twice. */
function patternOfAll(): RegExp {
  anyKnown ??= new RegExp([HIDDEN, ...known].map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');
  return anyKnown;
}

export function hideSecrets(line: string): string {
  const hidden = known.some((form) => line.includes(form)) ? line.replace(patternOfAll(), standInFor) : line;
  return hidden.includes('://') ? hidden.replace(IN_URL, `$1${HIDDEN}@`) : hidden;
}
