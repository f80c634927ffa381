/**
 * `npm run bench [-- cache | msal | vault | together] [--quick]`: runs the named benchmark, or all that measure time.
 * `npm run bench -- --report` writes docs/benchmarks.md.
 */
const parts = ['cache', 'msal', 'vault'];
const named = process.argv.includes('--report')
  ? ['report']
  : [...parts, 'together'].filter((part) => process.argv.includes(part));
for (const part of named.length === 0 ? parts : named) {
  await import(new URL(`./${part}.mjs`, import.meta.url).href);
}

export {}; // Makes this file a module, for top-level await.
