import { describe, expect, it } from 'vitest';
import { copiedSecrets } from '../../src-main/ipc/clipboard.ts';

/** A clipboard, and a clock that a test advances. */
function desk(options: { asynchronous?: boolean } = {}) {
  const later = <T>(value: T): T | Promise<T> => (options.asynchronous ? Promise.resolve(value) : value);
  const state = { text: '', now: 1_000_000, cleared: 0, fails: false };
  const usable = (): void => {
    if (state.fails) throw new Error('the clipboard is in use');
  };
  let timers: { at: number; work: () => void }[] = [];
  const copied = copiedSecrets({
    clipboard: {
      readText() {
        usable();
        return later(state.text);
      },
      writeText(text) {
        usable();
        return later(void (state.text = text));
      },
      clear: () => later(void (state.text = '')),
    },
    now: () => state.now,
    after(milliseconds, work) {
      const timer = { at: state.now + milliseconds, work };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    onCleared: () => void (state.cleared += 1),
  });
  async function pass(milliseconds: number) {
    state.now += milliseconds;
    for (const timer of timers.filter(({ at }) => at <= state.now)) {
      timers = timers.filter((other) => other !== timer);
      timer.work();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { state, copied, pass, timers: () => timers.length };
}

describe.each([{ asynchronous: false }, { asynchronous: true }])('a copied token (%j)', (kind) => {
  it('leaves the clipboard after 30 seconds (failure 20)', async () => {
    const { state, copied, pass } = desk(kind);
    expect(await copied.copy('secret')).toEqual({ clearsAt: 1_030_000 });
    await pass(29_999);
    expect(state).toMatchObject({ text: 'secret', cleared: 0 });
    expect(copied.holding).toBe(true);
    await pass(1);
    expect(state).toMatchObject({ text: '', cleared: 1 });
    expect(copied.holding).toBe(false);
  });

  it('takes nothing else with it, and says nothing then', async () => {
    const { state, copied, pass } = desk(kind);
    await copied.copy('secret');
    state.text = 'something of the user’s own';
    await pass(30_000);
    expect(state).toMatchObject({ text: 'something of the user’s own', cleared: 0 });
    expect(copied.holding).toBe(false);
  });

  it('is cleared at once on request', async () => {
    const { state, copied, timers } = desk(kind);
    await copied.copy('secret');
    await copied.clear();
    expect(state).toMatchObject({ text: '', cleared: 1 });
    expect(timers()).toBe(0);
    await copied.clear();
    expect(state.cleared).toBe(1);
  });

  it('is held until it is cleared, where the clipboard fails', async () => {
    const { state, copied, pass } = desk(kind);
    await copied.copy('secret');
    state.fails = true;
    await pass(30_000);
    await expect(copied.clear()).rejects.toThrow('in use');
    expect(copied.holding).toBe(true);
    state.fails = false;
    await copied.clear();
    expect(state).toMatchObject({ text: '', cleared: 1 });
    expect(copied.holding).toBe(false);
  });

  it('is still cleared where the next one could not be copied', async () => {
    const { state, copied, pass } = desk(kind);
    await copied.copy('first');
    state.fails = true;
    await expect(copied.copy('second')).rejects.toThrow('in use');
    state.fails = false;
    await pass(30_000);
    expect(state).toMatchObject({ text: '', cleared: 1 });
  });

  it('is held while it is being written, so that whoever quits clears it', async () => {
    const { state, copied } = desk(kind);
    const copying = copied.copy('secret');
    expect(copied.holding).toBe(true);
    await copying;
    await copied.clear();
    expect(state.text).toBe('');
  });

  it('has 30 seconds of its own, whatever was copied before', async () => {
    const { state, copied, pass } = desk(kind);
    await copied.copy('first');
    await pass(20_000);
    await copied.copy('second');
    await pass(10_000);
    expect(state).toMatchObject({ text: 'second', cleared: 0 });
    await pass(20_000);
    expect(state).toMatchObject({ text: '', cleared: 1 });
  });
});

/** Takes longer to write than to read, as Electron's may. */
function slowDesk() {
  const state = { text: '', cleared: 0 };
  const due: (() => void)[] = [];
  const during = async (milliseconds: number) =>
    new Promise<void>((resolve) => {
      setTimeout(resolve, milliseconds);
    });
  const copied = copiedSecrets({
    clipboard: {
      async readText() {
        await during(5);
        return state.text;
      },
      async writeText(text) {
        await during(20);
        if (text === 'unwritable') throw new Error('the clipboard is in use');
        state.text = text;
      },
      async clear() {
        await during(5);
        state.text = '';
      },
    },
    now: () => 0,
    after(_milliseconds, work) {
      due.push(work);
      return () => void due.splice(due.indexOf(work), 1);
    },
    onCleared: () => void (state.cleared += 1),
  });
  return { state, copied, due };
}

describe('a copy and a clear at the same time', () => {
  it('clears what was being copied when the screen was locked', async () => {
    const { state, copied, due } = slowDesk();
    await copied.copy('A');
    await Promise.all([copied.copy('B'), copied.clear()]);
    expect(state).toEqual({ text: '', cleared: 1 });
    expect(copied.holding).toBe(false);
    expect(due).toEqual([]);
  });

  it('leaves the second token there at the deadline of the first, and clears it at its own', async () => {
    const { state, copied, due } = slowDesk();
    await copied.copy('A');
    const copying = copied.copy('B');
    due[0]!();
    await copying;
    await copied.copy('C'); // after whatever the deadline began
    expect(state).toEqual({ text: 'C', cleared: 0 });
    expect(copied.holding).toBe(true);
    due.at(-1)!();
    await copied.clear();
    expect(state).toEqual({ text: '', cleared: 1 });
  });

  it('does not empty the clipboard after the next token was copied', async () => {
    const { state, copied } = slowDesk();
    await copied.copy('A');
    const clearing = copied.clear();
    await copied.copy('B');
    await clearing;
    expect(state.text).toBe('B');
    expect(copied.holding).toBe(true);
  });

  it('clears the first token at its deadline where the second can’t be written', async () => {
    const { state, copied, due } = slowDesk();
    await copied.copy('A');
    const copying = copied.copy('unwritable');
    due[0]!();
    await expect(copying).rejects.toThrow('in use');
    await copied.clear();
    expect(state).toEqual({ text: '', cleared: 1 });
    expect(copied.holding).toBe(false);
  });
});

describe('a clipboard that does not answer', () => {
  /** Each call waits until it is answered; the timers are called by hand. */
  function silentDesk() {
    const state = { text: '', isSilent: true };
    const due: { milliseconds: number; work: () => void }[] = [];
    const answers: (() => void)[] = [];
    const answered = <T>(work: () => T): Promise<T> =>
      new Promise((resolve) => {
        const answer = () => resolve(work());
        if (state.isSilent) answers.push(answer);
        else answer();
      });
    const copied = copiedSecrets({
      clipboard: {
        readText: () => answered(() => state.text),
        writeText: (text) => answered(() => void (state.text = text)),
        clear: () => answered(() => void (state.text = '')),
      },
      now: () => 0,
      after(milliseconds, work) {
        const timer = { milliseconds, work };
        due.push(timer);
        return () => void (due.includes(timer) && due.splice(due.indexOf(timer), 1));
      },
      onCleared: () => undefined,
    });
    /** Two seconds pass: every turn that has begun by now ends. */
    const wait = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      for (const timer of due.filter(({ milliseconds }) => milliseconds < 30_000)) timer.work();
    };
    return { state, copied, due, answers, wait };
  }

  it('holds up neither a clear nor the next copy', async () => {
    const { state, copied, wait } = silentDesk();
    const [copy, clear] = [copied.copy('A'), copied.clear()];
    const both = Promise.allSettled([copy, clear]);
    await wait();
    await wait();
    expect(await both).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    expect(copied.holding).toBe(true); // it may still be written
    state.isSilent = false;
    await copied.copy('B');
    await copied.clear();
    expect(state.text).toBe('');
    expect(copied.holding).toBe(false);
  });

  it('is cleared at the deadline of a token that was written late', async () => {
    const { state, copied, due, answers, wait } = silentDesk();
    const copy = copied.copy('A');
    copy.catch(() => undefined);
    await wait();
    await expect(copy).rejects.toThrow('did not answer');
    state.isSilent = false;
    for (const answer of answers) answer();
    expect(state.text).toBe('A');
    due.find(({ milliseconds }) => milliseconds === 30_000)!.work();
    await copied.clear();
    expect(state.text).toBe('');
  });
});
