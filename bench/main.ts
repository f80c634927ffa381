/** `npm run bench [-- cache | msal | vault | together] [--quick]`: what it costs, where none is named. */
const parts = ['cache', 'msal', 'vault'];
const named = [...parts, 'together'].filter((part) => process.argv.includes(part));
for (const part of named.length === 0 ? parts : named) {
  await import(new URL(`./${part}.mjs`, import.meta.url).href);
}

export {}; // A module: it awaits.
