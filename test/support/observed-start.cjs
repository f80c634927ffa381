/**
 * Starts an app in Electron and tells on the standard output when its window was drawn: milliseconds since the process was started, by
 * the test. SIGUSR2 hides the window. Arguments and main script come from the environment, so that the app sees only its own.
 */
const { app, BrowserWindow } = require('electron');

const { OBSERVED_MAIN, OBSERVED_SELECTOR, OBSERVED_SINCE } = process.env;

app.on('browser-window-created', (_event, window) => {
  window.webContents.once('dom-ready', async () => {
    await window.webContents.executeJavaScript(`new Promise((resolve) => {
      const look = () => {
        if (document.querySelector(${JSON.stringify(OBSERVED_SELECTOR)}) === null) requestAnimationFrame(look);
        else requestAnimationFrame(() => setTimeout(resolve, 0, 0));
      };
      look();
    })`);
    process.stdout.write(`drawn ${Date.now() - Number(OBSERVED_SINCE)}\n`);
  });
});
process.on('SIGUSR2', () => {
  for (const window of BrowserWindow.getAllWindows()) window.hide();
});

if (OBSERVED_MAIN === '') {
  app.enableSandbox();
  app.on('window-all-closed', () => app.quit());
  app.whenReady().then(() => {
    const window = new BrowserWindow({
      width: 1280,
      height: 800,
      show: false,
      webPreferences: { sandbox: true, spellcheck: false },
    });
    window.once('ready-to-show', () => window.show());
    window.loadURL('data:text/html,<h1>Empty</h1>');
  });
} else {
  require(OBSERVED_MAIN);
}
