/** The sign-in module is loaded at its first use. Requests made meanwhile must not be lost, nor begin after the app has ended. */
import type { WebContents } from 'electron';
import { beforeEach, expect, it, vi } from 'vitest';
import { signingIn } from '../../app/signing-in.ts';
import type { SignIn } from '../../app/sign-in/sign-in.ts';

const said: string[] = [];
let fails = 0;
vi.mock('electron', () => ({
  clipboard: {},
  powerMonitor: { on: () => undefined, off: () => undefined },
  session: {},
  shell: {},
}));
vi.mock('../../src-main/electron/index.ts', () => ({
  confirm: () => undefined,
  useGesture: () => undefined,
}));
vi.mock('../../app/sign-in/sign-in.ts', () => ({
  signIn: () => {
    if (fails-- > 0) throw new Error('the file was replaced');
    said.push('loaded');
    const note = (word: string) => () => void said.push(word);
    const asked = (word: string) => () => Promise.resolve(void said.push(word));
    return {
      handlers: { profiles: asked('profiles') },
      start: asked('start'),
      idle: asked('idle'),
      pause: note('pause'),
      stop: note('stop'),
      wake: note('wake'),
      isRenewed: () => true,
    };
  },
}));

const ports = {} as Parameters<typeof signingIn>[0];
const made = (): SignIn<WebContents> => signingIn(ports, () => undefined);
const profiles = ({ handlers }: SignIn<WebContents>): Promise<unknown> =>
  Promise.resolve(handlers.profiles({} as WebContents));

beforeEach(() => {
  said.length = 0;
  fails = 0;
});

it('is loaded once, by the first of many requests', async () => {
  const signing = made();
  expect(said).toEqual([]);
  await Promise.all([profiles(signing), profiles(signing), signing.start()]);
  expect(said.filter((word) => word === 'loaded')).toHaveLength(1);
  expect([...said].sort()).toEqual(['loaded', 'profiles', 'profiles', 'start']);
});

it('plans no refresh before it is loaded', async () => {
  const signing = made();
  expect(signing.isRenewed('id', 1)).toBe(false);
  await signing.start();
  expect(signing.isRenewed('id', 1)).toBe(true);
});

it('does not start after a pause or a stop that came while it was loaded', async () => {
  const paused = made();
  const starting = paused.start();
  paused.pause();
  await starting;
  expect(said).toEqual(['loaded']);
  said.length = 0;
  const stopped = made();
  const begun = stopped.start();
  stopped.stop();
  await begun;
  expect(said).not.toContain('start');
});

it('starts once where it was paused and started again meanwhile', async () => {
  const signing = made();
  const first = signing.start();
  signing.pause();
  await Promise.all([first, signing.start()]);
  expect(said).toEqual(['loaded', 'start']);
});

it('is stopped before it gets the request for which it was still being loaded', async () => {
  const signing = made();
  const asked = profiles(signing);
  signing.stop();
  await Promise.all([asked, signing.idle()]);
  expect(said.indexOf('stop')).toBeGreaterThan(-1);
  expect(said.indexOf('stop')).toBeLessThan(said.indexOf('profiles'));
});

it('fails with the request that could not load it, and is loaded for the next one', async () => {
  fails = 1;
  const signing = made();
  await expect(profiles(signing)).rejects.toThrow('the file was replaced');
  await signing.idle();
  await profiles(signing);
  expect(said).toEqual(['loaded', 'profiles']);
});
