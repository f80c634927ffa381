/**
 * Makes the vectors anew: `node test/vectors/make/make.mjs [FOLDER]` (default: test/vectors).
 * Needs the development packages (msal-node-2, -3, -5, -7) and Debian's python3-msal. Same input, same bytes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { casesFor, HANDOVERS, handoverCase } from './cases.mjs';
import { entryFor } from './entry.mjs';
import { hostile } from './hostile.mjs';
import { HAND_WRITTEN, LIBRARIES, play } from './libraries.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));

function save(path, content) {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

const index = [];

for (const library of LIBRARIES) {
  const cases = casesFor(library.name);
  const { version, documents } = play(library, cases);
  for (const { name, note, users, app_only } of cases) {
    const file = `${library.name}-${name}.json`;
    const entry = entryFor({ ...library, file, version, note }, documents[name]);
    if (entry.accounts !== users || entry.app_only !== app_only) {
      throw new Error(
        `${file} has ${entry.accounts} users and ${entry.app_only} tokens of apps; ${users} and ${app_only} signed in`,
      );
    }
    save(join('documents', file), documents[name]);
    index.push(entry);
  }
}

for (const [name, text] of Object.entries(HAND_WRITTEN.documents())) {
  const file = `${HAND_WRITTEN.name}-${name}.json`;
  const note = 'Composed field by field, not written by the library';
  save(join('documents', file), text);
  index.push(entryFor({ ...HAND_WRITTEN, file, version: 'hand-written', note }, text));
}
save('documents/index.json', json(index));

const handovers = [];
const named = (wanted) => LIBRARIES.find(({ name }) => name === wanted);

for (const { first, second, note } of HANDOVERS) {
  const before = play(named(first), [handoverCase()]).documents.handover;
  const { version, documents } = play(named(second), [handoverCase(before)]);
  const file = `${first}-then-${second}.json`;
  save(join('handovers', file), documents.handover);
  handovers.push(entryFor({ ...named(second), file, version, note }, documents.handover));
}
save('handovers/index.json', json(handovers));

const outcomes = [];
for (const { file, bytes, ...outcome } of hostile()) {
  save(join('hostile', file), bytes);
  outcomes.push({ file, ...outcome });
}
save('hostile/index.json', json(outcomes));

console.log(
  `${index.length} documents, ${handovers.length} handovers, ${outcomes.length} hostile files in ${folder}`,
);
