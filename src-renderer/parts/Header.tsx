import type { RefObject } from 'react';
import {
  Button,
  Input,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  SearchField,
  Separator,
} from 'react-aria-components';
import { searchFound } from '../state/accounts.ts';
import { PAGES, type Screen } from '../state/pages.ts';
import { shortcut } from '../state/platform.ts';
import { Action } from './Action.tsx';
import { Icon } from './Icon.tsx';
import { useModel, useNamedUsers, useStore } from './hooks.ts';

export function Header({
  search,
  screen,
}: {
  search: RefObject<HTMLInputElement | null>;
  /** Screen of the Accounts page; null while another page is shown. */
  screen: Screen['kind'] | null;
}) {
  const { importing, signIn, vault } = useModel();
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  return (
    <header className="header">
      <span className="brand">
        <Icon name="keep" size={18} />
        <span className="brand-name">Tokenkeep</span>
      </span>
      <Navigation />
      {screen === 'main' && <Search field={search} />}
      {/* The first-run screen has its own button. */}
      {screen !== 'first-run' && (
        <span className="header-import">
          <Action onPress={() => void importing.choose()}>Import…</Action>
        </span>
      )}
      {screen === 'main' && !demo && <Action onPress={signIn.open}>Sign in…</Action>}
      <More />
    </header>
  );
}

function Search({ field }: { field: RefObject<HTMLInputElement | null> }) {
  const { accounts, selection, vault } = useModel();
  const text = useStore(accounts.view, (view) => view.text);
  const named = useNamedUsers();
  const found = useStore(accounts.view, (view) =>
    searchFound(view, { found: named.found.length, of: named.all.length }),
  );
  const platform = useStore(vault.view, (view) => view.info?.platform);
  return (
    <SearchField
      className="search"
      aria-label="Search accounts, apps, APIs, scopes, claims"
      value={text}
      onChange={accounts.search}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
        const list = document.querySelector<HTMLElement>('[role="listbox"], [role="grid"]');
        if (list === null) return;
        event.preventDefault();
        selection.among(accounts.view.get().shown);
        list.focus();
      }}
    >
      <Icon name="search" />
      <Input ref={field} placeholder="Search accounts, apps, APIs, scopes, claims" maxLength={256} />
      <span className="found" role="status">
        {found}
      </span>
      {text === '' ? (
        <kbd aria-hidden="true">{shortcut('F', platform)}</kbd>
      ) : (
        <Button className="clear" aria-label="Clear search">
          <Icon name="close" size={12} />
        </Button>
      )}
    </SearchField>
  );
}

function More() {
  const { dialogs, importing, maintenance, signOut, accounts, pages, ports, sources, vault } = useModel();
  const some = useStore(accounts.view, (view) => view.byId.size > 0);
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  return (
    <MenuTrigger>
      <Button className="button quiet icon-only" aria-label="More">
        <Icon name="more" />
      </Button>
      <Popover className="popover" placement="bottom end" offset={4}>
        <Menu className="menu" aria-label="More">
          {demo ? (
            <MenuItem onAction={() => void ports.app.leaveDemo()}>Leave sample data</MenuItem>
          ) : (
            <MenuItem onAction={() => void ports.app.openDemo()}>Try with sample data</MenuItem>
          )}
          <MenuItem onAction={() => void importing.choose()}>Import…</MenuItem>
          {!demo && (
            <MenuItem onAction={() => void sources.find()}>See who is signed in on this computer</MenuItem>
          )}
          {!demo && <MenuItem onAction={() => void sources.add()}>Add a file…</MenuItem>}
          <MenuItem onAction={() => void maintenance.showFile()}>Show vault file</MenuItem>
          <Separator />
          <MenuItem isDisabled={!some} className="danger" onAction={() => void signOut.all()}>
            Sign out all…
          </MenuItem>
          <Separator />
          <MenuItem onAction={() => pages.show('settings')}>Settings</MenuItem>
          <MenuItem onAction={() => dialogs.open({ kind: 'about' })}>About Tokenkeep</MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

/** Buttons for the pages; `aria-current` marks the shown one. */
export function Navigation() {
  const { pages } = useModel();
  const shown = useStore(pages.view);
  return (
    <nav className="navigation" aria-label="Pages">
      {PAGES.map(({ id, title }) => (
        <button
          type="button"
          key={id}
          aria-current={id === shown ? 'page' : undefined}
          onClick={() => pages.show(id)}
        >
          {title}
        </button>
      ))}
    </nav>
  );
}
