import { Fragment, useMemo } from 'react';
import { Button } from 'react-aria-components';
import type { SourceItem } from '../../app/contract.ts';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import {
  namedUserPlace,
  type NamedUser,
  placesOf,
  sourceAction,
  sourceState,
  sourcesSum,
} from '../state/sources.ts';
import { visible } from '../state/text.ts';
import { number } from '../state/words.ts';
import { useModel, useNamedUsers, useStore, useTimed } from './hooks.ts';
import { Icon, type IconName } from './Icon.tsx';
import { UserText } from './text.tsx';

const isFile = ({ program }: SourceItem): boolean => program === 'file';
const GROUPS = [
  { title: 'Found on this computer', has: (item: SourceItem) => !isFile(item) },
  { title: 'Files', has: isFile },
];

/** All accounts, the vault, and the caches of other programs. The chosen one filters the table. */
export function SourceList({ withAll = false }: { withAll?: boolean }) {
  const { sources, overview, accounts, vault } = useModel();
  const { items, searched, finding } = useStore(sources.view);
  const place = useStore(overview.view, (view) => view.filters.place);
  const byId = useStore(accounts.view, (view) => view.byId);
  const first = useStore(accounts.view, (view) => view.first);
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const encrypted = useStore(vault.view, (view) => view.status !== null && view.status.bytes !== null);
  const choose = (next: string | null) => {
    overview.open();
    overview.filter({ place: next });
  };
  const inVault = useMemo(
    () => [...byId.values()].filter(({ places }) => places.includes('vault')).length,
    [byId],
  );
  const named = useNamedUsers();
  if (demo && !withAll) return null; // sample data has no other places
  return (
    <section className="sources" aria-label="Sources">
      {withAll && (
        <Row
          icon="people"
          title="All accounts"
          detail={demo ? 'Sample data' : items.length > 0 ? sourcesSum(items) : 'Every source'}
          count={(first?.size ?? byId.size) + named.all.length}
          isChosen={place === null}
          onChoose={() => choose(null)}
        />
      )}
      {!demo && (withAll || items.length > 0) && (
        <Row
          icon="keep"
          title="This vault"
          detail={encrypted ? 'Encrypted' : 'No vault yet'}
          count={first?.size ?? inVault}
          isChosen={withAll && place === 'vault'}
          onChoose={() => choose('vault')}
        />
      )}
      {GROUPS.map(({ title, has }) => {
        const its = items.filter(has);
        return its.length === 0 ? null : (
          <Fragment key={title}>
            <h2 className="sources-title">{title}</h2>
            {its.map((item) => (
              <SourceRow
                key={item.id}
                item={item}
                isChosen={withAll && place === item.id}
                onChoose={() => choose(item.id)}
              />
            ))}
          </Fragment>
        );
      })}
      {!withAll && <NamedRows users={named.found} />}
      {searched && items.length === 0 && (
        <p className="note sources-note">No cache of another program was found.</p>
      )}
      {!demo && (
        <div className="sources-actions">
          {!searched && (
            <Button className="source-add" isDisabled={finding} onPress={() => void sources.find()}>
              <Icon name="computer" /> See who is signed in on this computer
            </Button>
          )}
          <Button className="source-add" onPress={() => void sources.add()}>
            <Icon name="plus" /> Add a file…
          </Button>
        </div>
      )}
    </section>
  );
}

/** Users that only programs name. Choosing one shows its program in the overview. */
export function NamedRows({ users }: { users: readonly NamedUser[] }) {
  const { overview } = useModel();
  if (users.length === 0) return null;
  return (
    <>
      <h2 className="sources-title">Also signed in, named by programs</h2>
      {users.map((user, index) => (
        <Row
          key={`${String(index)} ${user.name}`}
          icon="people"
          title={user.name}
          detail={namedUserPlace(user)}
          count={null}
          isChosen={false}
          onChoose={() => {
            overview.open();
            overview.filter({ place: user.programs[0]?.id ?? null });
          }}
        />
      ))}
    </>
  );
}

function SourceRow({
  item,
  isChosen,
  onChoose,
}: {
  item: SourceItem;
  isChosen: boolean;
  onChoose: () => void;
}) {
  const { sources } = useModel();
  const opening = useStore(sources.view, (view) => view.opening.has(item.id));
  const { text, tone } = useTimed((now) => sourceState(item, now));
  const action = sourceAction(item);
  const isOpen = item.state === 'accounts' || item.state === 'empty';
  return (
    <Row
      icon={item.state === 'locked' ? 'lock' : tone === 'off' ? 'warning' : 'terminal'}
      title={item.name}
      detail={opening ? 'Opening…' : text}
      tone={tone}
      tooltip={item.file}
      count={isOpen ? item.accounts : null}
      isChosen={isChosen}
      onChoose={onChoose}
      action={action}
      onAction={() => void (item.state === 'gone' ? sources.close(item.id) : sources.open(item.id))}
    />
  );
}

function Row({
  icon,
  title,
  detail,
  tone = 'plain',
  tooltip,
  count,
  isChosen,
  onChoose,
  action = null,
  onAction,
}: {
  icon: IconName;
  title: string;
  detail: string;
  tone?: 'live' | 'plain' | 'off';
  tooltip?: string;
  count: number | null;
  isChosen: boolean;
  onChoose: () => void;
  action?: string | null;
  onAction?: () => void;
}) {
  return (
    <div className="source-row" data-chosen={isChosen} data-tone={tone}>
      <button
        type="button"
        className="source-choose"
        aria-current={isChosen ? 'true' : undefined}
        title={tooltip}
        onClick={onChoose}
      >
        <Icon name={icon} />
        <span className="two-lines">
          <span>
            <UserText>{title}</UserText>
          </span>
          <span className="second">{detail}</span>
        </span>
        {action === null && count !== null && <span className="source-count">{number(count)}</span>}
      </button>
      {action !== null && onAction !== undefined && (
        <Button className="source-action" aria-label={`${action} ${title}`} onPress={onAction}>
          {action}
        </Button>
      )}
    </div>
  );
}

/** Returns the IDs of the places that have an account, including programs that only name it. */
export function useAccountPlaces(account: AccountItem): readonly string[] {
  const { sources } = useModel();
  const items = useStore(sources.view, (view) => view.items);
  return placesOf(account, items);
}

/** Names the places of an account: the first, and how many more. */
export function PlaceBadges({ places, all = false }: { places: readonly string[]; all?: boolean }) {
  const { sources, vault } = useModel();
  const items = useStore(sources.view, (view) => view.items);
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const names = places.map((place) =>
    place === 'vault'
      ? demo
        ? 'Sample data'
        : 'This vault'
      : (items.find(({ id }) => id === place)?.name ?? 'Another program'),
  );
  const shown = all ? names : names.slice(0, 1);
  return (
    <span className="badges" title={visible(names.join(', '))}>
      {shown.map((name, index) => (
        <span className="source-badge" key={places[index]}>
          <UserText>{name}</UserText>
        </span>
      ))}
      {names.length > shown.length && (
        <span className="source-badge">
          +{number(names.length - shown.length)}
          <span className="unseen">: {visible(names.slice(shown.length).join(', '))}</span>
        </span>
      )}
    </span>
  );
}
