#!/usr/bin/env node
import { listenForInterrupt } from './cli/interrupt.js';

// Loading the rest takes a moment, in which a signal must find its listener, too.
const interrupt = listenForInterrupt();
const { run } = await import('./cli/program.js');

process.exitCode = await run(process.argv, interrupt);
