import { useEffect, useRef } from 'react';
import {
  Button,
  MenuTrigger,
  Popover,
  Tab,
  TabList,
  TabPanel,
  Tabs,
  TextArea,
  TextField,
} from 'react-aria-components';
import type { DecodedToken, TokenItem } from '../../src-main/ipc/contract.ts';
import { onLeave } from '../bridge.ts';
import { detailLines, headerLine, payloadLine, withTenantName } from '../state/claims.ts';
import { signatureSays } from '../state/signatureCheck.ts';
import { secondsUntil } from '../state/time.ts';
import { appLabel, signatureNote, tokenTitle, tokenWhen } from '../state/tokens.ts';
import { Action } from './Action.tsx';
import { Icon } from './Icon.tsx';
import { ClaimLines, Lines } from './Lines.tsx';
import { TokenMenu } from './TokenMenu.tsx';
import { useMenuOf, useModel, useStore, useTimed } from './hooks.ts';

/** The selected token: contents and actions. */
export function TokenPanel({ onClose }: { onClose: () => void }) {
  const { selection } = useModel();
  const { tokens, tokenId, claims, opened } = useStore(selection.view);
  const token = tokens?.find(({ id }) => id === tokenId);
  return (
    <aside className="panel" aria-label="Token" data-opened={opened}>
      {token === undefined ? (
        <p className="empty">{tokens === null || tokens.length > 0 ? '' : 'No token selected.'}</p>
      ) : (
        <>
          <PanelHead token={token} onClose={onClose} />
          <Contents key={token.id} token={token} claims={claims} />
          <SecretField token={token} />
        </>
      )}
    </aside>
  );
}

function PanelHead({ token, onClose }: { token: TokenItem; onClose: () => void }) {
  const { kind, subject } = tokenTitle(token);
  const when = useTimed((now) => tokenWhen(token, now));
  return (
    <div className="panel-head">
      <div>
        <h2>
          {kind} <span className="middot">·</span> <bdi>{subject}</bdi>
        </h2>
        <p>
          <bdi>{appLabel(token)}</bdi>
          {when}
        </p>
      </div>
      <Button
        className="button quiet icon-only panel-close"
        aria-label="Close token details"
        onPress={onClose}
      >
        <Icon name="close" />
      </Button>
    </div>
  );
}

const NOTES = {
  jwe: 'Encrypted for the API (JWE). Only the header can be read.',
  opaque: 'Opaque token: only the provider and the API can read it. This is normal.',
} as const;

function Contents({ token, claims }: { token: TokenItem; claims: DecodedToken | null }) {
  const { accounts } = useModel();
  const tenants = useStore(accounts.view, (view) => view.tenants);
  const format = claims?.format ?? token.format;
  const note = format === 'jwt' ? null : NOTES[format];
  if (format === 'opaque') {
    return (
      <div className="segment-panel" role="group" aria-label="Details" tabIndex={0}>
        <p className="note">{NOTES.opaque}</p>
        <Details token={token} />
      </div>
    );
  }
  return (
    <Tabs className="segments">
      <TabList className="segment-list" aria-label="Token contents">
        {format === 'jwt' && (
          <Tab id="claims" className="segment">
            Claims
          </Tab>
        )}
        <Tab id="header" className="segment">
          Header
        </Tab>
        <Tab id="details" className="segment">
          Details
        </Tab>
      </TabList>
      {format === 'jwt' && <Signature token={token} mark={claims?.mark ?? null} />}
      <TabPanel id="claims" className="segment-panel">
        {claims?.format === 'jwt' && (
          <ClaimLines
            claims={claims.payload}
            line={(claim, now) => withTenantName(payloadLine(claim, now), tenants)}
          />
        )}
        {note !== null && <p className="note">{note}</p>}
      </TabPanel>
      <TabPanel id="header" className="segment-panel">
        {claims !== null && claims.format !== 'opaque' && (
          <ClaimLines claims={claims.header} line={headerLine} />
        )}
        {note !== null && <p className="note">{note}</p>}
      </TabPanel>
      <TabPanel id="details" className="segment-panel">
        <Details token={token} />
      </TabPanel>
    </Tabs>
  );
}

/**
 * Whether the issuer signed the token. Main asks the user before it requests the issuer's keys.
 *
 * @param mark of the token whose claims are shown; null until they are loaded
 */
function Signature({ token, mark }: { token: TokenItem; mark: string | null }) {
  const { signatures } = useModel();
  const last = useStore(signatures.view);
  const isMine = last.of === token.id && last.mark === mark && mark !== null;
  const result = isMine ? last.result : null;
  const says = useTimed((now) => (result === null ? null : signatureSays(result, now)));
  const note = useTimed((now) => signatureNote(token, now));
  const key = says?.facts.find(({ name }) => name === 'Key')?.value;
  return (
    <div className="panel-signature" role="group" aria-label="Signature" data-tone={says?.tone ?? 'plain'}>
      <p role="status">
        {says === null ? note : <b>{says.title}</b>}
        {says?.text && <span className="second">{says.text}</span>}
        {says !== null && key !== undefined && <span className="second">{`Key ${key}`}</span>}
      </p>
      {result?.result !== 'uncheckable' && token.signature === null && (
        <Action
          pending={isMine && last.checking ? 'Checking…' : null}
          onPress={() => void signatures.check({ tokenId: token.id }, mark)}
          isDisabled={mark === null}
        >
          {result === null ? 'Check signature…' : 'Check again…'}
        </Action>
      )}
    </div>
  );
}

function Details({ token }: { token: TokenItem }) {
  const { accounts } = useModel();
  const tenants = useStore(accounts.view, (view) => view.tenants);
  const lines = useTimed((now) => detailLines(token, now).map((line) => withTenantName(line, tenants)));
  return <Lines lines={lines} />;
}

/** A menu button for the other forms of the token and the other actions. */
function CopyMenu({ token }: { token: TokenItem }) {
  return (
    <MenuTrigger {...useMenuOf(token.id)}>
      <Button className="button icon-only" aria-label="Copy as">
        <Icon name="down" size={14} />
      </Button>
      <Popover className="popover" placement="top end" offset={4}>
        <TokenMenu token={token} />
      </Popover>
    </MenuTrigger>
  );
}

/** The token, masked until it is revealed. The window gets its text only after the user has agreed in main's dialog. */
export function SecretField({ token }: { token: TokenItem }) {
  const { secret } = useModel();
  const { phase, text, hidesAt } = useStore(secret.view);
  const { kind, subject } = tokenTitle(token);
  const hides = useTimed((now) => (hidesAt === null ? '' : String(secondsUntil(hidesAt, now))));

  const actions = useRef<HTMLDivElement>(null);
  // When the token is hidden, the focus moves from its field to the Reveal button.
  const hadFocus = useRef(false);
  useEffect(() => {
    if (phase === 'masked' && hadFocus.current) actions.current?.querySelector('button')?.focus();
    hadFocus.current = false;
  }, [phase]);
  useEffect(() => onLeave(() => secret.view.get().phase === 'shown' && secret.hide()), [secret]);

  return (
    <section className="secret" aria-label="Secret" data-phase={phase}>
      {phase === 'shown' && text !== null ? (
        <TextField
          className="secret-text"
          aria-label={`Secret of ${kind} ${subject}`}
          value={text}
          isReadOnly
          autoFocus
          onFocusChange={(has) => (hadFocus.current = has)}
          onKeyDown={({ key }) => {
            if (key === 'Escape') secret.hide();
          }}
        >
          <TextArea spellCheck={false} rows={4} onFocus={(event) => event.currentTarget.select()} />
        </TextField>
      ) : (
        <span className="mask" aria-hidden="true">
          ••••••••••••
        </span>
      )}
      <div className="secret-actions" ref={actions}>
        {phase === 'shown' ? (
          <Action onPress={secret.hide}>Hide</Action>
        ) : (
          <Action onPress={() => void secret.reveal()} isDisabled={phase === 'asking'}>
            Reveal…
          </Action>
        )}
        <span className="split-button">
          <Action onPress={() => void secret.copy()}>Copy…</Action>
          <CopyMenu token={token} />
        </span>
      </div>
      <p className="note">
        {phase === 'shown'
          ? `Hidden in ${hides} s.`
          : 'Anyone with this token can use it. Copies are cleared after 30 s.'}
      </p>
    </section>
  );
}
