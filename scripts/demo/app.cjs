// Runs the built app with two changes for the demo: its network trusts the demo's provider, and that provider's pages open in the demo's
// own browser window, since nobody should make their browser trust such an authority.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { spawn } = require('node:child_process');
const { app, session, shell } = require('electron');
const { trust } = require('./trust.cjs');

const { TOKENKEEP_DEMO_CA: ca, TOKENKEEP_DEMO_ISSUER: issuer } = process.env;
const browser = join(__dirname, 'browser.cjs');
const openExternal = shell.openExternal.bind(shell);
const started = new Set();

app
  .whenReady()
  .then(() => trust(session.fromPartition('sign-in', { cache: false }), readFileSync(ca, 'utf8')));
shell.openExternal = async (url, options) => {
  if (new URL(url).origin !== issuer) return openExternal(url, options);
  const child = spawn(
    process.execPath,
    [browser, `--user-data-dir=${join(app.getPath('userData'), 'browser')}`, url],
    {
      stdio: 'ignore',
    },
  );
  started.add(child);
  child.once('exit', () => started.delete(child));
};
app.on('will-quit', () => started.forEach((child) => child.kill()));

require('../../out/main.cjs');
