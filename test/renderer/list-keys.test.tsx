/**
 * React identifies the items of a list by their keys. Two items with one key are drawn twice or not at all, which React reports only in a
 * browser. Keys that are made from texts of others are the danger: they can repeat.
 */
import type { ReactNode } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EntityLines } from '../../src-renderer/parts/Findings.tsx';
import { ModelContext } from '../../src-renderer/parts/hooks.ts';
import { NamedSignIns } from '../../src-renderer/parts/SourceHead.tsx';
import { NamedRows } from '../../src-renderer/parts/SourceList.tsx';
import { TimelineTab } from '../../src-renderer/parts/Timeline.tsx';
import { InspectPage } from '../../src-renderer/screens/InspectPage.tsx';
import { loadRest, TokenkeepWindow } from '../../src-renderer/screens/TokenkeepWindow.tsx';
import { PAGES } from '../../src-renderer/state/pages.ts';
import { stage } from './fake/model.ts';
import { settled } from './fake/time.ts';
import type { WORLDS } from './fake/worlds.ts';

/** Repeated keys among the children of one element. */
const repeated: string[] = [];

vi.mock('react/jsx-dev-runtime', async (original) => {
  const runtime = await original<{ jsxDEV: (...all: unknown[]) => unknown }>();
  const keysOf = (list: readonly unknown[]) =>
    list.flatMap((item) =>
      typeof item === 'object' && item !== null && 'key' in item && typeof item.key === 'string'
        ? [item.key]
        : [],
    );
  return {
    ...runtime,
    jsxDEV(type: unknown, props: { children?: unknown }, ...others: unknown[]) {
      // A list is the only child, or one of several.
      const lists = [props.children, ...(Array.isArray(props.children) ? props.children : [])];
      for (const list of lists.filter((child) => Array.isArray(child))) {
        const keys = keysOf(list);
        repeated.push(...keys.filter((key, index) => keys.indexOf(key) !== index));
      }
      return runtime.jsxDEV(type, props, ...others);
    },
  };
});

const within = (model: Parameters<typeof ModelContext>[0]['value'], node: ReactNode) =>
  renderToStaticMarkup(<ModelContext value={model}>{node}</ModelContext>);

beforeAll(loadRest);
beforeEach(() => void repeated.splice(0));

test('a repeated key is noticed', () => {
  renderToStaticMarkup(
    <ul>
      {['a', 'b', 'a'].map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>,
  );
  expect(repeated).toEqual(['a']);
});

describe('no key of a list is repeated', () => {
  const worlds = [
    'main',
    'activity',
    'findings',
    'found',
    'sources',
    'hostile',
  ] satisfies (keyof typeof WORLDS)[];
  test.each(worlds)('on the pages of the world “%s”', async (name) => {
    const { model } = await stage(name);
    for (const { id: page } of PAGES) {
      model.pages.show(page);
      within(model, <TokenkeepWindow />);
    }
    expect(repeated).toEqual([]);
  });

  test('in Compare, where a scope or an audience is written twice', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = (claims: object) => `${part({ alg: 'RS256' })}.${part(claims)}.AAAA`;
    const { model } = await stage();
    model.inspect.compare(true);
    model.inspect.set('first', token({ scp: 'Mail.Read Mail.Read', aud: ['a', 'a'] }));
    model.inspect.set('second', token({ scp: 'User.Read User.Read', aud: ['b', 'c'] }));
    const html = within(model, <InspectPage />);
    expect(html.match(/class="minus"/g)).toHaveLength(2);
    expect(html.match(/class="plus"/g)).toHaveLength(3);
    expect(repeated).toEqual([]);
  });

  test('among sign-ins that a program names twice, and users of the same name', async () => {
    const { model } = await stage('sources');
    const [item] = model.sources.view.get().items;
    const twice = { name: 'octocat', at: 'github.com', command: null };
    within(model, <NamedSignIns item={{ ...item!, names: [twice, twice] }} />);
    const user = { name: 'octocat', programs: [], at: ['github.com'] };
    within(model, <NamedRows users={[user, user]} />);
    expect(repeated).toEqual([]);
  });

  test('among entries that a repair names twice', async () => {
    const { model } = await stage();
    const entity = { type: 'AccessToken', key: 'one' } as never;
    within(model, <EntityLines entities={[{ entity }, { entity }]} label="Changed" />);
    expect(repeated).toEqual([]);
  });

  test('in the timeline, where a token was refreshed twice in one second', async () => {
    const { model, time } = await stage();
    await settled();
    const account = [...model.accounts.view.get().byId.values()][0]!;
    model.selection.account(account.id);
    await settled();
    const token = model.selection.view.get().tokens?.find(({ type }) => type === 'AccessToken');
    const now = Math.floor(time.now() / 1000);
    const event = {
      ...{ id: '1', at: now - 3600, accounts: [], kind: 'refresh' as const, tokens: 1, until: null },
      ...{ client_ids: [token!.client_id], apis: [token!.audience!], automatic: true },
    };
    const start = { ...token!, cached_at: now - 600 };
    model.selection.view.set({ ...model.selection.view.get(), tokens: [start] });
    model.activity.view.set({
      ...model.activity.view.get(),
      of: account.id,
      events: [1, 2, 3].map((id) => ({ ...event, id: String(id) })),
    });
    const html = within(model, <TimelineTab account={account} />);
    expect(html.match(/data-kind="refreshed"/g)?.length).toBeGreaterThanOrEqual(3);
    expect(repeated).toEqual([]);
  });
});
