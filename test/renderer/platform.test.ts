import { expect, test } from 'vitest';
import { isCommand } from '../../src-renderer/state/platform.ts';

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
