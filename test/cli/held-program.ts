/** Holds signals back until it reads a line, and says how far it came. */
import { once } from 'node:events';
import { hold } from '../../src-main/cli/process.ts';

const release = hold();
process.stdout.write('sent\n');
await once(process.stdin, 'data');
process.stdout.write('kept\n', () => {
  release();
  // Without a signal, the process ends by itself.
  process.stdin.destroy();
});
