#!/usr/bin/env node
/** The entry point of the `tokenkeep` command in Node. In the installed app it is app/command.ts. */
import { runHere } from './process.ts';

void runHere(process.argv.slice(2), fetch).then((code) => {
  process.exitCode = code;
});
