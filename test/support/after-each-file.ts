import { afterAll } from 'vitest';
import { undoAll } from './after-file.ts';

// Vitest runs this module for each file of tests, also where files share the modules that they import.
afterAll(undoAll);
