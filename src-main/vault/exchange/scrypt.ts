import { Worker } from 'node:worker_threads';

/** Cost: 2^work rounds, and 1 kB of memory for each. */
export interface ScryptInput {
  passphrase: string;
  salt: Buffer;
  work: number;
}

/**
 * The worker's whole script. A text, and not a file of its own, so that whoever bundles this has nothing to carry along.
 */
const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads');
const { scryptSync } = require('node:crypto');
const { passphrase, salt, work } = workerData;
const rounds = 2 ** work;
const key = scryptSync(passphrase, salt, 32, { N: rounds, r: 8, p: 1, maxmem: rounds * 1024 + 2 ** 20 });
parentPort.postMessage(key);
`;

/**
 * RFC 7914 with r = 8 and p = 1: 32 bytes. On a thread of its own, for it takes a second and more, on purpose. Node's
 * asynchronous `scrypt` is none in Electron: to check its parameters it does all of the work once, and does it on the
 * thread that called.
 *
 * @throws what the system says, with its code, such as that there is not enough memory
 */
export function scrypt(input: ScryptInput): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(SCRIPT, { eval: true, workerData: input, env: {} });
    worker.once('message', (key: Uint8Array) => resolve(Buffer.from(key)));
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('The thread that derives the key ended early.')));
  });
}
