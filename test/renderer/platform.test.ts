import { expect, test } from 'vitest';
import { isCommand, isShortcut } from '../../src-renderer/state/platform.ts';

const keys = (held: string) => ({
  ctrlKey: held.includes('Ctrl'),
  metaKey: held.includes('Meta'),
  altKey: held.includes('Alt'),
});

// On macOS, Control+F moves the cursor and Control+click opens the context menu. Elsewhere, Meta belongs to the desktop.
test.each([
  ['darwin', ['Meta']],
  ['win32', ['Ctrl']],
  ['linux', ['Ctrl']],
  [undefined, ['Ctrl']],
] as const)('the command key on %s is %j', (platform, command) => {
  const all = ['', 'Ctrl', 'Meta', 'Alt', 'Ctrl Meta', 'Ctrl Alt', 'Meta Alt'];
  expect(all.filter((held) => isCommand(keys(held), platform))).toEqual(command);
});

// A Russian, a Greek and a Hebrew keyboard, and Dvorak, on which C is elsewhere.
test.each([
  ['c', 'KeyC', true],
  ['C', 'KeyC', true],
  ['с', 'KeyC', true],
  ['ψ', 'KeyC', true],
  ['ב', 'KeyC', true],
  ['c', 'KeyI', true],
  ['j', 'KeyC', false],
  ['Enter', 'Enter', false],
])('the key %s at %s is Ctrl+C: %s', (key, code, isC) => {
  expect(isShortcut('c', { key, code, ...keys('Ctrl') }, 'linux')).toBe(isC);
  expect(isShortcut('c', { key, code, ...keys('') }, 'linux')).toBe(false);
});
