// A small app that signs users in with MSAL and keeps the tokens in a Tokenkeep vault.
const { readFile } = require('node:fs/promises');
const { join } = require('node:path');
const { app, BrowserWindow, dialog, protocol, session } = require('electron');
const { openVault } = require('tokenkeep');
const { assertNativeCode, guardNativeCode } = require('tokenkeep/native-code');
const { noArguments, serveRequests, serveTokenCache } = require('tokenkeep/electron');
const { signIn } = require('./sign-in.cjs');

// Electron's integrity check doesn't cover native modules, which are outside the asar. `npm run build` wrote their hashes into it.
const pinned = require('./built/native-hashes.json');
try {
  guardNativeCode(pinned);
  assertNativeCode(pinned, join(__dirname, 'node_modules'));
} catch (error) {
  dialog.showErrorBox('Order Desk', error.message);
  process.exit(1);
}

const ORIGIN = 'desk://order-desk';
const PAGE = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
};

protocol.registerSchemesAsPrivileged([{ scheme: 'desk', privileges: { standard: true, secure: true } }]);

async function start() {
  session.defaultSession.protocol.handle('desk', async (request) => {
    const [file, type] = PAGE[new URL(request.url).pathname] ?? [];
    if (file === undefined) return new Response(null, { status: 404 });
    return new Response(await readFile(join(__dirname, 'page', file)), {
      headers: { 'Content-Type': type, 'Content-Security-Policy': "default-src 'self'" },
    });
  });

  const window = new BrowserWindow({
    width: 640,
    height: 480,
    title: 'Order Desk',
    webPreferences: { preload: join(__dirname, 'built/preload.cjs') },
  });
  // Electron's security checklist, items 5, 13 and 14: the page can't navigate, opens no windows, and gets no permissions.
  window.webContents.on('will-navigate', (event) => event.preventDefault());
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  const trusted = { windows: () => [window], origin: ORIGIN };

  const vault = await openVault({
    file: join(app.getPath('userData'), 'accounts.vault'),
    name: 'order-desk',
  });
  const stop = serveTokenCache(vault, { ...trusted, only: ['accounts', 'signOut'] });
  const requests = serveRequests({
    ...trusted,
    prefix: 'desk',
    checks: { signIn: noArguments },
    handlers: { signIn: () => signIn(vault, process.env) },
    onUnexpected: (error) => console.error(error.name, error.errorCode ?? ''),
  });

  app.once('will-quit', (event) => {
    stop();
    requests.stop();
    // Closing waits for writes, and notes how new the vault is.
    event.preventDefault();
    const quit = () => app.quit();
    void vault.close().then(quit, quit);
  });
  await window.loadURL(`${ORIGIN}/`);
}

app
  .whenReady()
  .then(start)
  .catch((error) => {
    dialog.showErrorBox('Order Desk', error.message);
    app.exit(1);
  });

app.on('window-all-closed', () => app.quit());
