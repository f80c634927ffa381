import { expect, test } from 'vitest';
import { whatWouldBeLost, wouldLose } from '../../app/unsaved.ts';

const people = (...names: string[]) => names.map((username) => ({ username, home_account_id: 'uid.utid' }));

test.each([
  ['locked', 1, people('ada@contoso.example'), 'quits: the sign-ins of ada@contoso.example. The file'],
  ['no-keychain', 2, people('a', ''), 'quits: the sign-ins of a and uid.utid. The file'],
  ['key-missing', 2, people('a', 'b', 'c', 'd'), 'quits: the sign-ins of a, b, c and d. The file'],
  ['wrong-key', 9, people('a', 'b', 'c', 'd', 'e'), 'quits: the sign-ins of a, b, c and 2 more. The file'],
  // A document may call its users what it likes.
  [
    'locked',
    1,
    people('a\n\nAll is saved \u202etxt'),
    'sign-ins of a\ufffd\ufffdAll is saved \ufffdtxt. The file',
  ],
  // Nobody could be told, or nobody is there: apps without a user.
  ['locked', 3, [], 'and lost when Tokenkeep quits. The file'],
  // What is on the disk is not lost, whatever was changed of it.
  ['ready', 1, people('ada@contoso.example'), 'and lost when Tokenkeep quits. The file'],
  ['busy', 1, people('ada@contoso.example'), 'and lost when Tokenkeep quits. The file'],
] as const)('%s, %i unsaved: names those who are in memory alone', (state, unsaved, accounts, says) => {
  const { message, detail } = whatWouldBeLost({ state, unsaved }, accounts);
  expect(message).toBe(unsaved === 1 ? '1 change is not saved' : `${unsaved} changes are not saved`);
  expect(detail).toContain(says);
  expect(detail).toMatch(unsaved === 1 ? /^It is .* it is saved/s : /^They are .* they are saved/s);
});

test.each([
  [{ state: 'damaged', unsaved: 0, kept: 2 }, '2 accounts are in memory only', 'quits: a and b. The file'],
  [
    { state: 'unreadable', unsaved: 0, kept: 1 },
    '1 account is in memory only',
    'It is lost when Tokenkeep quits: a',
  ],
  [{ state: 'older', unsaved: 0, older: { mine: 2 } }, '2 accounts are in memory only', ': a and b.'],
] as const)('%j: what an open vault still has is at stake', (status, says, whose) => {
  expect(wouldLose(status)).toBe(true);
  const accounts = people('a', 'b').slice(0, 'kept' in status ? status.kept : 2);
  const { message, detail } = whatWouldBeLost(status, accounts);
  expect(message).toBe(says);
  expect(detail).toContain(whose);
});

test('nothing would be lost if the file has everything, or if memory has nothing', () => {
  expect(wouldLose({ state: 'ready', unsaved: 0 })).toBe(false);
  expect(wouldLose({ state: 'older', unsaved: 0, older: { mine: null } })).toBe(false);
  expect(wouldLose({ state: 'damaged', unsaved: 0 })).toBe(false);
  expect(wouldLose({ state: 'locked', unsaved: 1 })).toBe(true);
});
