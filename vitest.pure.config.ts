import { defineConfig } from 'vitest/config';
import { pureTests } from './scripts/checks/pure.mjs';
import base from './vitest.config.ts';

// `npm run check`: the tests that need nothing but Node and a temporary folder.
export default defineConfig({ ...base, test: { ...base.test, include: pureTests() } });
