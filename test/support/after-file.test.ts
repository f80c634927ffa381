import { expect, it } from 'vitest';
import { afterFile, undoAll } from './after-file.ts';

it('undoes the newest first, and all of it where one fails', async () => {
  const undone: string[] = [];
  afterFile(() => undone.push('oldest'));
  afterFile(() => Promise.reject(new Error('is in use')));
  afterFile(() => undone.push('newest'));
  await expect(undoAll()).rejects.toThrow('is in use');
  expect(undone).toEqual(['newest', 'oldest']);
});
