// Not in npm run check: it loads the whole window, with React Aria.
import type { ReactNode } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { beforeAll, describe, expect, test } from 'vitest';
import { AccountLine } from '../../src-renderer/parts/AccountList.tsx';
import { DialogFrame } from '../../src-renderer/parts/DialogFrames.tsx';
import { LastResort } from '../../src-renderer/parts/LastResort.tsx';
import { Lines } from '../../src-renderer/parts/Lines.tsx';
import { ChoiceMenu } from '../../src-renderer/parts/ChoiceChip.tsx';
import { TokenMenu } from '../../src-renderer/parts/TokenMenu.tsx';
import { TokenPanel } from '../../src-renderer/parts/TokenPanel.tsx';
import { SourceHead } from '../../src-renderer/parts/SourceHead.tsx';
import { VerifyCard } from '../../src-renderer/parts/VaultCards.tsx';
import { ModelContext } from '../../src-renderer/parts/hooks.ts';
import { Highlight, Message, UserText } from '../../src-renderer/parts/text.tsx';
import { AccountView } from '../../src-renderer/screens/AccountsPage.tsx';
import { ActivityPage } from '../../src-renderer/screens/ActivityPage.tsx';
import { ImportDialog } from '../../src-renderer/screens/ImportDialogs.tsx';
import { InspectPage } from '../../src-renderer/screens/InspectPage.tsx';
import { OverviewPage } from '../../src-renderer/screens/OverviewPage.tsx';
import { SettingsPage } from '../../src-renderer/screens/SettingsPage.tsx';
import { BridgeMissing } from '../../src-renderer/screens/StartScreens.tsx';
import { loadRest, TokenkeepWindow } from '../../src-renderer/screens/TokenkeepWindow.tsx';
import { SEARCH_PAUSE } from '../../src-renderer/state/accounts.ts';
import { MOST_LINES, payloadLine } from '../../src-renderer/state/claims.ts';
import { PAGES } from '../../src-renderer/state/pages.ts';
import { layOut } from '../../src-renderer/state/rows.ts';
import { crowd } from './fake/cast.ts';
import { stage } from './fake/model.ts';
import { settled } from './fake/time.ts';
import { PLAN, REPORT, WORLDS } from './fake/worlds.ts';

const within = (model: Parameters<typeof ModelContext>[0]['value'], node: ReactNode) =>
  renderToStaticMarkup(<ModelContext value={model}>{node}</ModelContext>);

test('text of others is text: no markup, its direction kept inside, its unseen characters seen', async () => {
  const { model } = await stage();
  expect(renderToStaticMarkup(<UserText>{'<img src=x onerror=alert(1)>\u202e'}</UserText>)).toBe(
    '<bdi>&lt;img src=x onerror=alert(1)&gt;⟨U+202E⟩</bdi>',
  );
  const line = payloadLine({ name: '<script>', json: '{"</script><b>": "\\u202e"}' }, 0);
  const html = within(model, <Lines lines={[line]} />);
  expect(html).not.toMatch(/<(script|b)>/);
  expect(html).toContain('⟨U+202E⟩');
});

test('the title of a dialog names accounts, so it is text of others too', async () => {
  const { model } = await stage();
  const html = within(model, <DialogFrame title={'Sign out \u202e<b>eve</b>?'}>Text</DialogFrame>);
  expect(html).toContain('<bdi>Sign out ⟨U+202E⟩&lt;b&gt;eve&lt;/b&gt;?</bdi>');
});

/** The texts of the live regions, which a screen reader announces whenever they change. */
function liveTexts(html: string): string[] {
  return [...html.matchAll(/<(\w+)[^>]*\brole="(?:status|alert)"/g)].map(({ 1: tag, index }) => {
    let depth = 0;
    for (const { 0: found, index: at } of html.slice(index).matchAll(new RegExp(`</?${tag}\\b`, 'g'))) {
      depth += found.startsWith('</') ? -1 : 1;
      if (depth === 0) return html.slice(index, index + at).replaceAll(/<[^>]*>/g, ' ');
    }
    return '';
  });
}

describe('no live region changes with the time alone', () => {
  const worlds = ['main', 'activity', 'sources', 'found'] satisfies (keyof typeof WORLDS)[];
  test.each(worlds)('in the world “%s”', async (name) => {
    const { model, time } = await stage(name);
    const now = Math.floor(time.now() / 1000);
    const item = model.sources.view.get().items[0];
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = (claims: object) => `${part({ alg: 'RS256' })}.${part(claims)}.AAAA`;
    model.maintenance.view.set({
      ...model.maintenance.view.get(),
      verified: { report: REPORT, at: now - 4 },
    });
    const draw = (claims: object) => {
      const drawn = PAGES.map(({ id }) => {
        model.pages.show(id);
        if (id === 'inspect') model.inspect.set('first', token({ iss: 'i', aud: 'a', ...claims }));
        return within(model, <TokenkeepWindow />);
      });
      const written = item && { ...item, state: 'accounts' as const, problem: null, writtenAt: now - 4 };
      if (written !== undefined) drawn.push(within(model, <SourceHead item={written} />));
      return liveTexts(drawn.join(''));
    };
    for (const claims of [{ exp: now + 45 }, { exp: now - 2 }, { nbf: now + 45, exp: now + 99 }]) {
      const before = draw(claims);
      expect(before.length).toBeGreaterThan(0);
      time.jump(7000);
      expect(draw(claims)).toEqual(before);
      time.jump(-7000);
    }
  });
});

test('of a token with many claims, Inspect says how many are left out', async () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, at) => [`c${at}`, at]));
  const token = (n: number) => `${part({ alg: 'RS256' })}.${part(claims(n))}.AAAA`;
  const { model } = await stage();
  const html = () => within(model, <InspectPage />);
  const { inspect } = model;
  inspect.set('first', token(MOST_LINES));
  expect(html()).not.toContain('not shown');
  inspect.set('first', token(MOST_LINES + 1));
  expect(html()).toContain('1 more line is not shown.');
  inspect.compare(true);
  inspect.set('second', token(MOST_LINES + 1).replace('AAAA', 'BBBB'));
  expect(html()).toContain(
    '<b>The claims are the same</b> <span class="second">The signatures differ.</span>',
  );
  inspect.set('second', token(0));
  expect(html()).toContain('1 more line is not shown.');
});

test('Compare shows the start of long values and of many differences, and has a button for the rest', async () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const groups = (of: string, n: number) => Array.from({ length: n }, (_, at) => `${of}${String(1000 + at)}`);
  const token = (of: string, n: number) =>
    `${part({ alg: 'RS256' })}.${part({ groups: groups(of, n), note: of.repeat(700) })}.AAAA`;
  const { model } = await stage();
  model.inspect.compare(true);
  const html = (n: number) => {
    model.inspect.set('first', token('a', n));
    model.inspect.set('second', token('b', n));
    return within(model, <InspectPage />);
  };
  const many = html(300);
  expect(many.match(/class="minus"/g)).toHaveLength(20);
  expect(many).toContain('aria-label="and 580 more: the differences of groups"');
  expect(many).toContain('aria-label="Show all: groups in A"');
  expect(many).toContain('aria-label="Show all: note in B"');
  expect(many).not.toContain('b1299');
  expect(many).not.toContain('a'.repeat(700));
  const few = html(10);
  expect(few.match(/class="(minus|plus)"/g)).toHaveLength(20);
  expect(few).not.toContain('groups in A');
});

test('of dozens of rows, those out of view are not drawn at once', async () => {
  const { model, world } = await stage('overview');
  world.members = crowd(45, Math.floor(model.ports.time.now() / 1000));
  await model.accounts.load();
  const html = within(model, <OverviewPage />);
  expect(html).toContain('aria-rowcount="46"');
  const drawn = html.match(/id="person-\d+"/g) ?? [];
  expect(drawn.length).toBeGreaterThan(15);
  expect(drawn.length).toBeLessThan(40);
});

test('Compare lets one choose among the tokens of a response', async () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (sub: string) => `${part({ alg: 'RS256' })}.${part({ sub })}.${sub}`;
  const { model } = await stage();
  model.inspect.compare(true);
  model.inspect.set('first', token('eve'));
  model.inspect.set('second', JSON.stringify({ access_token: token('dana'), id_token: token('eve') }));
  const html = () => within(model, <InspectPage />);
  expect(html()).toContain('1 of 1 claim differs');
  model.inspect.choose('second', 1);
  expect(html()).toContain('The tokens are the same');
});

test('Compare shows a time that it can’t read once, as it is written', async () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (exp: number) => `${part({ alg: 'RS256' })}.${part({ exp })}.AAAA`;
  const { model } = await stage();
  model.inspect.compare(true);
  model.inspect.set('first', token(1_795_970_186_000));
  model.inspect.set('second', token(1_795_970_186));
  const html = within(model, <InspectPage />);
  expect(html).toContain('1795970186000');
  expect(html).not.toContain('1795970186000 ·');
  expect(html).toMatch(/\d · 1795970186\b/);
});

test('an import that restores offers whatever the document has, and nothing of an empty one', async () => {
  const { model } = await stage();
  const html = (plan: typeof PLAN, restores: boolean) =>
    within(model, <ImportDialog dialog={{ kind: 'import-plan', plan, restores, merging: false }} />);
  const known = {
    ...PLAN,
    accounts: { ...PLAN.accounts, added: 0, known: 3 },
    tokens: { added: 0, replaced: 0, unchanged: 12, expired: 0 },
    notUnderstood: 0,
  };
  expect(html(known, false)).toContain('Nothing to import');
  expect(html(known, true)).toContain('Restore from this document?');
  expect(html(known, true)).toContain('12 new tokens');
  expect(html(known, true)).not.toContain('already in the vault');
  const empty = {
    ...known,
    accounts: { added: 0, known: 0, names: [] },
    tokens: { added: 0, replaced: 0, unchanged: 0, expired: 0 },
  };
  expect(html(empty, true)).toContain('Nothing to import');
  expect(html(empty, true)).toMatch(/disabled=""[^>]*>Restore</);
});

test('a vault file that is deleted is not called unchanged', async () => {
  const { model } = await stage();
  const status = model.vault.view.get().status!;
  await model.maintenance.verify();
  expect(within(model, <VerifyCard status={status} />)).toContain('complete and unchanged');
  const html = within(model, <VerifyCard status={{ ...status, bytes: null }} />);
  expect(html).toContain('File verified before its last change');
});

test('a menu of thousands of choices has the first ones as elements, and a field that finds the others', () => {
  const choices = (size: number) => () =>
    Array.from({ length: size }, (_, at) => ({
      id: `user${String(at)}`,
      name: `User ${String(at)}`,
      count: 1,
    }));
  const html = (size: number) =>
    renderToStaticMarkup(
      <ChoiceMenu label="Account" every="All accounts" choices={choices(size)} onChoose={() => undefined} />,
    );
  const items = (text: string) => text.split('role="menuitem"').length - 1;
  const many = html(10_000);
  expect(items(many)).toBe(12);
  expect(many).toContain('9,990 more: type a part of the name');
  expect(many).toContain('aria-label="Find in Account"');
  expect(items(html(10))).toBe(11);
  expect(html(10)).not.toMatch(/more:|Find in/);
});

test('an event of many accounts says in its tooltip how many it does not name', async () => {
  const { model } = await stage('activity');
  model.activity.watch(null);
  await settled();
  expect(within(model, <ActivityPage />)).toContain('Teo Varga and 1,997 more"');
});

test.each([
  ['ben-only-here', false],
  ['nobody-anywhere', true],
])('a search for “%s” says that nobody matches: %s', async (text, isNobody) => {
  const { model, time } = await stage('sources');
  const { view } = model.sources;
  const names = [{ name: 'ben-only-here', command: null }];
  const items = view.get().items.map((one) => (one.id === 'gh' ? { ...one, names } : one));
  view.set({ ...view.get(), items });
  model.accounts.search(text);
  await time.pass(SEARCH_PAUSE);
  expect(model.accounts.view.get()).toMatchObject({ searching: false, shownCount: 0 });
  const screens = [() => model.overview.open(), () => model.overview.close()].map((show) => {
    show();
    return within(model, <TokenkeepWindow />);
  });
  const bar = /class="account-bar".*?<\/nav>/s.exec(screens.at(-1) ?? '')?.[0];
  expect(bar).toContain(isNobody ? 'No account matches' : '1 named by programs');
  for (const html of screens) {
    expect(html.includes('No account matches')).toBe(isNobody);
    expect(html).toContain(isNobody ? '>0 of ' : '>1 of ');
    expect(/ben-only-here<\/mark>|<bdi>ben-only-here/.test(html)).toBe(!isNobody);
  }
});

test.each([
  ['darwin', '⌘', 'menu bar'],
  ['win32', 'Ctrl ', 'notification area'],
  ['linux', 'Ctrl ', 'system tray'],
] as const)('keys and places have their names on %s', async (platform, key, tray) => {
  const { model } = await stage();
  const { view } = model.vault;
  view.set({ ...view.get(), info: { ...view.get().info!, platform } });
  const token = model.selection.view.get().tokens![0]!;
  const html = `${within(model, <TokenkeepWindow />)}${within(model, <TokenMenu token={token} />)}`;
  expect([...html.matchAll(/<kbd[^>]*>([^<]*)<\/kbd>/g)].map(([, text]) => text)).toEqual([
    `${key}F`,
    `${key}C`,
  ]);
  const settings = within(model, <SettingsPage />);
  expect(settings).toContain(`Show in the ${tray}`);
  for (const other of ['menu bar', 'notification area', 'system tray'])
    expect(settings.includes(other)).toBe(other === tray);
});

test('a sentence shows what is in backticks as code, and everything else as text', () => {
  const html = (text: string) => renderToStaticMarkup(<Message>{text}</Message>);
  expect(html('Expected an access token, but `expires_on` is missing, and `target`.')).toBe(
    '<bdi>Expected an access token, but <code>expires_on</code> is missing, and <code>target</code>.</bdi>',
  );
  expect(html('“`<b>x</b>`\u202e.json” is no document.')).toBe(
    '<bdi>“`&lt;b&gt;x&lt;/b&gt;`⟨U+202E⟩.json” is no document.</bdi>',
  );
});

test('what is searched for is marked, and only that', async () => {
  const { model } = await stage();
  model.accounts.search('ADA contoso');
  expect(within(model, <Highlight>{'ada@contoso.example <b>'}</Highlight>)).toBe(
    '<bdi><mark>ada</mark>@<mark>contoso</mark>.example &lt;b&gt;</bdi>',
  );
  model.accounts.search('');
  expect(within(model, <Highlight>ada</Highlight>)).toBe('<bdi>ada</bdi>');
});

test('an account that nothing renews says so, and offers the way back', async () => {
  const { model } = await stage();
  const rosa = [...model.accounts.view.get().byId.values()].find(({ name }) => name === 'Rosa Stein');
  const ada = [...model.accounts.view.get().byId.values()].find(({ name }) => name === 'Ada Marsh');
  expect(within(model, <AccountView account={rosa!} />)).toContain('Sign in again…');
  expect(within(model, <AccountView account={ada!} />)).not.toContain('Sign in again…');
});

test('a token with claims without end shows those that can be read, and says how many more there are', async () => {
  const { model } = await stage();
  const claim = (index: number) => ({ name: `c${index}`, json: '1' });
  model.selection.view.set({
    ...model.selection.view.get(),
    claims: {
      mark: 'm',
      format: 'jwt',
      header: [],
      payload: Array.from({ length: 12_000 }, (_, index) => claim(index)),
    },
  });
  const html = within(model, <TokenPanel onClose={() => {}} />);
  expect(html).toContain('c499');
  expect(html).not.toContain('c500');
  expect(html).toContain('11,500 more lines are not shown.');
});

test('the result of a signature check is not said of a token that has replaced the one that was checked', async () => {
  const { model, world, bridge } = await stage();
  const { tokenId, claims } = model.selection.view.get();
  world.signIn.signature = {
    result: 'valid',
    key_id: 'k',
    algorithm: 'RS256',
    keysFrom: 'https://x.example',
    at: 1,
  };
  const html = () => within(model, <TokenPanel onClose={() => {}} />);
  await model.signatures.check({ tokenId: tokenId ?? '' }, claims?.mark);
  expect(html()).toContain('Signature valid');
  const shown = world.members[0]!.tokens.find(({ id }) => id === tokenId)!;
  shown.cached_at = (shown.cached_at ?? 0) + 60;
  bridge.emit('change', null);
  await settled();
  expect(html()).toContain('Check signature…');
  expect(html()).not.toContain('Signature valid');
});

test('hostile accounts draw no element of their own', async () => {
  const { model } = await stage('hostile');
  const { accounts } = layOut(model.accounts.view.get().groups);
  const html = within(
    model,
    accounts.map((row) => (
      <AccountLine key={row.account.id} row={row} chosen={false} size={accounts.length} />
    )),
  );
  expect(accounts).toHaveLength(6);
  expect(html).not.toMatch(/<(img|script|b)\b/);
  expect(html).not.toMatch(/[\u202e\u200b]|\u0000/u);
});

test('the locked screen does not say that the vault is closed, which unsaved changes keep open', async () => {
  const { model } = await stage('away');
  const html = within(model, <TokenkeepWindow />);
  expect(html).toContain('locked while you were away');
  expect(html).not.toMatch(/closed|unchanged/u);
});

describe('every world has its screen', () => {
  const HEADINGS: Record<string, string> = {
    away: 'Tokenkeep is locked',
    'first-run': 'See and control your sign-ins',
    waiting: 'Waiting for the keychain…',
    locked: 'The keychain is locked',
    'no-keychain': 'No keychain found',
    'key-missing': 'The encryption key is missing',
    'wrong-key': 'The key doesn’t open this file',
    'damaged-all': '0 accounts recovered',
    newer: 'Written by a newer version',
    busy: 'Another program is using the file',
    crashed: 'Tokenkeep stopped while asking the keychain',
    'list-failed': 'The accounts could not be listed',
    sources: 'Accounts',
    found: '7 caches found on this computer',
    crowd: 'Accounts',
    overview: 'Accounts',
    hostile: '',
    opening: '',
  };
  beforeAll(loadRest);

  test.each(Object.keys(WORLDS).filter((name) => HEADINGS[name] !== ''))('%s', async (name) => {
    const { model } = await stage(name);
    const html = within(model, <TokenkeepWindow />);
    expect(html).toMatch(new RegExp(`<h1[^>]*>(<bdi>)?${HEADINGS[name] ?? 'Ada'}`, 'u'));
    expect(html).not.toContain('secret-of');
  });

  test('opening says nothing at first', async () => {
    const { model } = await stage('opening');
    const html = within(model, <TokenkeepWindow />);
    expect(html).toContain('aria-busy="true"');
    expect(html).not.toContain('Opening');
  });

  test('accounts that are there are shown below the notice', async () => {
    for (const [name, title] of [
      ['locked-memory', 'The keychain is locked.'],
      ['damaged', '6 of 9 accounts recovered.'],
      ['read-only', 'Read-only.'],
      ['not-saved', '2 changes not saved.'],
    ] as const) {
      const { model } = await stage(name);
      const html = within(model, <TokenkeepWindow />);
      expect(html).toContain(title);
      expect(html).toContain('Ada Marsh');
    }
  });
});

test('without a bridge it says what is missing', () => {
  expect(renderToStaticMarkup(<BridgeMissing />)).toContain('The connection to the app is missing');
});

test('the last resort says what happened', () => {
  expect(LastResort.getDerivedStateFromError(new TypeError('x is not a function'))).toEqual({
    failed: true,
    what: 'TypeError: x is not a function',
  });
});
