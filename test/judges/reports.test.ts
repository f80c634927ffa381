/** The public reports in the README's "How it compares", with the real MSAL Node and four processes. `npm test` runs them as well. */
import '../msal/reports.test.ts';
import '../msal/refused.test.ts';
import '../msal/locked-and-first-run.test.ts';
import '../msal/single-flight.test.ts';
