// Not in npm run check: it waits for a lock until the deadline.
/** The app's side of the caches of other programs: found on request, opened by a click, followed, and signed out of. */
import fs, {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type OpenSources, openSources } from '../../app/sources/open-sources.ts';
import { changeBetween } from '../../app/sources/source-change.ts';
import type { SourceList } from '../../app/sources/contract.ts';
import { sourceSignOuts } from '../../app/sources/source-sign-out.ts';
import { QuestionError } from '../../src-main/errors.ts';
import { cachedAccounts, usernameOf } from '../../src-main/ipc/index.ts';
import { memoryKeychain, openVault, type TokenResponseEvent } from '../../src-main/index.ts';
import type { Keychain } from '../../src-main/keychain/keychain.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { watchSource } from '../../src-main/sources/watch.ts';
import { testVault, tokenResponse } from '../../src-main/testing/index.ts';
import { vectorText } from '../ipc/vectors.ts';
import { portsAt } from '../sources/app-ports.ts';

const TEXT = vectorText('documents', 'msal-python-aad-several.json');

let home: string;
let file: string;
let clicked: boolean;
let agrees: boolean;
let chosen: string | null;
let changes: number;
const asked: string[] = [];
const planned: string[] = [];
const opened: string[] = [];
let sources: OpenSources<null>;
let keys: Keychain = memoryKeychain();
let keyring: Promise<null>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-sources-'));
  file = join(home, '.azure', 'msal_token_cache.json');
  put(file, TEXT);
  put(join(home, '.config', 'gh', 'hosts.yml'), 'github.com:\n    user: ada-marsh\n    oauth_token: gho_x\n');
  clicked = true;
  agrees = true;
  chosen = null;
  changes = 0;
  keyring = Promise.resolve(null);
  asked.splice(0);
  planned.splice(0);
  opened.splice(0);
  sources = openSources(
    portsAt(home, {
      reading: {
        secrets: { vault: (path) => openVault({ file: path, keychain: keys }), secretService: () => keyring },
        pause: 1,
      },
      useGesture() {
        if (!clicked) throw new QuestionError('no_user_gesture', 'Nobody clicked.');
      },
      confirm: (_caller, { message }) => Promise.resolve((asked.push(message), agrees)),
      chooseFile: () => Promise.resolve(chosen),
      planImport: (path) => Promise.resolve(void planned.push(path)),
      openProgram: ({ url }) => Promise.resolve(void opened.push(url)),
      now: () => 1_800_000_000,
      onChange: () => (changes += 1),
    }),
  );
});
afterEach(() => {
  sources.stop();
  rmSync(home, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const { handlers } = {
  get handlers() {
    return {
      find: async () => sources.handlers.findSources(null),
      named: async (name: string) => {
        const { items } = await sources.handlers.sources(null);
        return items.find((item) => item.name === name)!;
      },
    };
  },
};

async function openAzure() {
  await handlers.find();
  const { id } = await handlers.named('Azure CLI');
  await sources.handlers.openSource(null, id);
  return handlers.named('Azure CLI');
}

describe('finding and opening', () => {
  it('looks for nothing before the user asks, and then opens nothing', async () => {
    expect(await sources.handlers.sources(null)).toEqual({ searched: false, notFound: [], items: [] });
    await handlers.find();
    const azure = await handlers.named('Azure CLI');
    expect(azure).toMatchObject({
      state: 'found',
      accounts: 0,
      file: '~/.azure/msal_token_cache.json',
      viewOnly: false,
    });
    expect(sources.opened()).toEqual([]);
  });

  it('names the programs that were looked for in vain, and no others', async () => {
    const { notFound, items } = await handlers.find();
    expect(notFound).toContain('Power Platform CLI');
    const found = new Set(items.map(({ name }) => name));
    expect(notFound.filter((name) => found.has(name))).toEqual([]);
    expect(notFound).not.toContain('Windows accounts'); // are looked for on Windows only
  });

  it('finds anew what is not open: when it was written, and whether it is there', async () => {
    await handlers.find();
    const { id, writtenAt } = await handlers.named('Azure CLI');
    utimesSync(file, 1_800_000_000, 1_800_000_000);
    await handlers.find();
    expect(await handlers.named('Azure CLI')).toMatchObject({ id, writtenAt: 1_800_000_000 });
    expect(writtenAt).not.toBe(1_800_000_000);
    rmSync(file);
    const { items, notFound } = await handlers.find();
    expect(items.map(({ name }) => name)).not.toContain('Azure CLI');
    expect(notFound).toContain('Azure CLI');
  });

  it('keeps a file that the user added when it searches again after the app was locked', async () => {
    chosen = join(home, 'exported.json');
    copyFileSync(file, chosen);
    await sources.handlers.addSource(null);
    sources.close();
    await handlers.find();
    expect(await handlers.named('exported.json')).toMatchObject({ state: 'found', accounts: 0 });
  });

  it('opens one with a click only, counts what is in it, and lets no token out', async () => {
    await handlers.find();
    const { id } = await handlers.named('Azure CLI');
    clicked = false;
    await expect(async () => sources.handlers.openSource(null, id)).rejects.toThrow(QuestionError);
    await expect(async () => sources.handlers.openAllSources(null)).rejects.toThrow(QuestionError);
    expect(sources.opened()).toEqual([]);
    clicked = true;
    await sources.handlers.openSource(null, id);
    const azure = await handlers.named('Azure CLI');
    expect(azure.state).toBe('accounts');
    expect(azure.accounts).toBeGreaterThan(1);
    const { secret } = sources.opened()[0]!.reading.cache!.find('RefreshToken')[0]!;
    expect(JSON.stringify(await sources.handlers.sources(null))).not.toContain(secret);
  });

  it('opens all that ask for no password, and names who is signed in with a program of another kind', async () => {
    await handlers.find();
    await sources.handlers.openAllSources(null);
    expect(await handlers.named('GitHub CLI')).toMatchObject({
      state: 'accounts',
      viewOnly: true,
      names: [{ name: 'ada-marsh' }],
      importable: false,
    });
    expect(asked).toEqual([]);
  });

  it('follows what the program writes, and says when the file is gone', async () => {
    await openAzure();
    const before = changes;
    writeFileSync(file, '{}');
    await expect.poll(async () => (await handlers.named('Azure CLI')).state).toBe('empty');
    expect((await handlers.named('Azure CLI')).changedAt).toBe(1_800_000_000);
    expect(changes).toBeGreaterThan(before);
    rmSync(file);
    await expect.poll(async () => (await handlers.named('Azure CLI')).state).toBe('gone');
  });

  it('opens a vault that is added, after a question, and not the one of the window', async () => {
    const { file: vault, keychain, vault: open, dispose } = await testVault();
    try {
      await open.close();
      chosen = join(home, 'ci-agent.vault');
      copyFileSync(vault, chosen);
      keys = keychain;
      agrees = false;
      await sources.handlers.addSource(null);
      expect(asked).toEqual(['Open the vault ci-agent.vault?']);
      expect(await handlers.named('ci-agent.vault')).toMatchObject({
        state: 'found',
        sealing: 'vault',
        importable: false,
      });
      agrees = true;
      await sources.handlers.addSource(null);
      expect(await handlers.named('ci-agent.vault')).toMatchObject({
        state: 'accounts',
        accounts: 1,
        viewOnly: false,
      });
      chosen = join(home, 'own.vault');
      copyFileSync(vault, chosen);
      await expect(sources.handlers.addSource(null)).rejects.toThrow('open already');
    } finally {
      await dispose();
    }
  });

  it('opens the program in which the user signs out, by a click and by its own link only', async () => {
    put(join(home, '.config', 'Code', 'User', 'globalStorage', 'state.vscdb'), '');
    await handlers.find();
    const { id, opens } = await handlers.named('VS Code');
    expect(opens).toBe('VS Code');
    clicked = false;
    await expect(async () => sources.handlers.openProgram(null, id)).rejects.toThrow(QuestionError);
    clicked = true;
    await sources.handlers.openProgram(null, id);
    expect(opened).toEqual(['vscode://']);
    const gh = await handlers.named('GitHub CLI');
    expect(gh).toMatchObject({ opens: null, command: null });
    await expect(async () => sources.handlers.openProgram(null, gh.id)).rejects.toThrow('can’t open');
  });

  it.each<[string, (id: string) => unknown]>([
    ['it is closed', (id) => sources.handlers.closeSource(null, id)],
    ['the app is locked', () => sources.close()],
    ['the app quits', () => sources.stop()],
  ])('is not opened, nor followed, if %s while it is read', async (_when, close) => {
    await handlers.find();
    const { id } = await handlers.named('Azure CLI');
    const opening = sources.handlers.openSource(null, id);
    await close(id);
    const before = changes;
    await opening;
    expect(sources.opened()).toEqual([]);
    expect(changes).toBe(before); // an opened one is told of
  });

  it('is not watched if a search no longer finds it while it is read', async () => {
    const signal = join(home, '.azure', 'msal_token_cache.sig');
    put(signal, '');
    await handlers.find();
    const { items } = await sources.handlers.sources(null);
    const { id } = items.find(({ sealing }) => sealing === 'secret-service')!;
    let answer: () => void = () => undefined;
    keyring = new Promise((resolve) => (answer = () => resolve(null)));
    const closed: boolean[] = [];
    const { watch } = fs;
    vi.spyOn(fs, 'watch').mockImplementation((...of: Parameters<typeof watch>) => {
      const watcher = watch(...of);
      const index = closed.push(false) - 1;
      watcher.on('close', () => (closed[index] = true));
      return watcher;
    });
    syncBuiltinESMExports();
    try {
      const opening = sources.handlers.openSource(null, id);
      rmSync(signal);
      await handlers.find();
      expect((await sources.handlers.sources(null)).items.map((item) => item.id)).not.toContain(id);
      answer();
      await opening;
      // Begins after the other one has begun.
      const stop = watchSource({ file }, () => undefined);
      await expect.poll(() => closed.length).toBeGreaterThan(0);
      stop();
      await expect.poll(() => closed).toEqual(closed.map(() => true));
    } finally {
      vi.restoreAllMocks();
      syncBuiltinESMExports();
    }
  });

  it('forgets the contents when it is closed', async () => {
    const { id } = await openAzure();
    await sources.handlers.closeSource(null, id);
    expect(await handlers.named('Azure CLI')).toMatchObject({ state: 'found', accounts: 0 });
    expect(sources.opened()).toEqual([]);
  });

  it('imports through the plan that every import has', async () => {
    const { id, importable } = await openAzure();
    expect(importable).toBe(true);
    await sources.handlers.importSource(null, id);
    expect(planned).toEqual([file]);
  });
});

describe('signing out', () => {
  const idsIn = () => [...cachedAccounts(sources.opened()[0]!.reading.cache!).byId.values()];

  it('removes one account from the program’s cache, leaves the others, and can be undone', async () => {
    const { id, accounts } = await openAzure();
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    const [offer] = out.offers([leaving.id]);
    expect(offer).toMatchObject({ name: 'Azure CLI', accounts: 1, others: accounts - 1, viewOnly: false });
    expect(offer!.tokens).toBeGreaterThan(0);

    const receipts = await out.signOut([leaving.id], [id], 'report');
    expect(receipts).toMatchObject([{ name: 'Azure CLI', result: 'signed-out' }]);
    expect(readFileSync(file, 'utf8')).not.toContain(leaving.refreshTokens[0]!.secret);
    expect(idsIn()).toHaveLength(accounts - 1);

    expect(await out.undo('report')).toEqual([{ id, name: 'Azure CLI', file }]);
    expect(idsIn()).toHaveLength(accounts);
    expect(await out.undo('report')).toEqual([]);
  });

  it('names no program for a change of its own, and the program for the next one', async () => {
    const { id, accounts } = await openAzure();
    let tell: () => void = () => undefined;
    const noticed = new Promise<void>((resolve) => (tell = resolve));
    const stop = watchSource(sources.opened()[0]!.source, () => tell());
    await sources.changeHere(id, async () => {
      writeFileSync(file, '{}');
      await noticed;
      return true;
    });
    stop();
    expect(await handlers.named('Azure CLI')).toMatchObject({
      ...{ accounts: 0, changedHere: true, changedAt: null, lastChange: null },
    });
    writeFileSync(file, TEXT);
    await expect
      .poll(() => handlers.named('Azure CLI'))
      .toMatchObject({
        ...{ accounts, changedHere: false, changedAt: 1_800_000_000 },
        lastChange: expect.stringContaining('changed') as string,
      });
    // Nothing was changed here: what the program writes meanwhile is its own.
    await sources.changeHere(id, () => {
      writeFileSync(file, '{}');
      return Promise.resolve(false);
    });
    expect(await handlers.named('Azure CLI')).toMatchObject({ accounts: 0, changedHere: false });
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    writeFileSync(file, TEXT);
    await sources.readAgain(id);
    await out.signOut([idsIn().find(({ kind }) => kind === 'user')!.id], [id], 'report');
    expect(await handlers.named('Azure CLI')).toMatchObject({ changedHere: true, lastChange: null });
  });

  it('follows a cache that was closed and opened during a change of its own', async () => {
    const { id } = await openAzure();
    await sources.changeHere(id, async () => {
      await sources.handlers.closeSource(null, id);
      await sources.handlers.openSource(null, id);
      return true;
    });
    writeFileSync(file, '{}');
    await expect.poll(async () => (await handlers.named('Azure CLI')).state).toBe('empty');
    // One that is closed is not opened by the end of the change.
    await sources.changeHere(id, async () => {
      await sources.handlers.closeSource(null, id);
      return true;
    });
    expect(await handlers.named('Azure CLI')).toMatchObject({ state: 'found', changedHere: false });
  });

  it('puts back everything of several accounts, the list of subscriptions as it was', async () => {
    const { id } = await openAzure();
    const users = idsIn().filter(({ kind }) => kind === 'user');
    const profile = join(home, '.azure', 'azureProfile.json');
    const subscriptions = users.map((one, index) => ({
      id: String(index),
      user: { name: usernameOf(one) },
      isDefault: index === 0,
    }));
    put(profile, JSON.stringify({ subscriptions }));
    const before = readFileSync(profile, 'utf8');
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    await out.signOut(
      users.map((one) => one.id),
      [id],
      'report',
    );
    expect(readFileSync(profile, 'utf8')).toBe('{"subscriptions":[]}');
    await out.undo('report');
    expect(readFileSync(profile, 'utf8')).toBe(before);
  });

  it('tells caches of one program, and files of one name, apart by their files', async () => {
    for (const name of ['msal.cache', 'mg.msal.cache']) put(join(home, '.IdentityService', name), TEXT);
    await handlers.find();
    await sources.handlers.openAllSources(null);
    for (const folder of ['one', 'two']) {
      chosen = join(home, folder, 'cache.json');
      put(chosen, TEXT);
      await sources.handlers.addSource(null);
    }
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    const names = [
      'Azure CLI',
      'Shared developer cache, mg.msal.cache',
      'Shared developer cache, msal.cache',
      `cache.json, ${join(home, 'one', 'cache.json')}`,
      `cache.json, ${join(home, 'two', 'cache.json')}`,
    ];
    const offers = out.offers([leaving.id]);
    expect(offers.map(({ name }) => name)).toEqual(names);
    const rows = await out.signOut(
      [leaving.id],
      offers.slice(0, 2).map(({ id }) => id),
      'report',
    );
    expect(rows.map(({ name }) => name).sort()).toEqual(names.toSorted());
    expect((await out.undo('report')).map(({ name }) => name).sort()).toEqual(names.slice(0, 2));
  });

  it('names a program that has an account and is never changed, before and after', async () => {
    const { id } = await openAzure();
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    const username = usernameOf(leaving);
    expect(username).toContain('@');
    put(
      join(home, '.config', 'gh', 'hosts.yml'),
      `github.com:\n    users:\n        ${username.toUpperCase()}:\n        ben:\n`,
    );
    const gh = sources.handlers.sources(null) as SourceList;
    await sources.handlers.openSource(null, gh.items.find(({ program }) => program === 'gh')!.id);
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const [, offer] = out.offers([leaving.id]);
    expect(offer).toMatchObject({ name: 'GitHub CLI', viewOnly: true, accounts: 1, others: 1, tokens: 0 });
    expect(offer!.leave).toBe(`To sign out, run: gh auth logout -h github.com -u ${username.toUpperCase()}`);
    // An account that is in the vault alone.
    expect(out.offers(['another'], [username])).toMatchObject([{ name: 'GitHub CLI' }]);
    expect(out.offers(['another'], ['ben'])).toEqual([]);
    const receipts = await out.signOut([leaving.id], [id], 'report');
    expect(receipts).toMatchObject([
      { name: 'GitHub CLI', result: 'still', says: offer!.leave },
      { name: 'Azure CLI', result: 'signed-out' },
    ]);
  });

  it('looks again where somebody was still signed in, and says when the program has signed out', async () => {
    const { id } = await openAzure();
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    const hosts = join(home, '.config', 'gh', 'hosts.yml');
    put(hosts, `github.com:\n    users:\n        ${usernameOf(leaving)}:\n`);
    const gh = (sources.handlers.sources(null) as SourceList).items.find(({ program }) => program === 'gh')!;
    await sources.handlers.openSource(null, gh.id);
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    await out.signOut([leaving.id], [], 'report');
    expect(await out.check('report')).toMatchObject([
      { name: 'Azure CLI', result: 'still', says: `Checked again: ${usernameOf(leaving)}.` },
      { name: 'GitHub CLI', result: 'still', says: expect.stringContaining('gh auth logout') as string },
    ]);
    writeFileSync(hosts, '');
    writeFileSync(file, '{}');
    expect(await out.check('report')).toMatchObject([
      { name: 'Azure CLI', result: 'signed-out', says: 'Left: none (checked again).' },
      { name: 'GitHub CLI', result: 'signed-out' },
    ]);
    await sources.handlers.closeSource(null, id);
    expect((await out.check('report'))[0]).toMatchObject({ result: 'still' });
    out.done('report');
    expect(await out.check('report')).toEqual([]);
  });

  it('says after another check that a part of a program’s cache can’t be read', async () => {
    await openAzure();
    let problem: string | undefined;
    const some = {
      ...sources,
      opened: () =>
        sources.opened().map((one) => ({
          ...one,
          reading: { ...one.reading, ...(problem === undefined ? {} : { problem }) },
        })),
    };
    const out = sourceSignOuts(some, { secrets: {}, pause: 1 });
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    await out.signOut([leaving.id], [sources.opened()[0]!.id], 'report');
    problem = 'One of its items is locked.';
    expect(await out.check('report')).toMatchObject([{ result: 'still', says: problem }]);
    problem = undefined;
    expect(await out.check('report')).toMatchObject([{ result: 'signed-out' }]);
  });

  it('puts back what is left when one of several places failed before', async () => {
    await openAzure();
    const text = readFileSync(file, 'utf8');
    const another = join(home, 'another.json');
    writeFileSync(another, text, { mode: 0o600 });
    chosen = another;
    await sources.handlers.addSource(null);
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    const secret = leaving.refreshTokens[0]!.secret;
    const places = sources.opened().map(({ id }) => id);
    expect(places).toHaveLength(2);
    const idOf = Object.fromEntries(sources.opened().map(({ id, source }) => [source.file, id]));
    await out.signOut([leaving.id], places, 'report');

    // Whichever it is, the other one is put back.
    for (const broken of [file, another]) {
      const whole = broken === file ? another : file;
      const rest = readFileSync(broken, 'utf8');
      rmSync(broken);
      mkdirSync(broken); // can't be written
      await expect(out.undo('report')).rejects.toThrow();
      expect(readFileSync(whole, 'utf8')).toContain(secret);
      const names = { [file]: 'Azure CLI', [another]: 'another.json' };
      expect(out.undone('report').sort((a, b) => Number(b.isWhole) - Number(a.isWhole))).toEqual([
        { id: idOf[whole], name: names[whole], file: whole, isWhole: true },
        { id: idOf[broken], name: names[broken], file: broken, isWhole: false },
      ]);
      rmSync(broken, { recursive: true });
      writeFileSync(broken, rest, { mode: 0o600 });
      expect((await out.undo('report')).map(({ name }) => name).sort()).toEqual([
        'Azure CLI',
        'another.json',
      ]);
      expect(readFileSync(broken, 'utf8')).toContain(secret);
      if (broken === file) await out.signOut([leaving.id], places, 'report');
    }
  });

  it('puts back what each place had, also if it is asked for twice, and discarded meanwhile', async () => {
    await openAzure();
    const another = join(home, 'another.json');
    writeFileSync(another, readFileSync(file, 'utf8'), { mode: 0o600 });
    chosen = another;
    await sources.handlers.addSource(null);
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    const secret = leaving.refreshTokens[0]!.secret;
    await out.signOut(
      [leaving.id],
      sources.opened().map(({ id }) => id),
      'report',
    );
    const both = [
      { name: 'another.json', file: another },
      { name: 'Azure CLI', file },
    ].map((place) => expect.objectContaining(place) as unknown);
    const undone = [out.undo('report'), out.undo('report')];
    out.done('report');
    expect(await Promise.all(undone)).toEqual([both, both]);
    for (const each of [file, another]) expect(readFileSync(each, 'utf8')).toContain(secret);
    expect(await out.undo('report')).toEqual([]);
  });

  it('leaves an account alone where it was not chosen, and says so', async () => {
    const { id } = await openAzure();
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const [first, second] = idsIn().filter(({ kind }) => kind === 'user');
    const [offer] = out.offers([first!.id, second!.id]);
    expect(Object.keys(offer!.tokensOf)).toHaveLength(2);
    expect(Object.values(offer!.tokensOf).reduce((sum, count) => sum + count, 0)).toBe(offer!.tokens);
    expect(offer!.staying.length).toBeGreaterThan(0);
    const except = [{ accountId: second!.id, place: id }];
    const both = [first!.id, second!.id];
    expect([...out.names(both).keys()].sort()).toEqual(both.toSorted());
    expect([...out.names(both, (place, one) => place === id && one === first!.id).keys()]).toEqual([
      first!.id,
    ]);
    const receipts = await out.signOut(both, [id], 'report', except);
    expect(receipts).toMatchObject([
      { result: 'still', says: expect.stringMatching(/removed\. Not chosen: .+\.$/) as string },
    ]);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain(first!.refreshTokens[0]!.secret);
    expect(text).toContain(second!.refreshTokens[0]!.secret);
  });

  it.each([
    ['disappears', 'The cache disappeared', () => rmSync(file)],
    ['is emptied by its program', 'The program signed out by itself', () => writeFileSync(file, '{}')],
    ['is torn', 'is not a document', () => writeFileSync(file, '{"Account":')],
    ['is closed', 'It was closed', undefined],
  ])('has a row for a cache that %s while the question is open', async (_, says, change) => {
    const { id } = await openAzure();
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    out.offers([leaving.id]);
    if (change === undefined) await sources.handlers.closeSource(null, id);
    else {
      change();
      await sources.readAgain(id);
    }
    const [receipt] = await out.signOut([leaving.id], [id], 'report');
    expect(receipt?.says).toContain(says);
    expect(receipt?.name).toBe('Azure CLI');
  });

  it('names an obstacle once and waits for a lock once, for any number of accounts', async () => {
    const { id } = await openAzure();
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const leaving = idsIn()
      .filter(({ kind }) => kind === 'user')
      .map((one) => one.id);
    expect(leaving.length).toBeGreaterThan(1);
    writeFileSync(`${file}.lockfile`, `${process.pid} az`);
    const before = performance.now();
    const [receipt] = await out.signOut(leaving, [id], 'report');
    expect(performance.now() - before).toBeLessThan(9_000);
    expect(receipt).toMatchObject({
      result: 'still',
      says: expect.stringContaining(`Process ${process.pid}`) as string,
    });
  });

  it('says where somebody is still signed in, and why', async () => {
    await openAzure();
    const out = sourceSignOuts(sources, { secrets: {}, pause: 1 });
    const leaving = idsIn().find(({ kind }) => kind === 'user')!;
    expect(await out.signOut([leaving.id], [], 'report')).toMatchObject([
      { result: 'still', says: 'Not chosen.' },
    ]);
    rmSync(file);
    mkdirSync(file); // can't be written
    const [place] = sources.opened();
    expect((await out.signOut([leaving.id], [place!.id], 'report'))[0]).toMatchObject({ result: 'still' });
  });
});

describe('what a program changed', () => {
  const cacheOf = (...events: Parameters<SerializableTokenCache['add']>[0][]) => {
    const cache = new SerializableTokenCache();
    for (const event of events) cache.add(event);
    return { cache };
  };
  const [ada, ben] = ['ada@example.org', 'ben@example.org'].map((username) =>
    tokenResponse({ username }),
  ) as [TokenResponseEvent, TokenResponseEvent];
  const fresh = { ...ada, response: { ...ada.response, access_token: 'at-new' } };

  it.each([
    ['nothing', [ada], [ada], null],
    ['a refresh', [ada, ben], [fresh, ben], 'ada, 1 token refreshed.'],
    ['a sign-in', [ada], [ada, ben], 'ben, signed in.'],
    ['a sign-out', [ada, ben], [ada], 'ben, signed out.'],
    ['several', [ada], [fresh, ben], '2 accounts changed.'],
  ])('is %s', (_, before, after, says) => {
    const said = changeBetween(cacheOf(...before), cacheOf(...after));
    expect(said).toBe(says);
    expect(said ?? '').not.toContain('at-new');
  });

  it('can’t be told where one of the two could not be read', () => {
    expect(changeBetween(null, cacheOf(ada))).toBeNull();
    expect(changeBetween(cacheOf(ada), { cache: null })).toBeNull();
  });
});
