/** `npm run bench [-- cache | msal | vault] [--quick]`: all, where none is named. */
const parts = ['cache', 'msal', 'vault'];
const named = parts.filter((part) => process.argv.includes(part));
for (const part of named.length === 0 ? parts : named) {
  await import(new URL(`./${part}.mjs`, import.meta.url).href);
}

export {}; // A module: it awaits.
