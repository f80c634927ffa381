import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { later, type Later } from '../../src-renderer/parts/later.ts';

interface Module {
  Greeting: () => string;
}

function Shown({ part, isShown }: { part: Later<Module>; isShown: boolean }) {
  const loaded = part.use(isShown);
  return <p>{loaded === null ? 'nothing yet' : <loaded.Greeting />}</p>;
}

const shown = (part: Later<Module>, isShown = true) =>
  renderToStaticMarkup(<Shown part={part} isShown={isShown} />);

test('a part is there once it is loaded, which is done once', async () => {
  let times = 0;
  const part = later<Module>(() => {
    times += 1;
    return Promise.resolve({ Greeting: () => 'hello' });
  });
  expect(shown(part)).toBe('<p>nothing yet</p>');
  await Promise.all([part.load(), part.load()]);
  expect(shown(part)).toBe('<p>hello</p>');
  expect(times).toBe(1);
});

test('a part that can’t be loaded fails where it is shown, and nowhere else', async () => {
  const part = later<Module>(() => Promise.reject(new Error('the file is gone')));
  await part.load();
  expect(shown(part, false)).toBe('<p>nothing yet</p>');
  expect(() => shown(part)).toThrow('the file is gone');
});
