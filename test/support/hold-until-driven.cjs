/**
 * Holds the app back from being ready until Playwright drives it. Playwright connects to Chromium while the app starts, and
 * waits for each window that it finds: one that opened in that moment kept it waiting until it gave up. With its own way to
 * find Electron it holds the app back itself, but not where it is given an executable; it calls `__playwright_run` in both.
 */
const { app } = require('electron');

// The app must not take this file for one that it was asked to open.
const at = process.argv.indexOf(__filename);
process.argv.splice(at - 1, 2);

const started = app.whenReady();
const emit = app.emit.bind(app);
let isReady = false;
let launchInfo = [];
let release;
const released = new Promise((resolve) => (release = resolve));

app.emit = (event, ...args) => {
  if (event !== 'ready') return emit(event, ...args);
  launchInfo = args;
  return true;
};
app.isReady = () => isReady;
app.whenReady = () => released;

globalThis.__playwright_run = async () => {
  await started;
  isReady = true;
  release();
  emit('ready', ...launchInfo);
};
