/**
 * All times that decide anything are of the database's clock. It may have been ahead for a while and set right since:
 * what was written meanwhile is then dated into the future. Such a date proves nothing (it would freeze a row, a lease
 * or a retry until the clock gets there, hours or years later), so every comparison with a stored time knows of it.
 */

/** More than this into the future is no matter of two clocks that were compared a minute ago. */
const TOLERANCE = `interval '1 minute'`;

/** SQL: whether a time lies in the future of the database's clock. */
export const isAhead = (time: string): string => `${time} > statement_timestamp() + ${TOLERANCE}`;

/** SQL: whether a time lies further in the future than something that lasts `span` (an interval) can end. */
export const isBeyond = (time: string, span: string): string =>
  `${time} > statement_timestamp() + ${span} + ${TOLERANCE}`;

/**
 * SQL: whether an observation was made before the one that is known. Two times are compared as they are, unless only the
 * known one is of the future: then the clock has been set right in between. Among themselves such times are in order.
 */
export const isEarlier = (observed: string, known: string): string =>
  `(${observed} < ${known} and not (${isAhead(known)} and not ${isAhead(observed)}))`;
