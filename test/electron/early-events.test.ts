import { expect, it, vi } from 'vitest';
import { listen } from '../../src-main/electron/early-events.ts';

function events(...names: string[]) {
  const send = new Map<string, (payload: unknown) => void>();
  const on = listen(names, (name, receive) => void send.set(name, receive));
  return { on, send: (name: string, payload: unknown) => send.get(name)?.(payload) };
}

it('forwards events until it is stopped', () => {
  const { on, send } = events('change');
  const hear = vi.fn();
  const end = on('change', hear);
  send('change', 1);
  end();
  send('change', 2);
  expect(hear.mock.calls).toEqual([[1]]);
});

it('keeps events for a page that does not listen yet, delivers them once, and drops old ones', () => {
  const { on, send } = events('status', 'change');
  for (let number = 1; number <= 30; number++) send('status', number);
  const hear = vi.fn();
  on('status', hear);
  expect(hear.mock.calls.map(([payload]: unknown[]) => payload)).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 11),
  );
  const second = vi.fn();
  on('status', second);
  expect(second).not.toHaveBeenCalled();
});

it('ignores names that are no events', () => {
  const { on, send } = events('status');
  const hear = vi.fn();
  on('__proto__', hear)();
  on('other', hear);
  send('other', 1);
  expect(hear).not.toHaveBeenCalled();
});
