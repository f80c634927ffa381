/**
 * Makes the vectors anew: `node test/vectors/make/make.mjs [FOLDER [PART…]]`, by default all parts into test/vectors.
 * A part is a library (`msal-node-7`), `msal-dotnet`, `handovers` or `hostile`.
 * Needs the development packages (msal-node-2, -3, -5, -7) and Debian's python3-msal. Same input, same bytes. What another release of
 * MSAL Python wrote than the installed one stays as it is.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { byHand } from './by-hand.mjs';
import { casesFor, HANDOVERS, handoverCase } from './cases.mjs';
import { entryFor } from './entry.mjs';
import { hostile } from './hostile.mjs';
import { isInstalled, LIBRARIES, play } from './libraries.mjs';

const [folder = fileURLToPath(new URL('..', import.meta.url)), ...wanted] = process.argv.slice(2);

function save(path, content) {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
}

/** A part writes its files and returns the entries of its folder's index. */
const parts = {};

for (const library of LIBRARIES) {
  parts[library.name] = () => {
    if (!isInstalled(library)) return [];
    const cases = casesFor(library.name);
    const { version, documents } = play(library, cases);
    return cases.map(({ name, note, users, app_only }) => {
      const file = `${library.name}-${name}.json`;
      const entry = entryFor({ ...library, file, version, note }, documents[name]);
      if (entry.accounts !== users || entry.app_only !== app_only) {
        const found = `${entry.accounts} users and ${entry.app_only} tokens of apps`;
        throw new Error(`${file} has ${found}; ${users} and ${app_only} signed in`);
      }
      save(join('documents', file), documents[name]);
      return entry;
    });
  };
}

parts['msal-dotnet'] = () =>
  Object.entries(byHand()).map(([name, text]) => {
    const file = `msal-dotnet-${name}.json`;
    const origin = { library: 'msal-dotnet', profile: 'msal-dotnet', version: 'hand-written' };
    save(join('documents', file), text);
    return entryFor({ ...origin, file, note: 'Composed field by field, not written by the library' }, text);
  });

parts['handovers'] = () =>
  HANDOVERS.flatMap(({ first, second, note }) => {
    const [one, other] = [first, second].map((wanted) => LIBRARIES.find(({ name }) => name === wanted));
    if (!isInstalled(one) || !isInstalled(other)) return [];
    const before = play(one, [handoverCase()]).documents.handover;
    const { version, documents } = play(other, [handoverCase(before)]);
    const file = `${first}-then-${second}.json`;
    save(join('handovers', file), documents.handover);
    return [entryFor({ ...other, file, version, note }, documents.handover)];
  });

parts['hostile'] = () =>
  hostile().map(({ file, bytes, ...outcome }) => {
    save(join('hostile', file), bytes);
    return { file, ...outcome };
  });

const made = { documents: [], handovers: [], hostile: [] };
for (const name of wanted.length > 0 ? wanted : Object.keys(parts)) (made[name] ?? made.documents).push(...parts[name]());
for (const [kind, entries] of Object.entries(made)) {
  if (entries.length === 0) continue;
  // The entries of what was not made now stay in their place.
  const kept = JSON.parse(readFileSync(new URL(`../${kind}/index.json`, import.meta.url), 'utf8'));
  const index = new Map([...kept, ...entries].map((entry) => [entry.file, entry]));
  save(join(kind, 'index.json'), `${JSON.stringify([...index.values()], null, 2)}\n`);
  console.log(`${entries.length} ${kind}`);
}
