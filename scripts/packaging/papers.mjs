import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetUpError } from '../setup/say.mjs';

/** Needed only to compile keytar, and not part of the app. */
const notShipped = new Set(['node_modules/node-addon-api']);

/**
 * Writes the files that say what the app contains: sbom.cdx.json (CycloneDX) and THIRD-PARTY-NOTICES.txt. They list the packages that are
 * installed with it and those that were bundled. Electron's own notices are beside its executable.
 *
 * @param {string} root the clone, after `npm run build`
 * @param {string} folder
 * @param {string} electronVersion of the Electron that the app contains
 */
export function writePapers(root, folder, electronVersion) {
  const bill = billOfMaterials(root, electronVersion);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`);
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), notices(root, bill.components));
}

function billOfMaterials(root, electronVersion) {
  const all = everyPackage(root);
  const shipped = all.components.filter(isShipped(bundledPackages(root)));
  const electron = all.components.find((component) => pathOf(component) === 'node_modules/electron');
  const components = [...shipped, { ...electron, ...versioned(electron, electronVersion) }];
  const kept = new Set([
    all.metadata.component['bom-ref'],
    ...components.map((component) => component['bom-ref']),
  ]);
  return {
    ...all,
    components,
    dependencies: all.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) })),
  };
}

/** Returns the bill of materials of package-lock.json, including packages that npm knows only as development dependencies. */
function everyPackage(root) {
  const tool = join(root, 'node_modules/@cyclonedx/cyclonedx-npm');
  const { bin } = JSON.parse(readFileSync(join(tool, 'package.json'), 'utf8'));
  const program = join(tool, bin['cyclonedx-npm']);
  const words = [
    '--package-lock-only',
    '--flatten-components',
    '--output-reproducible',
    '--output-format',
    'JSON',
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new SetUpError(`there is no bill of materials: ${stderr}`);
  return JSON.parse(stdout);
}

function bundledPackages(root) {
  const folder = join(root, 'out/bundled');
  return new Set(readdirSync(folder).flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8'))));
}

function isShipped(bundled) {
  return (component) => {
    const path = pathOf(component);
    if (bundled.has(path)) return true;
    return property(component, 'development') === undefined && !notShipped.has(path);
  };
}

function versioned({ name, purl }, version) {
  return { version, purl: purl.replace(/@[^@]*$/, `@${version}`), name };
}

/** Returns the folder in the clone in which npm installs the package. */
function pathOf(component) {
  return property(component, 'path');
}

function property({ properties = [] }, name) {
  return properties.find((each) => each.name === `cdx:npm:package:${name}`)?.value;
}

/**
 * Writes THIRD-PARTY-NOTICES.txt beside a bundle that contains code of other packages.
 *
 * @param {string} root the clone
 * @param {string} file
 * @param {string} bundled the list that the plugin of bundled.mjs wrote
 */
export function writeNotices(root, file, bundled) {
  const components = JSON.parse(readFileSync(bundled, 'utf8')).map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
    return { name, version, licenses: license ? [{ expression: license }] : [], path };
  });
  writeFileSync(file, notices(root, components));
}

/**
 * Returns the text of each license, as the licenses require. A package without a license file is listed with the license that it declares.
 */
function notices(root, components) {
  const texts = components.map((component) => {
    const { group, name, version, licenses = [] } = component;
    const title = `${group ? `${group}/` : ''}${name} ${version}`;
    const declared = licenses
      .map(({ license, expression }) => expression ?? license.id ?? license.name)
      .join(', ');
    const text = licenseText(join(root, component.path ?? pathOf(component)));
    if (!text)
      throw new SetUpError(`there is no license text for ${title} (${declared || 'none declared'}).`);
    return `${title} (${declared})\n\n${text}`;
  });
  return `What Tokenkeep contains of others, and on which terms.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function licenseText(folder) {
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|notice|copying)/i.test(name));
  if (names.length > 0)
    return names.map((name) => `${readFileSync(join(folder, name), 'utf8').trim()}\n`).join('\n');
  const { license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return license === 'MIT' ? MIT(author?.name ?? author) : undefined;
}

/** The text for a package that declares this license and has no file with it. */
const MIT = (author) => `MIT License

Copyright (c) ${author}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;
