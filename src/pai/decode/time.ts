import type { Instant } from '../../domain/entities.js';
import { instantFromMillis } from '../../domain/instant.js';

/** What nearly every answer sends. The expression knows the days of the months, so that nothing is left to check. */
const COMMON =
  /^(?!0000)\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
/** Date, hour, minute, then perhaps seconds and a fraction, then the zone, which is never guessed. */
const ANY = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))$/i;

const MINUTE_MS = 60_000;
/** 0001-01-01 and the last millisecond of 9999: what both Instant and timestamptz can say. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
}

const exists = (year: number, month: number, day: number, hour: number, minute: number, second: number): boolean =>
  year >= 1 && day >= 1 && day <= daysIn(year, month) && hour <= 23 && minute <= 59 && second <= 59;

/** Reads a time of PAI to microseconds; null when it is no time, or one that never was. White space around it is none of it. */
export function readInstant(text: string): Instant | null {
  if (COMMON.test(text)) return `${text.slice(0, 23)}000Z`;
  const trimmed = text.trim();
  return trimmed.length < text.length ? readInstant(trimmed) : readAnyForm(text);
}

function readAnyForm(text: string): Instant | null {
  const match = ANY.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second = '00', fraction = '', sign, offsetHour = '00', offsetMinute = '00'] =
    match as unknown as [string, string, string, string, string, string, string?, string?, string?, string?, string?];
  if (!exists(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second))) return null;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null;
  const local = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`);
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * MINUTE_MS;
  const seconds = readMillis(sign === '-' ? local + offset : local - offset);
  return seconds === null ? null : `${seconds.slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

/** Milliseconds since 1970; null outside the years 1 to 9999. */
export const readMillis = (millis: number): Instant | null =>
  millis >= FIRST_MS && millis <= LAST_MS ? instantFromMillis(millis) : null;
