// Replaces Electron's default_app.asar in the development runtime, and handles `electron [-r MODULE]… PATH [arguments]` as that does: PATH
// is a folder with a package.json, or a script. It differs in one point: a script in CommonJS is loaded before anything else happens, an ES
// module possibly after `ready`.
const { app } = require('electron');
const { existsSync, readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join, resolve } = require('node:path');
const { pathToFileURL } = require('node:url');

const { modules, path } = parse(process.argv.slice(1));
if (modules.length > 0) Module._preloadModules(modules);
if (path === undefined) app.whenReady().then(() => fail('Name the app to run: electron PATH'));
else load(resolve(path));

function parse(words) {
  const preloaded = [];
  for (let i = 0; i < words.length; i++) {
    if (words[i] === '-r' || words[i] === '--require') preloaded.push(words[++i]);
    else if (!words[i].startsWith('-')) return { modules: preloaded, path: words[i] };
  }
  return { modules: preloaded };
}

function load(packagePath) {
  Object.defineProperty(process, 'defaultApp', { configurable: false, enumerable: true, value: true });
  const manifestFile = join(packagePath, 'package.json');
  const manifest = existsSync(manifestFile) ? JSON.parse(readFileSync(manifestFile, 'utf8')) : undefined;
  if (manifest?.version) app.setVersion(manifest.version);
  const name = manifest?.productName ?? manifest?.name;
  if (name) app.setName(name);
  let script;
  try {
    script = Module._resolveFilename(packagePath, null, true);
  } catch (error) {
    app.whenReady().then(() => fail(`Unable to find an Electron app at ${packagePath}\n\n${error.message}`));
    return;
  }
  app.setAppPath(manifest ? packagePath : dirname(script));
  const isModule = script.endsWith('.mjs') || (manifest?.type === 'module' && !script.endsWith('.cjs'));
  if (isModule) import(pathToFileURL(script).href).catch((error) => fail(error.stack));
  else require(script);
}

function fail(message) {
  console.error(message);
  app.exit(1);
}
