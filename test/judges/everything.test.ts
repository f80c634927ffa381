/** Every case of the tests of which `npm test` tries a sample. */
import { vi } from 'vitest';

vi.stubEnv('TOKENKEEP_EVERYTHING', '1');
await import('../app/sign-in/killed-sign-out.test.ts');
await import('../msal/configured.test.ts');
await import('../package/pack.test.ts');
await import('../vault/swapped.test.ts');
await import('../web-app/browser.test.ts');
