import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readPlace, writePlace } from '../../app/window-place.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DISPLAY = { x: 0, y: 0, width: 1920, height: 1080 };
const PLACE = { x: 100, y: 50, width: 1200, height: 800, maximized: false };
const fileIn = (folder: string) => join(folder, 'window.json');
const folder = () => temporaryFolder();

it('is what it was when the window was closed', () => {
  const file = fileIn(join(folder(), 'made', 'when missing'));
  writePlace(file, PLACE);
  expect(readPlace(file, [DISPLAY])).toEqual(PLACE);
});

it('is ignored if no display shows enough of the window to drag it', () => {
  const file = fileIn(folder());
  for (const lost of [{ x: 3000 }, { y: -900 }, { y: 1079 }, { x: -1150 }]) {
    writePlace(file, { ...PLACE, ...lost });
    expect(readPlace(file, [DISPLAY])).toBeNull();
  }
  writePlace(file, { ...PLACE, x: 3000 });
  expect(readPlace(file, [DISPLAY, { ...DISPLAY, x: 1920 }])).not.toBeNull();
});

it.each([
  '',
  '{',
  'null',
  '[]',
  '{"x":1}',
  JSON.stringify({ ...PLACE, width: '1' }),
  JSON.stringify({ ...PLACE, x: 1e400 }),
])('is forgotten where the file says %j', (text) => {
  const file = fileIn(folder());
  writeFileSync(file, text);
  expect(readPlace(file, [DISPLAY])).toBeNull();
});

it('keeps no window from closing when it cannot be written', () => {
  const file = fileIn(folder());
  mkdirSync(file);
  writePlace(file, PLACE);
  expect(() => readFileSync(file)).toThrow();
  expect(readPlace(file, [DISPLAY])).toBeNull();
});
