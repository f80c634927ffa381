/**
 * Measures one cell of the table in its own process: `node cell.mjs PEER OPERATION ACCOUNTS FILE BUDGET`. Sends its
 * parent `{ running: true }` before each measured run, then `{ samples }`.
 */
import { readFileSync } from 'node:fs';
import { documentOf } from './generate.ts';
import { measure } from './measure.ts';
import { memory, OPERATIONS, responseFor } from './operations.ts';
import { PEERS } from './peers.ts';

const [peer = '', name = '', accounts = '', file = '', budget = ''] = process.argv.slice(2);
const operation = OPERATIONS[name];
const subject = PEERS[peer];
if (operation === undefined || subject === undefined || process.send === undefined)
  throw new Error('Run by cache.ts and msal.ts only');

const people = memory();
const make = (): ReturnType<typeof subject> => subject(people);
const send = process.send.bind(process);

/** Warms up on a small cache, so that the time of a large one does not include compiling the code. */
const WARM = 64;
const warm = { operation, text: documentOf(WARM), accounts: WARM, make, responses: responseFor };
await measure({ ...warm, budget: 150 });

const responses = new Map<number, ReturnType<typeof responseFor>>();
const samples = await measure({
  operation,
  text: readFileSync(file, 'utf8'),
  accounts: Number(accounts),
  make,
  responses(index) {
    const response = responses.get(index) ?? responseFor(index);
    responses.set(index, response);
    return response;
  },
  budget: Number(budget),
  onRun: () => send({ running: true }),
});
send({ samples });
