import { Worker } from 'node:worker_threads';
import { KeyedQueue } from '../waiting.ts';

/** The input of a key derivation, which takes 2^work rounds and 1 KiB of memory for each. */
export interface ScryptInput {
  passphrase: string;
  salt: Buffer;
  work: number;
}

/** The worker's whole script. It is a string, so that bundlers need not ship a second file. */
const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads');
const { scryptSync } = require('node:crypto');
const { passphrase, salt, work } = workerData;
const rounds = 2 ** work;
const key = scryptSync(passphrase, salt, 32, { N: rounds, r: 8, p: 1, maxmem: rounds * 1024 + 2 ** 20 });
parentPort.postMessage(key);
`;

const queue = new KeyedQueue();

/**
 * Derives 32 bytes (RFC 7914, r = 8, p = 1) on a thread of its own, because it deliberately takes a second or more. Node's asynchronous
 * `scrypt` checks its parameters in Electron by doing all of the work once, on the calling thread.
 *
 * One derivation runs at a time in this process: four files that require a gigabyte each use one gigabyte, not four.
 *
 * @throws the system's error with its code, such as when there is not enough memory
 */
export function scrypt(input: ScryptInput): Promise<Buffer> {
  return queue.run('', () => derive(input));
}

function derive(input: ScryptInput): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(SCRIPT, { eval: true, workerData: input, env: {}, execArgv: [] });
    let key: Buffer | undefined;
    worker.once('message', (bytes: Uint8Array) => (key = Buffer.from(bytes)));
    worker.once('error', reject);
    // Settles when the thread exits, because only then is its memory freed.
    worker.once('exit', () => {
      if (key === undefined) reject(new Error('The thread that derives the key ended early.'));
      else resolve(key);
    });
  });
}
