// What the processes of the campaign run, bundled once: `main.mjs PART arguments…`.
import { dweller } from './filesystems/dweller.ts';
import { victim } from './inject/victim.ts';
import { keyholder } from './keyring/keyholder.ts';
import { rescuer } from './kill/rescuer.ts';
import { server } from './partitions/server.ts';
import { racer } from './race/racer.ts';
import { writer } from './kill/writer.ts';

const PARTS: Readonly<Record<string, (words: readonly string[]) => Promise<void>>> = {
  dweller,
  keyholder,
  racer,
  rescuer,
  server,
  victim,
  writer,
};

const [part = '', ...words] = process.argv.slice(2);
const run = PARTS[part];
if (run === undefined) throw new Error(`There is no part ${part}.`);
await run(words);
