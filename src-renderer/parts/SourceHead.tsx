import type { SourceItem } from '../../app/contract.ts';
import { copyText } from '../bridge.ts';
import { nameExpiry, sourceAction, sourceBanner, sourceNews } from '../state/sources.ts';
import { count } from '../state/words.ts';
import { Action } from './Action.tsx';
import { Icon } from './Icon.tsx';
import { useModel, useStore, useTimed } from './hooks.ts';
import { Message, UserText } from './text.tsx';

/** Describes the chosen source, above its accounts. */
export function SourceHead({ item }: { item: SourceItem }) {
  const { sources, overview } = useModel();
  const opening = useStore(sources.view, (view) => view.opening.has(item.id));
  const banner = useTimed((now) => sourceBanner(item, now));
  const isOpen = item.state !== 'found';
  const action = item.state === 'gone' ? null : sourceAction(item);
  return (
    <div className="source-head">
      <div className="overview-head">
        <div className="two-lines">
          <h1>
            <UserText>{item.name}</UserText>
          </h1>
          <span className="path">
            <UserText>{item.file}</UserText>
          </span>
        </div>
        <Action kind="quiet" onPress={() => void sources.show(item.id)}>
          Show in folder
        </Action>
        {isOpen && <ProgramActions of={item} />}
        {isOpen && (
          <Action
            kind="quiet"
            onPress={() => {
              overview.filter({ place: null });
              void sources.close(item.id);
            }}
          >
            Close
          </Action>
        )}
        {item.importable && (
          <Action onPress={() => void sources.import(item.id)}>
            {`Import ${count(item.accounts, 'account')}…`}
          </Action>
        )}
        {action !== null && (
          <Action
            kind="primary"
            pending={opening ? 'Opening…' : null}
            onPress={() => void sources.open(item.id)}
          >
            {action}
          </Action>
        )}
      </div>
      {isOpen && (
        <p className="unseen" role="status">
          <UserText>{sourceNews(item)}</UserText>
        </p>
      )}
      {isOpen && (
        <p className="source-banner" data-problem={item.problem !== null}>
          <Icon name={item.problem === null ? 'show' : 'warning'} />
          <span>{item.problem === null ? <UserText>{banner}</UserText> : <Message>{banner}</Message>}</span>
          {item.problem === null && item.tokens > 0 && (
            <span className="source-sum">
              {`${count(item.accounts, 'account')} · ${count(item.tokens, 'token')}`}
            </span>
          )}
        </p>
      )}
    </div>
  );
}

/** Actions for a program that Tokenkeep never changes: open it, or copy its sign-out command. */
export function ProgramActions({
  of: { id, opens, command },
}: {
  of: Pick<SourceItem, 'id' | 'opens' | 'command'>;
}) {
  const { sources } = useModel();
  if (opens !== null) return <Action onPress={() => void sources.openProgram(id)}>{`Open ${opens}`}</Action>;
  return command === null ? null : <CopyCommand command={command} />;
}

function CopyCommand({ command }: { command: string }) {
  const { toasts } = useModel();
  return (
    <Action
      onPress={() => {
        toasts.show(copyText(command) ? 'Command copied.' : 'The command could not be copied.');
      }}
    >
      Copy command
    </Action>
  );
}

/** Sign-ins of a program whose tokens can't be read. */
export function NamedSignIns({ item }: { item: SourceItem }) {
  return (
    <ul className="named">
      {item.names.map(({ name, at, expiresOn, command }, index) => (
        <li key={`${String(index)} ${name}`}>
          <span className="two-lines">
            <span>
              <UserText>{name}</UserText>
            </span>
            {at !== undefined && (
              <span className="second">
                <UserText>{at}</UserText>
              </span>
            )}
          </span>
          <Expiry expiresOn={expiresOn} />
          {command !== null && <CopyCommand command={command} />}
        </li>
      ))}
    </ul>
  );
}

function Expiry({ expiresOn }: { expiresOn: number | undefined }) {
  const text = useTimed((now) => nameExpiry(expiresOn, now));
  return <span className="second">{text}</span>;
}
