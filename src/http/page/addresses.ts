/** Where one run or one experiment has its page, whatever its id is made of. */
import { queryString } from './parameters.js';

type Parameters = Readonly<Record<string, string | readonly string[] | null>>;

/** Stands in the path where the id is in the query. A thing that is called so has its page there as well. */
export const BY_QUERY = '-';

/**
 * Browsers take `.` and `..` for steps in the path, however they are written, and proxies change slashes and percent signs:
 * such ids go into the query, `/runs/-?id=..`, all others into the path.
 */
const fitsPath = (id: string): boolean => !/^\.*$|[/\\%]/.test(id);

function addressOf(folder: string, id: string, rest: string, parameters: Parameters): string {
  const segment = fitsPath(id) ? encodeURIComponent(id) : BY_QUERY;
  const all = fitsPath(id) ? parameters : { id, ...parameters };
  return `/${folder}/${segment}${rest}${queryString(all)}`;
}

export const runAddress = (id: string, parameters: Parameters = {}): string => addressOf('runs', id, '', parameters);

export const documentAddress = (runId: string, name: string): string => addressOf('runs', runId, `/${name}`, {});

export const experimentAddress = (id: string, parameters: Parameters = {}): string =>
  addressOf('experiments', id, '', parameters);

/** For a form: its own fields are all of its query, and `id` has to be one of them where this is not null. */
export const experimentForm = (id: string): { readonly action: string; readonly id: string | null } => ({
  action: `/experiments/${fitsPath(id) ? encodeURIComponent(id) : BY_QUERY}`,
  id: fitsPath(id) ? null : id,
});
