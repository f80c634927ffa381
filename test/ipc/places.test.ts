/** A user in the vault and in the caches of other programs is one account. */
import { describe, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/index.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { cacheOf, secretsIn, vectorText } from './vectors.ts';
import { windowOver } from './window.ts';

const W = 'the window';
const TEXT = vectorText('documents', 'msal-python-aad-several.json');
const place = (id: string, text = TEXT) => ({ id, name: 'Azure CLI', cache: cacheOf(text) });

describe('accounts in several places', () => {
  it('are listed once, with their places, and with the tokens of each', async () => {
    const alone = windowOver(cacheOf(TEXT));
    const { accounts: before } = await alone.ask.accounts(W);
    const both = windowOver(cacheOf(TEXT), [place('az')]);
    const { accounts } = await both.ask.accounts(W);
    expect(accounts.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort());
    for (const account of accounts) expect(account.places).toEqual(['vault', 'az']);
    const first = accounts.find(({ tokens }) => tokens.RefreshToken > 0)!;
    const was = before.find(({ id }) => id === first.id)!;
    expect(first.tokens.RefreshToken).toBe(was.tokens.RefreshToken * 2);
    const tokens = await both.ask.tokens(W, first.id);
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(tokens.length);
    expect(tokens.filter((token) => token.place === 'az')).toHaveLength(tokens.length / 2);
    expect(JSON.stringify([accounts, tokens])).not.toContain(secretsIn(TEXT)[0]);
  });

  it('have the names that one of the places knows where the others have a space', async () => {
    const named = (name: string, username: string) => {
      const document = JSON.parse(TEXT) as Record<string, Record<string, object>>;
      for (const account of Object.values(document['Account'] ?? {}))
        Object.assign(account, { name, username });
      return JSON.stringify({ ...document, IdToken: {} });
    };
    const both = windowOver(cacheOf(named(' ', ' ')), [place('az', named('Noor', 'noor@example.org'))]);
    const users = (await both.ask.accounts(W)).accounts.filter(({ kind }) => kind === 'user');
    expect(users.length).toBeGreaterThan(0);
    for (const user of users) expect(user).toMatchObject({ name: 'Noor', username: 'noor@example.org' });
  });

  it('are found by the search, decoded, copied after a question that names the program, and recorded', async () => {
    const window = windowOver(new SerializableTokenCache(), [place('az')]);
    const { accounts } = await window.ask.accounts(W);
    const user = accounts.find(({ kind, tokens }) => kind === 'user' && tokens.AccessToken > 0)!;
    expect(user.places).toEqual(['az']);
    expect(await window.ask.search(W, user.username)).toContain(user.id);
    const token = (await window.ask.tokens(W, user.id)).find(({ type }) => type === 'AccessToken')!;
    expect(token.id.split('.')).toHaveLength(3);
    expect((await window.ask.claims(W, token.id)).format).toBe(token.format);
    await window.ask.copy(W, token.id);
    expect(secretsIn(TEXT)).toContain(window.copied[0]);
    expect(window.questions[0]?.detail).toContain('From the cache of: Azure CLI');
    const { events } = await window.ask.activity(W, user.id);
    expect(events).toMatchObject([{ kind: 'copy', from: 'Azure CLI' }]);
  });

  it('are gone when their place is closed, and never in what a sign-out of the vault removes', async () => {
    const places = [place('az')];
    const window = windowOver(new SerializableTokenCache(), places);
    const [account] = (await window.ask.accounts(W)).accounts;
    const [token] = await window.ask.tokens(W, account!.id);
    await expect(window.ask.signOut(W, [account!.id])).rejects.toThrow(InvalidArgumentError);
    places.pop();
    await expect(window.ask.tokens(W, account!.id)).rejects.toThrow(InvalidArgumentError);
    await expect(window.ask.copy(W, token!.id)).rejects.toThrow('not open any more');
    expect((await window.ask.accounts(W)).accounts).toEqual([]);
  });
});
