import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { encrypt } from '../../src-main/vault/exchange/age.ts';
import { cacheOf, documents, secretsIn, vectorPath, vectorText } from './vectors.ts';
import { windowOver } from './window.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const W = 'the window';
const KITCHEN_SINK = vectorText('documents', 'msal-node-7-kitchen-sink.json');

describe('what a window sees', () => {
  it.each(documents)('holds no secret of $file but what was revealed', async ({ file }) => {
    const text = vectorText('documents', file);
    const { ask, questions } = windowOver(cacheOf(text));
    const { accounts } = await ask.accounts(W);
    const tokens = (await Promise.all(accounts.map(async ({ id }) => ask.tokens(W, id)))).flat();
    const answers = [
      await ask.status(W),
      accounts,
      await ask.accountsText(W),
      await ask.firstAccountsText(W),
      tokens,
      ...(await Promise.all(tokens.map(async ({ id }) => ask.claims(W, id)))),
      ...(await Promise.all(accounts.map(async ({ id }) => ask.removalCount(W, [id])))),
      await ask.removalCount(W, null),
      await ask.search(W, 'contoso'),
      questions,
      await ask.signOut(W, null),
    ];
    for (const secret of secretsIn(text)) expect(JSON.stringify(answers)).not.toContain(secret);
  });

  it.each(documents)('has the same list of $file as objects and as text', async ({ file }) => {
    const { ask } = windowOver(cacheOf(vectorText('documents', file)));
    expect(JSON.parse(await ask.accountsText(W))).toEqual(await ask.accounts(W));
  });

  it('is refused for ids that are not there', async () => {
    const { ask } = windowOver(cacheOf(KITCHEN_SINK));
    await expect(ask.tokens(W, 'nobody')).rejects.toThrow(InvalidArgumentError);
    await expect(ask.claims(W, 'nobody.nothing')).rejects.toThrow(InvalidArgumentError);
    await expect(ask.signOut(W, ['nobody'])).rejects.toThrow(InvalidArgumentError);
    await expect(ask.removalCount(W, ['nobody'])).rejects.toThrow(InvalidArgumentError);
    await expect(ask.reveal(W, 'nobody.nothing')).rejects.toThrow(InvalidArgumentError);
    const [account] = (await ask.accounts(W)).accounts;
    await expect(ask.claims(W, `${account!.id}.nothing`)).rejects.toThrow(InvalidArgumentError);
  });
});

describe('a secret', () => {
  const firstToken = async (window: ReturnType<typeof windowOver>) => {
    const { accounts } = await window.ask.accounts(W);
    const ada = accounts.find(({ username }) => username === 'avery.howard@contoso.example')!;
    return (await window.ask.tokens(W, ada.id))[0]!;
  };

  it('is revealed after the user agreed to this one', async () => {
    const window = windowOver(cacheOf(KITCHEN_SINK));
    const { id } = await firstToken(window);
    const secret = await window.ask.reveal(W, id);
    expect(secretsIn(KITCHEN_SINK)).toContain(secret);
    expect(window.questions).toHaveLength(1);
    expect(window.questions[0]).toMatchObject({ yes: 'Show', message: 'Show this access token?' });
    expect(window.questions[0]?.detail).toContain('Avery Howard, avery.howard@contoso.example');
  });

  it('is not when the user did not', async () => {
    const window = windowOver(cacheOf(KITCHEN_SINK));
    window.user.agrees = false;
    const { id } = await firstToken(window);
    expect(await window.ask.reveal(W, id)).toBeNull();
    expect(await window.ask.copy(W, id)).toBeNull();
    expect(window.copied).toEqual([]);
    expect(window.questions.map(({ yes }) => yes)).toEqual(['Show', 'Copy']);
  });

  it('is copied without crossing to the window', async () => {
    const window = windowOver(cacheOf(KITCHEN_SINK));
    const { id } = await firstToken(window);
    expect(await window.ask.copy(W, id)).toEqual({ clearsAt: 30_000 });
    expect(secretsIn(KITCHEN_SINK)).toContain(window.copied[0]);
  });

  it('is copied as a header or as a curl command that a shell takes for one argument each', async () => {
    const document = (fields: object) =>
      cacheOf(
        JSON.stringify({
          AccessToken: {
            k: {
              credential_type: 'AccessToken',
              secret: "a'b$(c)",
              home_account_id: 'x.y',
              environment: 'login.microsoftonline.com',
              client_id: 'app',
              realm: 'y',
              target: 'https://graph.microsoft.com/User.Read',
              expires_on: '9999999999',
              cached_at: '1',
              token_type: 'Bearer',
              ...fields,
            },
          },
        }),
      );
    const copied = async (form: 'header' | 'curl', fields = {}) => {
      const window = windowOver(document(fields));
      const [account] = (await window.ask.accounts(W)).accounts;
      const [token] = await window.ask.tokens(W, account!.id);
      await window.ask.copy(W, token!.id, form);
      return window.copied[0];
    };
    expect(await copied('header')).toBe("Authorization: Bearer a'b$(c)");
    expect(await copied('header', { token_type: 'DPoP' })).toBe("Authorization: DPoP a'b$(c)");
    expect(await copied('header', { token_type: 'x\r\nevil: 1' })).toBe("Authorization: Bearer a'b$(c)");
    expect(await copied('curl')).toBe(
      String.raw`curl --header 'Authorization: Bearer a'\''b$(c)' 'https://graph.microsoft.com/'`,
    );
  });

  it.each(['a\nid', 'a\r\nx: 1', 'a\u001b[201~\u0003', 'a\u0000', 'ä', 'a\u2028', ''])(
    'that contains what no token can have is not copied in any form: %j',
    async (secret) => {
      const account = { home_account_id: 'x.y', environment: 'login.microsoftonline.com', client_id: 'app' };
      const entry = { credential_type: 'AccessToken', realm: 'y', target: 's', cached_at: '1', secret };
      const window = windowOver(
        cacheOf(JSON.stringify({ AccessToken: { k: { ...account, ...entry, expires_on: '9999999999' } } })),
      );
      const [listed] = (await window.ask.accounts(W)).accounts;
      const tokens = listed === undefined ? [] : await window.ask.tokens(W, listed.id);
      if (secret !== '') expect(tokens).toHaveLength(1);
      for (const { id } of tokens)
        for (const form of ['token', 'header', 'curl'] as const)
          await expect(window.ask.copy(W, id, form)).rejects.toThrow('Nothing was copied');
      expect(window.questions).toEqual([]);
      expect(window.copied).toEqual([]);
    },
  );

  it('that no API takes is not copied as a header, and nobody is asked', async () => {
    const window = windowOver(cacheOf(KITCHEN_SINK));
    for (const account of (await window.ask.accounts(W)).accounts) {
      for (const { id, type } of await window.ask.tokens(W, account.id)) {
        if (type !== 'AccessToken')
          await expect(window.ask.copy(W, id, 'header')).rejects.toMatchObject({ code: 'invalid_argument' });
      }
    }
    expect(window.questions).toEqual([]);
    expect(window.copied).toEqual([]);
  });

  it('is asked for in one line per thing, whatever the document says', async () => {
    const window = windowOver(
      cacheOf(
        JSON.stringify({
          RefreshToken: {
            k: {
              credential_type: 'RefreshToken',
              secret: 'refresh-refresh',
              home_account_id: 'someone\n\nApp: a harmless one\u202e',
              environment: 'login.microsoftonline.com',
              client_id: 'x'.repeat(10_000),
            },
          },
        }),
      ),
    );
    const [account] = (await window.ask.accounts(W)).accounts;
    const [token] = await window.ask.tokens(W, account!.id);
    await window.ask.reveal(W, token!.id);
    const lines = window.questions[0]!.detail.split('\n');
    expect(lines.filter((line) => line.startsWith('App: '))).toHaveLength(1);
    expect(window.questions[0]!.detail).not.toContain('\u202e');
    expect(window.questions[0]!.detail.length).toBeLessThan(600);
  });
});

describe('signing out', () => {
  it('removes what was counted before', async () => {
    const window = windowOver(cacheOf(KITCHEN_SINK));
    for (const { id, kind } of (await window.ask.accounts(W)).accounts) {
      const counted = await window.ask.removalCount(W, [id]);
      const [receipt] = await window.ask.signOut(W, [id]);
      expect(receipt?.removed).toEqual(counted);
      expect(receipt?.remaining).toBe(0);
      expect(receipt?.oldKey, kind).toBe('destroyed');
    }
    expect((await window.ask.accounts(W)).totals).toMatchObject({ accounts: 0, apps: 0, tokens: 0 });
  });

  it('of all removes what was counted, in one write', async () => {
    const window = windowOver(cacheOf(KITCHEN_SINK));
    const before = await window.ask.accounts(W);
    const counted = await window.ask.removalCount(W, null);
    const receipts = await window.ask.signOut(W, null);
    const removed = (type: keyof typeof counted) =>
      receipts.reduce((sum, receipt) => sum + (receipt.removed[type] ?? 0), 0);
    expect(counted).toEqual({
      AccessToken: removed('AccessToken'),
      RefreshToken: removed('RefreshToken'),
      IdToken: removed('IdToken'),
      Account: removed('Account'),
      AppMetadata: removed('AppMetadata'),
    });
    expect(receipts).toHaveLength(before.totals.accounts + 1);
    expect(receipts.every(({ oldKey, remaining }) => oldKey === 'destroyed' && remaining === 0)).toBe(true);
    expect(window.vault.asked).toEqual(['erase']);
    expect((await window.ask.accounts(W)).totals.tokens).toBe(0);
  });

  it('of one of two users with the same id at two providers leaves the other', async () => {
    const at = (environment: string) => ({
      home_account_id: 'sub',
      environment,
      realm: '',
      local_account_id: 'sub',
      username: `u@${environment}`,
      authority_type: 'Generic',
    });
    const { ask } = windowOver(
      cacheOf(JSON.stringify({ Account: { a: at('a.example'), b: at('b.example') } })),
    );
    const [first] = (await ask.accounts(W)).accounts;
    expect(await ask.removalCount(W, [first!.id])).toMatchObject({ Account: 1 });
    expect(await ask.signOut(W, [first!.id])).toMatchObject([{ removed: { Account: 1 } }]);
    expect((await ask.accounts(W)).accounts.map(({ username }) => username)).toEqual(['u@b.example']);
  });

  it('is an update where nothing is on the disk, and is refused where the file can’t be opened', async () => {
    const window = windowOver(cacheOf(KITCHEN_SINK));
    const [first, second] = (await window.ask.accounts(W)).accounts;
    Object.assign(window.vault.status, { state: 'no-keychain', bytes: null });
    expect((await window.ask.signOut(W, [first!.id]))[0]).not.toHaveProperty('oldKey');
    Object.assign(window.vault.status, { bytes: 4096 });
    await window.ask.signOut(W, [second!.id]);
    expect(window.vault.asked).toEqual(['update', 'erase']);
  });

  it('of all leaves nothing that names an account, understood or not', async () => {
    const document = JSON.parse(KITCHEN_SINK) as Record<string, Record<string, object>>;
    const [home] = Object.values(document['Account']!).map(
      (account) => Object(account).home_account_id as string,
    );
    document['AccessToken']!['broken'] = { home_account_id: home, target: null };
    document['Unknown'] = { a: { owner: home }, b: { owner: 'nobody' } };
    const cache = cacheOf(JSON.stringify(document));
    const window = windowOver(cache);
    const counted = await window.ask.removalCount(W, null);
    const receipts = await window.ask.signOut(W, null);
    expect(receipts.reduce((sum, { removed }) => sum + removed.AccessToken, 0)).toBe(counted.AccessToken);
    expect(cache.serialize().toLowerCase()).not.toContain(home!.toLowerCase());
    expect(cache.serialize()).toContain('nobody');
  });

  it('of all is no error where there is nothing', async () => {
    expect(await windowOver(cacheOf('{}')).ask.signOut(W, null)).toEqual([]);
  });
});

describe('an import', () => {
  const python = vectorPath('documents', 'msal-python-kitchen-sink.json');

  it('is shown before it is done, and reports what was done', async () => {
    const window = windowOver(cacheOf('{}'));
    const plan = await window.planOf(python);
    expect(plan).toMatchObject({ fileName: 'msal-python-kitchen-sink.json', writtenBy: 'MSAL Python' });
    expect(plan.tokens).toMatchObject({ replaced: 0, unchanged: 0 });
    expect((await window.ask.accounts(W)).totals.accounts).toBe(0);
    expect(window.told).toEqual([
      { name: 'importReading', event: { fileName: plan.fileName, bytes: plan.bytes } },
    ]);
    const report = await window.ask.confirmImport(W, plan.id);
    expect(report).toEqual({
      accountsAdded: plan.accounts.added,
      tokensAdded: plan.tokens.added,
      tokensReplaced: 0,
      notUnderstood: 0,
    });
    expect((await window.ask.accounts(W)).totals.accounts).toBe(plan.accounts.added);
    expect(JSON.stringify([plan, report])).not.toContain('SYNTHETIC');
  });

  it('of the same document again changes nothing', async () => {
    const window = windowOver(cacheOf(vectorText('documents', 'msal-python-kitchen-sink.json')));
    const plan = await window.planOf(python);
    expect(plan.accounts.added).toBe(0);
    expect(plan.tokens).toMatchObject({ added: 0, replaced: 0 });
  });

  it('can be given up, and is given up after ten minutes, or when another begins', async () => {
    const window = windowOver(cacheOf('{}'));
    const gone = async (id: string) =>
      expect(window.ask.confirmImport(W, id)).rejects.toThrow('Choose the file again');
    const cancelled = await window.planOf(python);
    await window.ask.cancelImport(W, cancelled.id);
    await gone(cancelled.id);
    const first = await window.planOf(python);
    const second = await window.planOf(python);
    await gone(first.id);
    window.user.now += 601;
    await gone(second.id);
    await window.ask.cancelImport(W, 'never-was');
    expect((await window.ask.accounts(W)).totals.accounts).toBe(0);
  });

  it('is confirmed once', async () => {
    const window = windowOver(cacheOf('{}'));
    const { id } = await window.planOf(python);
    await window.ask.confirmImport(W, id);
    await expect(window.ask.confirmImport(W, id)).rejects.toThrow(InvalidArgumentError);
  });

  it('by the file dialog, or not', async () => {
    const window = windowOver(cacheOf('{}'));
    expect(await window.ask.chooseImport(W)).toBeNull();
    window.user.chooses = python;
    expect(await window.ask.chooseImport(W)).toMatchObject({ fileName: 'msal-python-kitchen-sink.json' });
  });

  describe('of what was exported with a passphrase', () => {
    const exported = async (text = vectorText('documents', 'msal-python-kitchen-sink.json')) => {
      const path = join(temporaryFolder(), 'export.age');
      writeFileSync(path, await encrypt(Buffer.from(text), 'correct horse battery', 4));
      return path;
    };
    const locked = async (window: ReturnType<typeof windowOver>, path: string) => {
      const plan = await window.ask.planImport(W, path);
      expect(plan).toMatchObject({ locked: true, fileName: 'export.age' });
      return plan.id;
    };

    it('is opened with it, after another try, and then as any other', async () => {
      const window = windowOver(cacheOf('{}'));
      const id = await locked(window, await exported());
      await expect(window.ask.confirmImport(W, id)).rejects.toThrow('needs its passphrase');
      await expect(window.ask.unlockImport(W, id, 'another')).rejects.toMatchObject({
        code: 'passphrase_wrong',
      });
      const plan = await window.ask.unlockImport(W, id, 'correct horse battery');
      expect(plan).toMatchObject({ fileName: 'export.age', writtenBy: 'MSAL Python' });
      await expect(window.ask.confirmImport(W, id)).rejects.toThrow('Choose the file again');
      expect(await window.ask.unlockImport(W, plan.id, '')).toEqual(plan); // it is still there
      await window.ask.confirmImport(W, plan.id);
      await expect(window.ask.unlockImport(W, plan.id, '')).rejects.toThrow('Choose the file again');
      expect((await window.ask.accounts(W)).totals.accounts).toBe(plan.accounts.added);
    });

    it('is gone when it was given up, or holds what is no document', async () => {
      const window = windowOver(cacheOf('{}'));
      const first = await locked(window, await exported());
      await window.ask.cancelImport(W, first);
      await expect(window.ask.unlockImport(W, first, 'correct horse battery')).rejects.toThrow(
        'Choose the file',
      );
      const second = await locked(window, await exported('{'));
      await expect(window.ask.unlockImport(W, second, 'correct horse battery')).rejects.toMatchObject({
        code: 'document_not_json',
      });
      expect(window.vault.asked).toEqual([]);
    });
  });

  it('from outside the window is reported, and so is its failure', async () => {
    const window = windowOver(cacheOf('{}'));
    await window.planImport(python);
    await window.planImport(vectorPath('hostile', 'half-written.json'));
    expect(window.told.map(({ name }) => name)).toEqual([
      'importReading',
      'importPlanned',
      'importReading',
      'importFailed',
    ]);
    expect(window.told[3]?.event).toEqual({
      code: 'document_not_json',
      message:
        '“half-written.json” is not a cache document, or was cut off while it was written: its text is not valid JSON. Nothing was imported.',
    });
  });
});

describe('which version of the vault stays', () => {
  it.each(['keepMine', 'takeFile', 'makeOwn', 'forget'] as const)(
    '%s: is done after the user agreed in a dialog, and not otherwise',
    async (choice) => {
      const { ask, vault, user, questions } = windowOver(cacheOf('{}'));
      user.agrees = false;
      expect(await ask[choice](W)).toBeNull();
      expect(vault.asked).toEqual([]);
      expect(questions).toHaveLength(1);
      const agreed = windowOver(cacheOf('{}'));
      expect(await agreed.ask[choice](W)).not.toBeNull();
      expect(agreed.vault.asked).toEqual(choice === 'forget' ? [choice, 'afterForget'] : [choice]);
    },
  );

  it('says before the vault is deleted what else the app removes', async () => {
    const { ask, user, questions } = windowOver(cacheOf('{}'));
    await ask.forget(W);
    user.alsoForgets = 'It no longer starts when you log in.';
    await ask.forget(W);
    const [without, withIt] = questions.map(({ detail }) => detail);
    expect(without).toMatch(/sign out first\.$/);
    expect(withIt).toBe(`${without} It no longer starts when you log in.`);
  });

  it('says how many accounts each choice keeps and discards', async () => {
    const { ask, vault, questions } = windowOver(cacheOf('{}'));
    Object.assign(vault.status, { state: 'older', older: { mine: 3, file: 1 } });
    await ask.keepMine(W);
    await ask.takeFile(W);
    Object.assign(vault.status, { bytes: null, older: { mine: 3, file: null } });
    await ask.takeFile(W);
    expect(questions.map(({ detail }) => detail)).toEqual([
      expect.stringContaining('in memory: 3 accounts.'),
      expect.stringMatching(/holds 1 account\. .* discarded: 3 accounts\./),
      expect.stringContaining('was deleted or moved. What Tokenkeep has in memory is discarded: 3 accounts.'),
    ]);
  });

  it('promises no copy of a file that is gone, and no key’s end before the keychain is there', async () => {
    const { ask, vault, questions } = windowOver(cacheOf('{}'));
    Object.assign(vault.status, { state: 'older', older: { mine: 3, file: 1 } });
    await ask.keepMine(W);
    Object.assign(vault.status, { bytes: null });
    await ask.keepMine(W);
    Object.assign(vault.status, { state: 'locked', bytes: 5000 });
    await ask.forget(W);
    const [there, gone, locked] = questions.map(({ detail }) => detail);
    expect(there).toContain('The replaced file is kept beside it.');
    expect(gone).toMatch(/^The file is written again with .+3 accounts\. Accounts that/);
    expect(locked).toContain('deleted as soon as the keychain is available.');
    expect(locked).not.toContain('no backup');
  });

  it('nothing is deleted, and nobody asked, where there is no file', async () => {
    const { ask, vault, questions } = windowOver(cacheOf('{}'));
    vault.status.bytes = null;
    await expect(ask.forget(W)).rejects.toMatchObject({ code: 'vault_empty' });
    expect(questions).toEqual([]);
  });
});

describe('the vault', () => {
  it('is asked again on Retry, after the app was notified', async () => {
    const { ask, vault, gestures } = windowOver(cacheOf('{}'));
    await ask.retry(W);
    expect(gestures).toEqual(['used']); // the keychain may show a dialog
    await ask.recover(W);
    expect(await ask.startFresh(W)).toBe(vault.status);
    expect(vault.asked).toEqual(['beforeRetry', 'retry', 'recover', 'startFresh']);
  });
});
