#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { listenForInterrupt } from './cli/interrupt.js';
import { listenForTheWorst } from './cli/last-words.js';

// Pages live for as long as it takes to store them, so they outlive the quick collections, and V8 would let 30 MB of what
// is in use grow to 130 before it looks at the rest: a first load peaked at 230 MB, and peaks at 160 with this, for 5 % of
// its CPU. V8 reads this one whenever it sets its next limit, so it may be set while it runs.
setFlagsFromString('--heap-growing-percent=40');

listenForTheWorst();

// Loading the rest takes a moment, in which a signal must find its listener, too.
const interrupt = listenForInterrupt();
const { run } = await import('./cli/program.js');

process.exitCode = await run(process.argv, interrupt);
