/**
 * Runs before every test file. The files of one worker share a process and its loaded modules (vitest.config.ts), so what
 * is to happen at the end of each file cannot be left to the top level of a module: that is evaluated only once.
 */
import { afterAll, afterEach } from 'vitest';
import { dropDatabasesOfFile, noteOutcome } from './database.js';

afterEach(({ task }) => noteOutcome(task.result?.state === 'fail'));
afterAll(dropDatabasesOfFile);
