import { expect, it } from 'vitest';
import { userGestures } from '../../src-main/ipc/user-gesture.ts';

function stage() {
  let time = 1_000_000;
  const gestures = userGestures(() => time);
  const codeOfUse = () => {
    try {
      gestures.use();
      return null;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  return { gestures, codeOfUse, pass: (milliseconds: number) => (time += milliseconds) };
}

it('needs an input, which is good for one thing and for five seconds', () => {
  const { gestures, codeOfUse, pass } = stage();
  expect(codeOfUse()).toBe('no_user_gesture');
  gestures.input();
  expect(codeOfUse()).toBeNull();
  expect(codeOfUse()).toBe('no_user_gesture');
  gestures.input();
  pass(5_001);
  expect(codeOfUse()).toBe('no_user_gesture');
});

it('pauses from the second No in a row on, twice as long each time up to a minute, whatever the user clicks', () => {
  const { gestures, codeOfUse, pass } = stage();
  gestures.answered(false);
  gestures.input();
  expect(codeOfUse()).toBeNull();
  for (const pause of [1, 2, 4, 8, 16, 32, 60, 60]) {
    gestures.answered(false);
    gestures.input();
    pass(pause * 1000 - 1);
    gestures.input();
    expect(codeOfUse()).toBe('asked_too_often');
    pass(1);
    expect(codeOfUse()).toBeNull();
  }
});

it('forgets refusals after a Yes, and after ten minutes', () => {
  const { gestures, codeOfUse, pass } = stage();
  for (let times = 0; times < 5; times++) gestures.answered(false);
  gestures.answered(true);
  gestures.input();
  expect(codeOfUse()).toBeNull();
  for (let times = 0; times < 5; times++) gestures.answered(false);
  pass(10 * 60_000 + 1);
  gestures.answered(false);
  pass(60_000);
  gestures.input();
  expect(codeOfUse()).toBeNull();
});

it('does not use up an input that it refuses for the pause', () => {
  const { gestures, codeOfUse, pass } = stage();
  gestures.answered(false);
  gestures.answered(false);
  gestures.input();
  expect(codeOfUse()).toBe('asked_too_often');
  pass(1_000);
  expect(codeOfUse()).toBeNull();
});
