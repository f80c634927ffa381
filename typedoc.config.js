// The API reference: what each entry of package.json exports, in the words of the docstrings. A broken link or an export that
// says nothing about itself is an error.
import { readFileSync } from 'node:fs';

const json = (file) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
const { paths } = json('tsconfig.json').compilerOptions;

/** The source file of a package entry, as tsconfig.json maps it. */
function source(entry) {
  return paths[entry.replace('.', 'tokenkeep')][0];
}

/** @type {import('typedoc').TypeDocOptions} */
export default {
  entryPoints: Object.keys(json('package.json').exports)
    .filter((entry) => entry !== './package.json')
    .map(source),
  out: 'artifacts/reference',
  readme: 'none',
  disableSources: true, // a clone need not know where it came from
  skipErrorChecking: true, // `npm run types` does
  validation: { invalidLink: true, notExported: true, notDocumented: true },
  requiredToBeDocumented: [
    'Module',
    'Class',
    'Interface',
    'TypeAlias',
    'Variable',
    'Function',
    'Method',
    'Accessor',
  ],
  intentionallyNotExported: ['Undoing'],
  tsconfig: 'tsconfig.reference.json',
  treatWarningsAsErrors: true,
};
