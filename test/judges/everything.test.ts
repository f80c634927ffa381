/** SIGKILL at each step of a sign-out: `npm test` tries every fourth. */
import { vi } from 'vitest';

vi.stubEnv('TOKENKEEP_EVERY_STEP', '1');
await import('../app/sign-in/killed-sign-out.test.ts');
