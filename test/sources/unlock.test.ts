/** Unlocking a keyring: only on request, with the system's own prompt, over a fake session bus. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSources } from '../../app/sources/open-sources.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { findSources } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { secretService } from '../../src-main/sources/secret-service.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { portsAt } from './app-ports.ts';
import { type Body, padded, type SessionBus, sessionBus, text, uint32 } from '../support/session-bus.ts';

const cache = new SerializableTokenCache();
cache.add(tokenResponse({ username: 'ada@example.org' }));
const DOCUMENT = cache.serialize({ dialect: 'msal-python' });
const PROMPT = '/org/freedesktop/secrets/prompt/p1';

let home: string;
let bus: SessionBus;
let isLocked: boolean;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-unlock-'));
  mkdirSync(join(home, '.azure'));
  writeFileSync(join(home, '.azure', 'msal_token_cache.sig'), '');
  isLocked = true;
});
afterEach(async () => {
  await bus.close();
  rmSync(home, { recursive: true, force: true });
});

/** An array of object paths, and what follows it. */
const paths = (all: readonly string[], after: Buffer): Buffer => {
  const items = Buffer.concat(
    all.map((one, index) => (index < all.length - 1 ? padded(text(one), 4) : text(one))),
  );
  return Buffer.concat([padded(Buffer.concat([uint32(items.length), items]), 4), after]);
};

/** @param isDismissed null: another program unlocked the keyring in the meantime, so there is no prompt */
async function keyring(isDismissed: boolean | null) {
  bus = await sessionBus(join(home, 'bus'), (member) => {
    const found = isLocked ? [[], ['/item']] : [['/item'], []];
    // (oayays): the session, no parameters, the secret, its type.
    const bytes = Buffer.from(DOCUMENT);
    const secret = Buffer.concat([
      padded(text('/session'), 4),
      uint32(0),
      padded(Buffer.concat([uint32(bytes.length), bytes]), 4),
      text('text/plain'),
    ]);
    const bodies: Readonly<Record<string, Body>> = {
      Hello: ['s', text(':1.1')],
      OpenSession: [
        'vo',
        Buffer.concat([
          padded(Buffer.from([1, 's'.charCodeAt(0), 0]), 4),
          padded(text(''), 4),
          text('/session'),
        ]),
      ],
      SearchItems: ['aoao', paths(found[0] ?? [], paths(found[1] ?? [], Buffer.alloc(0)))],
      GetSecret: ['(oayays)', secret],
      Unlock: ['aoo', paths([], text(isDismissed === null ? '/' : PROMPT))],
    };
    if (member === 'Prompt' || (member === 'Unlock' && isDismissed === null)) isLocked = isDismissed === true;
    const completed = {
      ...{ path: PROMPT, of: 'org.freedesktop.Secret.Prompt', member: 'Completed' },
      body: [
        'bv',
        Buffer.concat([uint32(Number(isDismissed)), Buffer.from([1, 's'.charCodeAt(0), 0, 0]), text('')]),
      ] as Body,
    };
    return {
      body: bodies[member] ?? ['', Buffer.alloc(0)],
      ...(member === 'Prompt' ? { signal: completed } : {}),
    };
  });
  const [source] = await findSources({ home, platform: 'linux' });
  return { source: source!, options: { secrets: { secretService: () => secretService(bus.env) } } };
}

it('reads a locked item after the user has answered the prompt', async () => {
  const { source, options } = await keyring(false);
  const { state, accounts } = await readSource(source, { ...options, unlock: true });
  expect([state, accounts[0]?.username]).toEqual(['accounts', 'ada@example.org']);
  expect(bus.called.filter((member) => member === 'Prompt')).toHaveLength(1);
});

it('reads it where it was unlocked in the meantime, without a prompt', async () => {
  const { source, options } = await keyring(null);
  expect((await readSource(source, { ...options, unlock: true })).state).toBe('accounts');
  expect(bus.called).not.toContain('Prompt');
});

it('says that it is locked where the user declined', async () => {
  const { source, options } = await keyring(true);
  expect((await readSource(source, { ...options, unlock: true })).state).toBe('locked');
});

it('never prompts where it was not asked to', async () => {
  const { source, options } = await keyring(false);
  expect((await readSource(source, options)).state).toBe('locked');
  expect(bus.called).not.toContain('Unlock');
});

it('the app announces the prompt, and prompts again for no later look', async () => {
  const { options } = await keyring(false);
  const events: string[] = [];
  const sources = openSources(
    portsAt(home, {
      reading: options,
      confirm: (_, { detail }) =>
        Promise.resolve(
          events.push(`${detail}; prompts: ${bus.called.filter((one) => one === 'Prompt').length}`) > 0,
        ),
    }),
  );
  const { items } = await sources.handlers.findSources(null);
  await sources.handlers.openSource(null, items[0]!.id);
  expect(events).toEqual([
    'It is in the system keyring, which may ask for your password next. It is only read.; prompts: 0',
  ]);
  expect(sources.opened()[0]?.reading.state).toBe('accounts');
  isLocked = true;
  await sources.readAgain(items[0]!.id);
  expect(sources.opened()[0]?.reading.state).toBe('locked');
  expect(bus.called.filter((one) => one === 'Prompt')).toHaveLength(1);
  sources.stop();
});
