import { invalidParameter, Refusal } from '../refusal.js';

/** Query parameters of a request, read strictly: a value that PAI would refuse is refused with its name. */
export class Parameters {
  private readonly query: URLSearchParams;

  constructor(query: URLSearchParams) {
    this.query = query;
  }

  has(name: string): boolean {
    return this.text(name) !== null;
  }

  /** Null for a parameter that is missing or empty. */
  text(name: string): string | null {
    const value = this.query.get(name);
    return value === null || value === '' ? null : value;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === null) throw new Refusal(400, `Missing${name}`, `Parameter ${name} is mandatory for this action.`);
    return value;
  }

  integer(name: string, fallback: number, least: number): number {
    const value = this.text(name);
    if (value === null) return fallback;
    const number = /^[0-9]{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least)) throw invalidParameter(name, value, `an integer of ${least} or more`);
    return number;
  }

  boolean(name: string): boolean {
    const value = this.text(name);
    if (value === null || value === 'false') return false;
    if (value === 'true') return true;
    throw invalidParameter(name, value, 'true or false');
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | null {
    const value = this.text(name);
    if (value === null) return null;
    const found = allowed.find((word) => word === value);
    if (found === undefined) throw invalidParameter(name, value, `one of ${allowed.join(', ')}`);
    return found;
  }

  /** Of a comma-separated list; null when the parameter is missing. */
  list(name: string): readonly string[] | null {
    const value = this.text(name);
    return value === null ? null : value.split(',').map((item) => item.trim());
  }
}

/** Page number and size, as most operations take them: 1 and 10 by default. */
export interface Page {
  readonly offset: number;
  readonly limit: number;
}

export function pageOf(parameters: Parameters, clamp: number | null): Page {
  const number = parameters.integer('PageNumber', 1, 1);
  const size = parameters.integer('PageSize', 10, 1);
  const limit = clamp === null ? size : Math.min(size, clamp);
  return { offset: (number - 1) * limit, limit };
}
