import { describe, expect, it } from 'vitest';
import { kindOf, limitedLogger } from '../../src/util/log-limit.js';
import { capturingLogger } from '../support/logger.js';

const MINUTE = 60_000;

function setUp() {
  const log = capturingLogger();
  let now = 0;
  return {
    log,
    logger: limitedLogger(log, () => now),
    advance: (millis: number) => {
      now += millis;
    },
  };
}

describe('a limited logger', () => {
  it('invariant 9: says ten lines alike in ten minutes, whatever their ids, then how many it left out', () => {
    const { log, logger, advance } = setUp();
    for (let pass = 0; pass < 5_000; pass += 1) {
      logger.error(
        { pass },
        `pass failed: reading the lease of nodes in cn-test:${pass}: connect ECONNREFUSED 127.0.0.1:5432`,
      );
    }
    expect(log.entries).toHaveLength(10);
    expect(log.entries.at(-1)?.fields).toEqual({ pass: 9, note: 'more lines like this are left out for 10 minutes' });
    advance(10 * MINUTE);
    logger.error({}, 'pass failed: reading the lease of nodes in cn-test:7: connect ECONNREFUSED 127.0.0.1:5432');
    expect(log.entries).toHaveLength(11);
    expect(log.entries.at(-1)?.fields).toEqual({ leftOut: 4_990 });
  });

  it('keeps what is different apart, whatever child says it', () => {
    const { log, logger } = setUp();
    for (let line = 0; line < 30; line += 1) {
      logger.child({ scope: line }).error({}, 'pass failed: the disk is full');
      logger.warn({}, 'pass failed: the disk is full');
      logger.error({}, 'pass failed: no answer');
    }
    expect(log.entries).toHaveLength(30);
    expect(log.entries.filter(({ fields }) => 'scope' in fields)).toHaveLength(10);
  });

  it('never hides another error behind a message that is always the same', () => {
    const { log, logger } = setUp();
    const retried = 'a call to PAI failed and is tried again';
    for (let line = 0; line < 30; line += 1) logger.warn({ code: 'PAI_NETWORK', attempts: line }, retried);
    logger.warn({ code: 'PAI_THROTTLED' }, retried);
    for (let line = 0; line < 30; line += 1) logger.warn({ error: 'no answer' }, 'could not extend the lease');
    logger.warn({ error: 'the disk is full' }, 'could not extend the lease');
    const failed = (answer: string) =>
      `pass failed: ListRuns in cn-a failed: HTTP ${answer}: without a message (request id 1A, 1 attempt)`;
    for (let line = 0; line < 30; line += 1) logger.error({}, failed('503 ServiceUnavailable'));
    logger.error({}, failed('403 Forbidden'));
    logger.error({}, failed('503'));
    expect(log.entries).toHaveLength(10 + 1 + 10 + 1 + 10 + 2);
    expect(log.entries.at(-2)?.message).toContain('Forbidden');
  });

  it('leaves out no line of the levels below', () => {
    const { log, logger } = setUp();
    for (let line = 0; line < 30; line += 1) {
      logger.info({}, 'pass finished');
      logger.debug({}, 'nothing new');
    }
    expect(log.entries).toHaveLength(60);
  });

  it('invariant 9: remembers a bounded number of kinds', () => {
    const { log, logger } = setUp();
    const word = (number: number): string =>
      number.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)] ?? '');
    for (let line = 0; line < 600; line += 1) logger.error({}, `kind ${word(line)}`);
    expect(log.entries).toHaveLength(600);
    for (let line = 0; line < 20; line += 1) logger.error({}, `kind ${word(0)}`);
    // It was forgotten, so it has its ten lines again.
    expect(log.entries).toHaveLength(610);
  });

  it('goes by how a line begins and ends, not by what was tried where', () => {
    const kinds = ['nodes in cn-a:1', 'details in cn-b:22'].map((where) =>
      kindOf('error', `pass failed: ${where}: no room`),
    );
    expect(kinds).toEqual(['error pass failed … no room', 'error pass failed … no room']);
  });

  it('takes words with digits for ids, and no others', () => {
    expect(kindOf('error', 'x: could not extend base/16389: 12 (53100)')).toBe('error x … # (#)');
    expect(kindOf('error', 'pass failed: x')).not.toBe(kindOf('error', 'pass failed: y'));
  });
});
