// The demo's browser: one window without Node, in memory, that trusts the demo's provider besides what the system trusts. A second start
// passes its address to the first, so that there is one session at the provider, as in a browser.
const { readFileSync } = require('node:fs');
const { app, BrowserWindow, session } = require('electron');
const { trust } = require('./trust.cjs');

app.enableSandbox();
const { TOKENKEEP_DEMO_CA: ca, TOKENKEEP_DEMO_ISSUER: issuer } = process.env;
const address = process.argv.at(-1);
let window;

if (!app.requestSingleInstanceLock({ address })) app.exit(0);
else {
  app.on('second-instance', (_event, _argv, _folder, handed) => show(handed.address));
  app.on('window-all-closed', () => {}); // its session lives as long as the demo
  app.whenReady().then(() => show(address));
}

function show(url) {
  if (typeof url !== 'string' || new URL(url).origin !== issuer) return;
  window ??= open();
  window.show();
  window.focus();
  void window.loadURL(url).catch(() => {});
}

function open() {
  const web = session.fromPartition('demo', { cache: false });
  trust(web, readFileSync(ca, 'utf8'));
  web.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  const opened = new BrowserWindow({
    width: 560,
    height: 720,
    title: 'Tokenkeep demo: browser',
    autoHideMenuBar: true,
    webPreferences: { session: web, sandbox: true, contextIsolation: true, nodeIntegration: false },
  });
  opened.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  opened.webContents.on('will-navigate', (event, url) => {
    const { origin, hostname } = new URL(url);
    if (origin !== issuer && hostname !== '127.0.0.1') event.preventDefault();
  });
  // Shows the address of the page, as an address bar would.
  opened.webContents.on('page-title-updated', (event, title) => {
    event.preventDefault();
    opened.setTitle(`${title} — ${new URL(opened.webContents.getURL()).host}`);
  });
  opened.once('closed', () => {
    window = undefined;
  });
  return opened;
}
